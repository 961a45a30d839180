// A product or a layer with streamed weights on the clocks of all tiles, without numbers: which weights are
// stored is drawn by chance, with the density that the settings say. For shapes that no file has, and for
// times that want no weights.
#pragma once

#include "sparse_llama/wafer/streamed_place.hpp"
#include "wse_emulator/band.hpp"

namespace wafermark::llama {

/// What a run took, of settings.tokens tokens.
struct StreamedRun {
  StreamedPlace place;
  double cycles = 0;
  wse::OperationCounts operations;
  std::int64_t word_hops = 0;
  double edge_bits = 0;
  wse::Band band, energy_band;  ///< of the time, and of joules()

  double seconds(const wse::Machine& machine) const { return cycles / machine.clock_hz; }
  /// Operations, words and hops, and idle power of the whole wafer.
  double joules(const wse::Machine& machine) const {
    return wse::run_joules(machine, seconds(machine), operations, word_hops);
  }
};

/// A product alone, from the first weight that enters to the last sum that is kept. Throws InputError with
/// the ledger when it does not fit.
StreamedRun run_product(const StreamedShape& shape, const StreamedSettings& settings,
                        const wse::Machine& machine, const wse::TileGrid& grid);
/// A layer among others: what the second of two takes. Prompts of settings.sequences sequences.
StreamedRun run_layer(const Configuration& c, const StreamedSettings& settings, const wse::Machine& machine,
                      const wse::TileGrid& grid);

/// Weights as they come to `columns` columns of a group, each stored with the settings' density; the same for
/// the same seed.
wse::StreamedWeights drawn_weights(const StreamedShape& shape, const StreamedSettings& settings, int columns,
                                   std::uint32_t seed);

}  // namespace wafermark::llama

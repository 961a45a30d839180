// Programs with resident weights on the clocks of all tiles, without numbers: a layer on a region of its own,
// and a product of a vector. Which weights are stored is drawn by chance, with the density that the settings
// say.
#pragma once

#include "sparse_llama/wafer/layer_program.hpp"
#include "sparse_llama/wafer/placement.hpp"
#include "wse_emulator/band.hpp"

namespace wafermark::llama {

/// Cycles of a pass of settings.rows_together tokens, and what it took beside them.
struct LayerRun {
  double alone = 0;     ///< from the stream's arrival to its way on, all tiles idle before
  double interval = 0;  ///< from pass to pass, where they follow as soon as tiles are free
  wse::OperationCounts operations;
  std::int64_t word_hops = 0;
};

/// A layer on `width` x `height` tiles behind `seen` tokens of each sequence. Hidden units in their order.
LayerRun run_layer(const Configuration& model, const ProgramCost& cost, const WaferSettings& settings,
                   int width, int height, std::int64_t seen);

/// [1, n] x [n, n] on so many tiles squared: every tile multiplies its share of the vector, the sums go along
/// the rows to their middle and back, two 16-bit numbers a word. Cycles.
double run_vector_product(const ProgramCost& cost, std::int64_t n, int tiles);

}  // namespace wafermark::llama

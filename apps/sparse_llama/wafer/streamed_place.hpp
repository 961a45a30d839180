// Where the numbers of a pass with streamed weights lie: what a tile holds, what a pass takes, and how many
// groups of columns and sums that pass together take the least time.
#pragma once

#include "sparse_llama/wafer/streamed_program.hpp"
#include "wse_emulator/tile_memory.hpp"

namespace wafermark::llama {

/// What a tile holds in a pass. Throws InputError with the ledger when it is too small.
wse::TileMemory streamed_memory(const Configuration& c, const StreamedSettings& settings,
                                const wse::Machine& machine, const StreamedPlace& place);
/// What it holds in a product alone.
wse::TileMemory streamed_memory(const StreamedShape& shape, const StreamedSettings& settings,
                                const wse::Machine& machine, const StreamedPlace& place);
/// Bits that tiles have room for beside what they hold: weights that come early.
double early_bits(const wse::TileMemory& memory, const StreamedPlace& place);

/// Cycles of a pass of settings.tokens new tokens, nobody waiting; of its parts.
struct StreamedPrediction {
  double layer = 0, head = 0, products = 0, attention = 0;  ///< products, attention: of a layer
  double edge = 0;                                          ///< bringing a layer's weights in
  double pass(std::int64_t layers) const { return double(layers) * layer + head; }
};
StreamedPrediction predict_streamed(const Configuration& c, const StreamedSettings& settings,
                                    const wse::Machine& machine, const StreamedPlace& place);
/// Cycles of a product alone, nobody waiting.
double predict_streamed(const StreamedShape& shape, const StreamedSettings& settings,
                        const wse::Machine& machine, const StreamedPlace& place);

/// The place that takes a pass, or a product alone, the least time and fits, or that settings ask for. Throws
/// InputError with the ledger when nothing fits.
StreamedPlace streamed_place(const Configuration& c, const StreamedSettings& settings,
                             const wse::Machine& machine, const wse::TileGrid& grid);
StreamedPlace streamed_place(const StreamedShape& shape, const StreamedSettings& settings,
                             const wse::Machine& machine, const wse::TileGrid& grid);

/// What the tiles do in a product alone.
StreamedItems streamed_product_items(const StreamedShape& shape, const StreamedSettings& settings,
                                     const StreamedPlace& place);
inline constexpr StreamedMatrix product_alone = StreamedMatrix::down;  ///< where items keep it

}  // namespace wafermark::llama

// The arithmetic of attention on a tile, for resident and for streamed weights: the kernels of both targets,
// in the number types of tiles.
#pragma once

#include <cstdint>

#include "sparse_llama/kernels/attention.hpp"
#include "sparse_llama/kernels/storage.hpp"

namespace wafermark::llama {

/// A value as tiles keep it for their lanes: fp32, or the nearest fp16 where values have 16 bits.
float as_on_tiles(ValueType type, float value);

/// scale * query . key, over the dimensions that a tile has of both.
float score_on_tile(const float* query, const float* key, std::int64_t dims, float scale);

/// Takes in a position by its score and its value [dims]. `state.top`: the largest score of all positions,
/// where tiles have told each other (resident weights); else that of the positions so far, and what was
/// summed fades when it rises (streamed weights, whose keys go by). Weights of positions are as_on_tiles(),
/// sums fp32.
void attend_on_tile(ValueType type, AttentionSum<float>& state, float score, const float* value,
                    std::int64_t dims, float* weighted);

}  // namespace wafermark::llama

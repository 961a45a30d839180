#include "sparse_llama/wafer/tile_attention.hpp"

#include "sparse_llama/kernels/half.hpp"

namespace wafermark::llama {

float as_on_tiles(ValueType type, float value) {
  return type == ValueType::fp32 ? value : nearest_half(value);
}

float score_on_tile(const float* query, const float* key, std::int64_t dims, float scale) {
  float score[1];
  attention_scores(query, key, dims, scale, score);
  return score[0];
}

void attend_on_tile(ValueType type, AttentionSum<float>& state, float score, const float* value,
                    std::int64_t dims, float* weighted) {
  if (score > state.top) raise_top(state, score, dims, weighted);
  add_weighted(as_on_tiles(type, weight_of_score(score, state.top)), value, dims, weighted, state.sum);
}

}  // namespace wafermark::llama

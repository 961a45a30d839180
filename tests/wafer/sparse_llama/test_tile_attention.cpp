// A position enters attention on a tile by the same arithmetic, whether the largest score is known beforehand
// (resident weights) or rises as keys go by (streamed ones).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "sparse_llama/wafer/tile_attention.hpp"

namespace wafermark::llama {
namespace {

const std::vector<float> scores_of_positions{0.3f, -1.2f, 2.7f, 2.6f, -0.4f, 3.1f};

/// The sum of weights, and the weighted sum of values that are 1 in the first dimension and the position's
/// number in the second.
std::vector<float> attended(ValueType type, AttentionSum<float> state) {
  std::vector<float> weighted(2, 0.0f);
  for (std::size_t p = 0; p < scores_of_positions.size(); ++p) {
    const float value[2] = {1.0f, float(p)};
    attend_on_tile(type, state, scores_of_positions[p], value, 2, weighted.data());
  }
  return {state.sum, weighted[0], weighted[1], state.top};
}

const float largest = *std::max_element(scores_of_positions.begin(), scores_of_positions.end());

TEST(TileAttention, IsTheSameWithARisingTopAsWithAKnownOne) {
  for (const ValueType type : {ValueType::fp32, ValueType::bf16}) {
    const std::vector<float> known = attended(type, {.top = largest}), rising = attended(type, {});
    EXPECT_EQ(rising.back(), largest);
    // Weights that were rounded under a lower top fade with their error of half a unit of fp16.
    const float within = type == ValueType::fp32 ? 1e-6f : 1e-3f;
    for (std::size_t i = 0; i + 1 < known.size(); ++i) EXPECT_NEAR(rising[i] / known[i], 1.0f, within);
  }
}

TEST(TileAttention, WeightsOfPositionsHaveTheTilesNumberType) {
  float exact = 0, rounded = 0;
  for (const float score : scores_of_positions) {
    const float weight = weight_of_score(score, largest);
    exact += weight;
    rounded += as_on_tiles(ValueType::bf16, weight);
  }
  ASSERT_NE(exact, rounded);
  EXPECT_EQ(attended(ValueType::fp32, {.top = largest}).front(), exact);
  const std::vector<float> halves = attended(ValueType::bf16, {.top = largest});
  EXPECT_EQ(halves[0], rounded);
  EXPECT_EQ(halves[1], rounded);  // the values' weights are those that are summed
  // The first of rising tops has the weight 1 in either type.
  AttentionSum<float> first;
  float weighted = 0;
  const float value = 3;
  attend_on_tile(ValueType::bf16, first, -1e30f, &value, 1, &weighted);
  EXPECT_EQ(first.sum, 1.0f);
  EXPECT_EQ(weighted, 3.0f);
}

TEST(TileAttention, ScoresAreScaledProducts) {
  const std::vector<float> query{1, 2, 3, 4, 5}, key{2, 0, -1, 1, 2};
  EXPECT_EQ(score_on_tile(query.data(), key.data(), 5, 0.5f), 0.5f * (2 - 3 + 4 + 10));
  EXPECT_EQ(score_on_tile(query.data(), key.data(), 0, 0.5f), 0.0f);
}

}  // namespace
}  // namespace wafermark::llama

// Cycles of the tile program's sections come from the kernels, as the machine prices them.
#include <gtest/gtest.h>

#include "sparse_llama/kernels/row_dot.hpp"
#include "sparse_llama/wafer/prediction.hpp"
#include "wse_emulator/counted_memory.hpp"

namespace wafermark::llama {
namespace {

using wse::Operation;
using wse::OperationCounts;

wse::Machine machine(const std::vector<std::string>& changes = {}) {
  return wse::Machine::read(WAFERMARK_SOURCE_DIR "/inputs/wafers/wse2.toml", changes);
}

TEST(SectionCounts, OfAMaskedColumnAddUpToThoseOfTheWholeColumn) {
  const SectionCounts s = count_sections(ValueType::bf16);
  for (const auto& bits : {std::vector<std::uint32_t>{0x80000001u, 0u, 0xffffffffu}, {0x00ff00ffu}}) {
    std::vector<wse::CountedWord> mask(bits.begin(), bits.end());
    for (wse::CountedWord& word : mask) word.keep_in_memory();
    OperationCounts whole;
    std::int64_t stored = 0;
    for (const std::uint32_t word : bits) stored += std::popcount(word);
    {
      const wse::Counting counting(whole);
      masked_add(mask.data(), std::int64_t(mask.size()), wse::CountedStream<float>(true),
                 wse::Counted<float>(1.0f), wse::CountedSums<float>());
    }
    OperationCounts parts = stored * s.stored_value + std::int64_t(mask.size()) * s.mask_word;
    // Counting the words is the loop's, which the kernel does not see.
    parts[Operation::integer] -= std::int64_t(mask.size());
    parts[Operation::branch] -= std::int64_t(mask.size());
    EXPECT_EQ(parts, whole);
  }
}

TEST(SectionCounts, AWeightIsOneMultiplyAddAndBf16AConversionMore) {
  const SectionCounts bf16 = count_sections(ValueType::bf16), fp32 = count_sections(ValueType::fp32);
  EXPECT_EQ(bf16.stored_value[Operation::fma], 1);
  EXPECT_EQ(bf16.stored_value[Operation::convert], 1);
  EXPECT_EQ(fp32.stored_value[Operation::convert], 0);
  EXPECT_EQ(fp32.stored_value[Operation::fma], 1);
  EXPECT_EQ(fp32.dense_value[Operation::fma], 1);
  EXPECT_EQ(fp32.score[Operation::fma], 1);
  EXPECT_EQ(fp32.gated[Operation::elementary], 1);
  EXPECT_EQ(fp32.gated[Operation::divide], 1);
  EXPECT_EQ(fp32.gated[Operation::load], 2);
  EXPECT_EQ(fp32.gated[Operation::store], 1);
  EXPECT_EQ(fp32.mask_word[Operation::load], 1);
  EXPECT_EQ(fp32.mask_word[Operation::fma], 0);
  EXPECT_EQ(fp32.added[Operation::add], 1);
  EXPECT_EQ(fp32.rotary_pair[Operation::fma] + fp32.rotary_pair[Operation::multiply], 4);
  for (const OperationCounts& s :
       {fp32.square, fp32.scaled, fp32.rotary_pair, fp32.score, fp32.position_value, fp32.faded,
        fp32.divided_value, fp32.added, fp32.compared})
    for (const std::int64_t n : s.n) EXPECT_GE(n, 0);
}

TEST(ProgramCost, FollowsTheMachineFile) {
  const ProgramCost cost(machine(), ValueType::fp32);
  const ProgramCost slow_fma(machine({"cycles.fma.value=11"}), ValueType::fp32);
  EXPECT_DOUBLE_EQ(slow_fma.masked_weights(1).cycles(20) - cost.masked_weights(1).cycles(20), 20 * 10.0);
  // One instruction over a long column; scalar code for a short one.
  EXPECT_DOUBLE_EQ(cost.dense_weights(1).cycles(1000), 16 + 1.09 * 1000);
  EXPECT_LT(cost.dense_weights(1).cycles(2), 16);
  // Several tokens share the finding of a weight, and long columns go token by token.
  EXPECT_LT(cost.masked_weights(8).cycles(20), 8 * cost.masked_weights(1).cycles(20));
  EXPECT_DOUBLE_EQ(cost.dense_weights(2).cycles(1000), 2 * cost.dense_weights(1).cycles(1000));
  EXPECT_DOUBLE_EQ(wse::receive_cycles(cost.machine(), 1), 17);
  EXPECT_DOUBLE_EQ(wse::receive_cycles(cost.machine(), 100), 130);
}

TEST(ProgramCost, WeightsOf16BitsAreConvertedOnceAndMultipliedInLanes) {
  const wse::Machine m = machine();
  const ProgramCost cost(m, ValueType::bf16);
  // A pass over the column to convert it, and one for each token.
  for (const int tokens : {1, 2, 16})
    EXPECT_DOUBLE_EQ(cost.dense_weights(tokens).cycles(1000), (1 + tokens) * (16 + 1.09 * 1000 / 4))
        << tokens;
  const double found = cost.masked_weights(1).cycles(1);
  EXPECT_NEAR(cost.masked_weights(64).cycles(1), found + 16 + 1.09 * 64 / 4 - 1, 1.0);
  EXPECT_EQ(cost.dense_weights(16).operations(10)[Operation::half_fma], 160);
  EXPECT_EQ(cost.dense_weights(16).operations(10)[Operation::convert], 10);
  EXPECT_EQ(cost.masked_weights(16).operations(10)[Operation::half_fma], 150);
  const ProgramCost wse3(wse::Machine::read(WAFERMARK_SOURCE_DIR "/inputs/wafers/wse3.toml"),
                         ValueType::bf16);
  EXPECT_LT(wse3.dense_weights(16).cycles(1000), 0.6 * cost.dense_weights(16).cycles(1000));
}

TEST(Prediction, TakesLessToMultiplyAndMoreToSumOnMoreTiles) {
  const Configuration model{4096, 32, 32, 32, 128, 11008, 32000, 4096, 1e-5, 1e4, {}, false};
  const ProgramCost cost(machine(), ValueType::bf16);
  WaferSettings s;
  s.density = 0.3;
  const LayerPrediction small = predict_layer(model, cost, s, 100, 100, 1000),
                        large = predict_layer(model, cost, s, 400, 400, 1000);
  EXPECT_LT(large.multiply, small.multiply / 4);
  EXPECT_GT(large.reduce + large.broadcast, 1.5 * (small.reduce + small.broadcast));
  s.density = 1;
  EXPECT_GT(predict_layer(model, cost, s, 100, 100, 1000).multiply, 2 * small.multiply);
}

}  // namespace
}  // namespace wafermark::llama

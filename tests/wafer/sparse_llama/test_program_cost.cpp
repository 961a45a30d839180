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
  const SectionCounts s = count_sections();
  for (const auto& bits : {std::vector<std::uint32_t>{0x80000001u, 0u, 0xffffffffu}, {0x00ff00ffu}}) {
    std::vector<wse::CountedWord> mask(bits.begin(), bits.end());
    for (wse::CountedWord& word : mask) word.keep_in_memory();
    OperationCounts whole;
    std::int64_t stored = 0;
    for (const std::uint32_t word : bits) stored += std::popcount(word);
    {
      const wse::Counting counting(whole);
      masked_add(mask.data(), std::int64_t(mask.size()), wse::CountedStream<float>(),
                 wse::Counted<float>(1.0f), wse::CountedSums<float>());
    }
    OperationCounts parts = stored * s.stored_value + std::int64_t(mask.size()) * s.mask_word;
    // Counting the words is the loop's, which the kernel does not see.
    parts[Operation::integer] -= std::int64_t(mask.size());
    parts[Operation::branch] -= std::int64_t(mask.size());
    EXPECT_EQ(parts, whole);
  }
}

TEST(SectionCounts, AreThoseOfTheKernels) {
  const SectionCounts s = count_sections();
  EXPECT_EQ(s.stored_value[Operation::fma], 1);
  EXPECT_EQ(s.stored_value[Operation::convert], 0);  // weights of 16 bits lie there as fp16
  EXPECT_EQ(s.dense_value[Operation::fma], 1);
  EXPECT_EQ(s.score[Operation::fma], 1);
  EXPECT_EQ(s.position_value[Operation::fma], 1);
  EXPECT_EQ(s.position[Operation::elementary], 0);  // by a polynomial
  EXPECT_EQ(s.gated[Operation::elementary], 1);
  EXPECT_EQ(s.gated[Operation::divide], 1);
  EXPECT_EQ(s.gated[Operation::load], 2);
  EXPECT_EQ(s.gated[Operation::store], 1);
  EXPECT_EQ(s.mask_word[Operation::load], 1);
  EXPECT_EQ(s.mask_word[Operation::fma], 0);
  EXPECT_EQ(s.added[Operation::add], 1);
  EXPECT_EQ(s.rotary_pair[Operation::fma] + s.rotary_pair[Operation::multiply], 4);
  for (const OperationCounts& one : {s.square, s.scaled, s.rotary_pair, s.score, s.largest, s.shifted,
                                     s.position, s.position_value, s.divided_value, s.added, s.compared})
    for (const std::int64_t n : one.n) EXPECT_GE(n, 0);
}

TEST(ProgramCost, FollowsTheMachineFile) {
  const ProgramCost cost(machine(), ValueType::fp32);
  const ProgramCost slow_fma(machine({"cycles.fma.value=11"}), ValueType::fp32);
  EXPECT_DOUBLE_EQ(slow_fma.stored_weights(StoredWeights::found, 1).cycles(20) -
                       cost.stored_weights(StoredWeights::found, 1).cycles(20),
                   20 * 10.0);
  // One instruction over a long column; scalar code for a short one.
  EXPECT_DOUBLE_EQ(cost.dense_weights(1).cycles(1000), 16 + 1.09 * 1000);
  EXPECT_LT(cost.dense_weights(1).cycles(2), 16);
  // Several tokens share the finding of a weight, and long columns go token by token.
  EXPECT_LT(cost.stored_weights(StoredWeights::found, 8).cycles(20),
            8 * cost.stored_weights(StoredWeights::found, 1).cycles(20));
  EXPECT_DOUBLE_EQ(cost.dense_weights(2).cycles(1000), 2 * cost.dense_weights(1).cycles(1000));
  EXPECT_DOUBLE_EQ(wse::receive_cycles(cost.machine(), 1), 17);
  EXPECT_DOUBLE_EQ(wse::receive_cycles(cost.machine(), 100), 130);
}

TEST(ProgramCost, WeightsOf16BitsAreMultipliedInLanes) {
  const wse::Machine m = machine();
  const ProgramCost cost(m, ValueType::bf16);
  // A pass over the column for each token.
  for (const int tokens : {1, 2, 16})
    EXPECT_DOUBLE_EQ(cost.dense_weights(tokens).cycles(1000), tokens * (16 + 1.09 * 1000 / 4)) << tokens;
  const double found = cost.stored_weights(StoredWeights::found, 1).cycles(1);
  EXPECT_NEAR(cost.stored_weights(StoredWeights::found, 64).cycles(1), found + 16 + 1.09 * 64 / 4 - 1, 1.0);
  EXPECT_EQ(cost.dense_weights(16).operations(10)[Operation::half_fma], 160);
  EXPECT_EQ(cost.stored_weights(StoredWeights::found, 16).operations(10)[Operation::half_fma], 150);
  const ProgramCost wse3(wse::Machine::read(WAFERMARK_SOURCE_DIR "/inputs/wafers/wse3.toml"),
                         ValueType::bf16);
  EXPECT_LT(wse3.dense_weights(16).cycles(1000), 0.6 * cost.dense_weights(16).cycles(1000));
}

TEST(ProgramCost, WeightsThatATileSendsToItselfStartAtTheMachinesPrice) {
  for (const double arriving : {2.0, 25.0}) {
    const ProgramCost cost(machine().with("core.arriving_weight_cycles", arriving), ValueType::bf16);
    EXPECT_DOUBLE_EQ(cost.stored_weights(StoredWeights::sent, 1).cycles(10), 10 * (arriving + 1.09));
    EXPECT_DOUBLE_EQ(cost.stored_weights(StoredWeights::sent, 64).cycles(10), 10 * (arriving + 1.09 * 16));
    EXPECT_EQ(cost.stored_weights(StoredWeights::sent, 64).operations(10)[Operation::half_fma], 640);
    EXPECT_EQ(cost.stored_weights(StoredWeights::sent, 64).operations(10)[Operation::move], 10);
    EXPECT_DOUBLE_EQ(cost.beside_weights(StoredWeights::sent).cycles(1), 16);
  }
}

TEST(ProgramCost, AttentionGoesOverPositionsInLanes) {
  const wse::Machine m = machine();
  const ProgramCost halves(m, ValueType::bf16), singles(m, ValueType::fp32);
  // A pass over 1,000 positions for each of 2 queries and 8 dimensions.
  EXPECT_DOUBLE_EQ(halves.scores(2, 8, 1).cycles(1000), 16 * (16 + 1.09 * 1000 / 2));
  EXPECT_DOUBLE_EQ(singles.scores(2, 8, 1).cycles(1000), 16 * (16 + 1.09 * 1000));
  EXPECT_DOUBLE_EQ(halves.scores(2, 8, 3).cycles(3000) - halves.scores(2, 8, 1).cycles(3000), 16 * 2 * 16);
  EXPECT_EQ(halves.scores(2, 8, 1).operations(10)[Operation::half_fma], 160);
  EXPECT_EQ(singles.scores(2, 8, 1).operations(10)[Operation::fma], 160);
  EXPECT_LT(halves.values(2, 64).cycles(10), singles.values(2, 64).cycles(10));
  EXPECT_DOUBLE_EQ(halves.values(2, 64).cycles(10), 10 * 2 * (16 + 1.09 * 64 / 2));
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

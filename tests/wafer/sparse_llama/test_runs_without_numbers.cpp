// Layers and products on the clocks of all tiles, without numbers: resident and streamed weights.
#include <gmock/gmock.h>

#include <numeric>

#include "common/errors.hpp"
#include "sparse_llama/model/weight_source.hpp"
#include "sparse_llama/wafer/layer_run.hpp"
#include "sparse_llama/wafer/prediction.hpp"
#include "sparse_llama/wafer/streamed_run.hpp"

namespace wafermark::llama {
namespace {

const wse::Machine& wse2() {
  static const wse::Machine m = wse::Machine::read(WAFERMARK_SOURCE_DIR "/inputs/wafers/wse2.toml");
  return m;
}

Configuration small_model() { return {256, 2, 8, 4, 32, 512, 1000, 512, 1e-5, 1e4, {}, false}; }

TEST(DrawnWeights, HaveTheDensityAndAreTheSameForASeed) {
  StreamedSettings s;
  s.density = 0.3;
  const StreamedShape shape{300, {500}, false};
  const wse::StreamedWeights w = drawn_weights(shape, s, 7, 1), same = drawn_weights(shape, s, 7, 1),
                             other = drawn_weights(shape, s, 7, 2);
  EXPECT_EQ(w.counts, same.counts);
  EXPECT_NE(w.counts, other.counts);
  const double stored = std::accumulate(w.counts.begin(), w.counts.end(), 0.0);
  EXPECT_NEAR(stored, 0.3 * 300 * 500, 4 * std::sqrt(0.3 * 0.7 * 300 * 500));  // four standard deviations
  EXPECT_EQ(w.outputs(), 500);
  s.format = Format::dense;
  const wse::StreamedWeights dense = drawn_weights(shape, s, 7, 1);
  EXPECT_EQ(std::accumulate(dense.counts.begin(), dense.counts.end(), 0), 300 * 500);
}

TEST(StreamedRun, AProductSavesNoMoreThanItsZeros) {
  StreamedSettings s;
  s.tokens = 2000;
  const StreamedShape shape{400, {600}, false};
  s.format = Format::dense;
  const StreamedRun dense = run_product(shape, s, wse2(), {30, 30});
  EXPECT_EQ(dense.operations[wse::Operation::half_fma],
            400 * 600 * dense.place.tokens_of_tile(2000) * dense.place.token_tiles());
  EXPECT_DOUBLE_EQ(dense.edge_bits, 16.0 * 400 * 600);
  s.format = Format::bit_mask;
  for (const double density : {0.5, 0.1}) {
    s.density = density;
    const StreamedRun sparse = run_product(shape, s, wse2(), {30, 30});
    EXPECT_LT(sparse.cycles, dense.cycles);
    EXPECT_GT(sparse.cycles, density * dense.cycles);
    EXPECT_LT(sparse.joules(wse2()), dense.joules(wse2()));
    EXPECT_GT(sparse.band.high, 1.0);
  }
}

TEST(StreamedRun, SumsThatPassTogetherTakeLess) {
  StreamedSettings s;
  s.tokens = 900;
  s.density = 0.2;
  s.groups = 1;
  const StreamedShape shape{400, {600}, false};
  s.sums_together = 1;
  const StreamedRun one = run_product(shape, s, wse2(), {30, 30});
  s.sums_together = 8;
  const StreamedRun eight = run_product(shape, s, wse2(), {30, 30});
  EXPECT_LT(eight.cycles, one.cycles);
  EXPECT_EQ(eight.operations, one.operations);
  EXPECT_EQ(eight.word_hops, one.word_hops);
  s.sums_together = 0;
  EXPECT_LE(run_product(shape, s, wse2(), {30, 30}).cycles, eight.cycles * 1.02);
}

TEST(StreamedRun, SumsInPlaceMeetInABank) {
  StreamedSettings s;
  s.format = Format::dense;
  s.value_type = ValueType::fp32;
  s.tokens = 900;
  s.groups = s.sums_together = 1;
  const StreamedShape shape{300, {300}, false};
  const double alternating = run_product(shape, s, wse2(), {30, 30}).cycles;
  s.sum_banks = SumBanks::one;
  EXPECT_GT(run_product(shape, s, wse2(), {30, 30}).cycles, 1.4 * alternating);
}

TEST(StreamedRun, OfALayerIsAboutItsPrediction) {
  StreamedSettings s;
  s.format = Format::dense;
  s.tokens = 1024;
  s.sequences = 2;
  const StreamedRun run = run_layer(small_model(), s, wse2(), {32, 32});
  const double predicted = predict_streamed(small_model(), s, wse2(), run.place).layer;
  EXPECT_GT(run.cycles, 0.9 * predicted);
  EXPECT_LT(run.cycles, 1.5 * predicted);
  s.tokens = 1 << 24;
  EXPECT_THROW(run_layer(small_model(), s, wse2(), {32, 32}), InputError);
}

TEST(LayerRun, IsAboutItsPredictionAndPassesFollowSooner) {
  const ProgramCost cost(wse2(), ValueType::bf16);
  WaferSettings s;
  s.format = Format::dense;
  for (const int together : {1, 4}) {
    s.rows_together = together;
    const LayerRun run = run_layer(small_model(), cost, s, 40, 36, 100);
    const double predicted = predict_layer(small_model(), cost, s, 40, 36, 100).sum();
    EXPECT_GT(run.alone, 0.8 * predicted);
    EXPECT_LT(run.alone, 1.3 * predicted);
    EXPECT_LE(run.interval, run.alone);
    EXPECT_GE(run.operations[wse::Operation::half_fma],
              together * (256 * (256 + 2 * 128) + 256 * 256 + 3 * 256 * 512));
  }
}

TEST(LayerRun, WeightsThatArriveFollowTheMachinesNumber) {
  WaferSettings s;
  s.density = 0.3;
  s.rows_together = 4;
  s.stored_weights = StoredWeights::sent;
  double before = 0;
  for (const double cycles : {2.0, 9.0, 43.0}) {
    const ProgramCost cost(wse2().with("core.arriving_weight_cycles", cycles), ValueType::bf16);
    const double interval = run_layer(small_model(), cost, s, 24, 24, 100).interval;
    EXPECT_GT(interval, before);
    before = interval;
  }
}

TEST(LayerRun, MatricesBySelfTakeMoreSums) {
  const ProgramCost cost(wse2(), ValueType::bf16);
  WaferSettings s;
  s.format = Format::dense;
  const LayerRun fused = run_layer(small_model(), cost, s, 40, 36, 100);
  s.sums = SumsOf::matrices;
  const LayerRun apart = run_layer(small_model(), cost, s, 40, 36, 100);
  EXPECT_GT(apart.alone, fused.alone);
  EXPECT_GT(apart.word_hops, fused.word_hops);
}

TEST(VectorProduct, TakesLessOnMoreTilesUntilSumsTakeTheTime) {
  const ProgramCost cost(wse2(), ValueType::bf16);
  EXPECT_GT(run_vector_product(cost, 2048, 16), run_vector_product(cost, 2048, 64));
  EXPECT_LT(run_vector_product(cost, 512, 64), run_vector_product(cost, 512, 256));
}

}  // namespace
}  // namespace wafermark::llama

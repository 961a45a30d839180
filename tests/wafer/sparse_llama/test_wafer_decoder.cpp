// Llama on the emulated wafer: the logits of the definition in double precision and of the native target.
#include <gmock/gmock.h>

#include "common/errors.hpp"
#include "sparse_llama/cluster/decoder.hpp"
#include "sparse_llama/cluster/generation.hpp"
#include "sparse_llama/model/model_reader.hpp"
#include "wafer_model.hpp"

namespace wafermark::llama {
namespace {

/// Largest difference, over the spread of the second.
template <class Exact>
double error(const std::vector<float>& logits, const Exact& exact) {
  double worst = 0, spread = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    worst = std::max(worst, std::abs(double(logits[i]) - double(exact[i])));
    spread = std::max(spread, std::abs(double(exact[i])));
  }
  return worst / spread;
}

TEST(WaferDecoder, GivesTheReferencesLogitsOnAnyTiles) {
  const Communicator comm;
  for (const Configuration& c : {grouped(), tied()}) {
    const Model model(c, 0.3);
    std::vector<double> exact;
    for (const auto& row : reference_logits(model.dense, text))
      exact.insert(exact.end(), row.begin(), row.end());
    // Many rows of tiles a head (24 x 60), whole heads in a row (8 x 8), more layers on a region than one.
    for (const wse::TileGrid& grid : {wse::TileGrid{24, 60}, wse::TileGrid{8, 8}})
      for (const auto& [format, type, together, tolerance] :
           {std::tuple{Format::bit_mask, ValueType::fp32, 1, 1e-5},
            {Format::dense, ValueType::fp32, 5, 1e-5},
            {Format::bit_mask, ValueType::bf16, 4, 0.03}}) {
        WaferDecoder wafer(comm, model.source, machine(), grid, settings_for(format, type, together));
        EXPECT_LT(error(wafer.forward(rows_of(), all(text.size())), exact), tolerance)
            << grid.width << " x " << grid.height << " " << name_of(format) << " " << name_of(type);
      }
  }
}

TEST(WaferDecoder, GivesTheNativeTargetsLogitsOfTheShippedModel) {
  const Communicator comm, alone(MPI_COMM_SELF);
  const WeightSource source = checkpoint_source(
      "sparse70",
      std::make_shared<const DenseWeights>(read_model(WAFERMARK_SOURCE_DIR "/inputs/llama/sparse70")));
  for (const auto& [type, tolerance] : {std::pair(ValueType::fp32, 1e-5), std::pair(ValueType::bf16, 0.01)}) {
    RegionTimes times;
    const RankWeights weights = pack_rank_weights(alone, source, Format::bit_mask, type);
    Decoder native(alone, weights, 1, 32, times);
    WaferDecoder wafer(comm, source, machine(), {16, 16}, settings_for(Format::bit_mask, type));
    EXPECT_LT(error(wafer.forward(rows_of(), all(text.size())), native.forward(rows_of(), all(text.size()))),
              tolerance);
    EXPECT_NEAR(wafer.sparsity(), 0.7, 0.001);
  }
}

TEST(WaferDecoder, SequencesInFlightShareTheWaferAndBatchesTheirWeights) {
  const Communicator comm;
  const Model model(grouped(), 0.3);
  const auto decode = [&](std::int64_t sequences, std::int64_t together) {
    WaferSettings s = settings_for(Format::bit_mask, ValueType::bf16, together);
    s.sequences = sequences;
    s.layers_per_region = 1;
    WaferDecoder wafer(comm, model.source, machine(), {16, 40}, s);
    const std::vector<Prompt> prompts(std::size_t(sequences), {{1, 5, 9}, 6});
    const Generation g = generate(wafer, comm, grouped().vocabulary, prompts, {.slots = sequences});
    for (const auto& tokens : g.tokens) EXPECT_EQ(tokens, g.tokens.front());
    double multiply = 0;  // cycles of a pass, mean over tiles
    for (const auto& phase : wafer.executor().record().summarize())
      if (phase.name == "multiply") multiply = phase.mean;
    return std::pair(double(g.decode_tokens) / g.decode_seconds, multiply);
  };
  const auto [one, multiply_one] = decode(1, 1);
  const auto [four, multiply_four] = decode(4, 1);
  const auto [batch, multiply_batch] = decode(4, 4);
  EXPECT_GT(four, 2.0 * one);  // three layers and the head work on different sequences
  EXPECT_LT(four, 5.0 * one);
  EXPECT_NEAR(multiply_four, multiply_one, 0.02 * multiply_one);
  EXPECT_GT(batch, 0.5 * one);
  EXPECT_LT(multiply_batch, 3.5 * multiply_one);  // a weight is found once for all of a batch
}

TEST(WaferDecoder, DealingHiddenUnitsImprovesTheBalanceAndNothingElse) {
  const Communicator comm;
  Model model(grouped(), 0.3);
  for (DenseLayer& l : model.dense.layers)  // some hidden units have lost nearly all their weights
    for (DenseMatrix* m : {&l.gate, &l.up})
      for (std::int64_t u = 0; u < m->rows / 3; ++u)
        for (std::int64_t k = 0; k < m->columns; ++k)
          if (k % 16 != 0) m->values[std::size_t(u * m->columns + k)] = 0;
  model.source = checkpoint_source("uneven", std::make_shared<const DenseWeights>(model.dense));
  WaferSettings s = settings_for(Format::bit_mask, ValueType::fp32);
  WaferDecoder dealt(comm, model.source, machine(), {8, 40}, s);
  s.balance_rows = false;
  WaferDecoder in_order(comm, model.source, machine(), {8, 40}, s);
  EXPECT_GT(dealt.balance().dealt, 1.1 * dealt.balance().even);
  EXPECT_EQ(in_order.balance().dealt, dealt.balance().even);
  EXPECT_LT(error(dealt.forward(rows_of(), all(text.size())), in_order.forward(rows_of(), all(text.size()))),
            1e-5);
  EXPECT_LT(dealt.finished_cycle(), in_order.finished_cycle());
}

TEST(WaferDecoder, RefusesWhatTilesDoNotHold) {
  const Communicator comm;
  const Model model(grouped(), 0.3);
  const auto message = [&](WaferSettings s, const wse::TileGrid& grid) -> std::string {
    try {
      WaferDecoder(comm, model.source, machine(), grid, s);
    } catch (const InputError& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_THAT(message(settings_for(Format::bit_mask, ValueType::int8), {8, 8}),
              testing::HasSubstr("expected fp32, bf16"));
  EXPECT_THAT(message(settings_for(Format::csr, ValueType::bf16), {8, 8}),
              testing::HasSubstr("expected dense"));
  EXPECT_THAT(message(settings_for(Format::two_four, ValueType::bf16), {8, 8}),
              testing::HasSubstr("two_four"));
  WaferSettings long_context = settings_for(Format::bit_mask, ValueType::bf16);
  long_context.context = 100000;
  EXPECT_THAT(message(long_context, {8, 8}),
              testing::AllOf(testing::HasSubstr("cache"), testing::HasSubstr("packed weights"),
                             testing::HasSubstr("to fit 49152")));
}

}  // namespace
}  // namespace wafermark::llama

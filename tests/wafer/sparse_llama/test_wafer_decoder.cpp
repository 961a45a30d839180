// Llama on the emulated wafer: the logits of the definition in double precision and of the native target, and
// the same bits and cycles for every split of the tiles over ranks.
#include <gmock/gmock.h>

#include <memory>

#include "common/errors.hpp"
#include "reference_model.hpp"
#include "sparse_llama/cluster/decoder.hpp"
#include "sparse_llama/cluster/generation.hpp"
#include "sparse_llama/model/model_reader.hpp"
#include "sparse_llama/model/tensors.hpp"
#include "sparse_llama/wafer/wafer_decoder.hpp"

namespace wafermark::llama {
namespace {

const wse::Machine& machine() {
  static const wse::Machine m = wse::Machine::read(WAFERMARK_SOURCE_DIR "/inputs/wafers/wse2.toml");
  return m;
}

Configuration grouped() {  // more rows than heads or fewer, by the number of tiles
  return {48, 3, 8, 4, 12, 80, 101, 64, 1e-5, 1e4, {}, false};
}
Configuration tied() {
  Configuration c{32, 2, 2, 2, 16, 72, 53, 64, 1e-6, 5e5, {}, true};
  c.rope_scaling = {8, 1, 4, 16};
  return c;
}

struct Model {
  DenseWeights dense;
  WeightSource source;
  Model(const Configuration& c, double density) : dense(random_model(c, 7)) {
    std::mt19937 engine(8);
    std::bernoulli_distribution kept(density);
    each_tensor(dense, [&](const std::string& name, auto& tensor) {
      if constexpr (std::is_same_v<std::decay_t<decltype(tensor)>, DenseMatrix>)
        for (float& value : tensor.values)
          if (name.starts_with("model.layers.") && !kept(engine)) value = 0;
    });
    source = checkpoint_source("random", std::make_shared<const DenseWeights>(dense));
  }
};

const std::vector<std::int32_t> text{1, 5, 40, 33, 7, 7, 44, 12, 3, 50, 51, 2};

std::vector<TokenRow> rows_of(std::int32_t sequence = 0) {
  std::vector<TokenRow> rows;
  for (std::size_t p = 0; p < text.size(); ++p) rows.push_back({text[p], sequence, std::int64_t(p)});
  return rows;
}
std::vector<std::int64_t> all(std::size_t n) {
  std::vector<std::int64_t> numbers(n);
  for (std::size_t i = 0; i < n; ++i) numbers[i] = std::int64_t(i);
  return numbers;
}

WaferSettings settings_for(Format format, ValueType type, std::int64_t together = 1) {
  WaferSettings s;
  s.format = format;
  s.value_type = type;
  s.density = 0.3;
  s.context = 32;
  s.sequences = 2;
  s.rows_together = together;
  return s;
}

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
  for (const ValueType type : {ValueType::fp32, ValueType::bf16}) {
    RegionTimes times;
    const RankWeights weights = pack_rank_weights(alone, source, Format::bit_mask, type);
    Decoder native(alone, weights, 1, 32, times);
    WaferDecoder wafer(comm, source, machine(), {16, 16}, settings_for(Format::bit_mask, type));
    EXPECT_LT(error(wafer.forward(rows_of(), all(text.size())), native.forward(rows_of(), all(text.size()))),
              1e-5);
    EXPECT_NEAR(wafer.sparsity(), 0.7, 0.001);
  }
}

/// What must not depend on how tiles are dealt to ranks.
struct Outcome {
  std::vector<float> logits;
  std::vector<std::int32_t> tokens;
  std::int64_t cycles = 0;
  std::vector<double> clocks;
  double joules = 0, bits = 0;
};

Outcome outcome(const Communicator& comm, const Model& model, const wse::TileGrid& grid, Format format,
                std::int64_t together) {
  WaferDecoder wafer(comm, model.source, machine(), grid, settings_for(format, ValueType::bf16, together));
  Outcome o;
  std::vector<TokenRow> rows = rows_of(0);
  const std::vector<TokenRow> other = rows_of(1);
  rows.insert(rows.end(), other.begin(), other.end());
  o.logits = wafer.forward(rows, all(rows.size()));
  o.cycles = wafer.finished_cycle();
  for (const auto& phase : wafer.times().phases().summarize())
    o.clocks.insert(o.clocks.end(), {phase.min, phase.mean, phase.max});
  o.joules = wafer.times().dynamic_joules();
  o.bits = wafer.bits_per_weight();
  return o;
}

TEST(WaferDecoder, BitsAndCyclesAreTheSameForEverySplitOverRanks) {
  const Communicator comm;
  const Model model(grouped(), 0.3);
  for (const auto& [grid, format, together] : {std::tuple{wse::TileGrid{8, 8}, Format::bit_mask, 1},
                                               {wse::TileGrid{8, 8}, Format::dense, 3},
                                               {wse::TileGrid{11, 23}, Format::bit_mask, 2}}) {
    const Outcome parts = outcome(comm, model, grid, format, together);
    const bool compares = comm.rank() == 0 || comm.rank() == comm.size() - 1;
    if (!compares) continue;
    const Communicator alone(MPI_COMM_SELF);
    const Outcome whole = outcome(alone, model, grid, format, together);
    EXPECT_EQ(parts.logits, whole.logits);
    EXPECT_EQ(parts.cycles, whole.cycles);
    EXPECT_EQ(parts.clocks, whole.clocks);
    EXPECT_NEAR(parts.joules, whole.joules, 1e-12 * whole.joules);  // summed in another order
    EXPECT_EQ(parts.bits, whole.bits);
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
    const std::vector<std::vector<std::int32_t>> prompts(std::size_t(sequences), {1, 5, 9});
    const Generation g =
        generate(wafer, comm, grouped().vocabulary, prompts, 6, {}, {}, [](auto, auto) { return true; });
    for (const auto& tokens : g.tokens) EXPECT_EQ(tokens, g.tokens.front());
    double multiply = 0;  // cycles of a pass, mean over tiles
    for (const auto& phase : wafer.times().phases().summarize())
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
              testing::HasSubstr("fp32 or bf16"));
  EXPECT_THAT(message(settings_for(Format::csr, ValueType::bf16), {8, 8}),
              testing::HasSubstr("expected dense"));
  EXPECT_THAT(message(settings_for(Format::two_four, ValueType::bf16), {8, 8}), testing::HasSubstr("2:4"));
  WaferSettings long_context = settings_for(Format::bit_mask, ValueType::bf16);
  long_context.context = 100000;
  EXPECT_THAT(message(long_context, {8, 8}),
              testing::AllOf(testing::HasSubstr("cache"), testing::HasSubstr("packed weights"),
                             testing::HasSubstr("of 49152 B")));
}

}  // namespace
}  // namespace wafermark::llama

// The forward pass over ranks gives the logits of the definition in double precision: whatever the storage,
// the number of ranks, prefill or token by token, one sequence or several.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "common/errors.hpp"
#include "environment_setting.hpp"
#include "reference_model.hpp"
#include "sparse_llama/cluster/generation.hpp"
#include "sparse_llama/cluster/packed_scoring.hpp"
#include "sparse_llama/model/model_reader.hpp"
#include "sparse_llama/model/tensors.hpp"

namespace wafermark::llama {
namespace {

Configuration grouped() {  // four query heads on each of four key/value heads; nothing a multiple of 64
  Configuration c{72, 2, 16, 4, 12, 172, 101, 64, 1e-5, 1e4, {}, false};
  return c;
}
Configuration tied() {
  Configuration c{64, 3, 4, 4, 16, 192, 97, 64, 1e-6, 5e5, {}, true};
  c.rope_scaling = {8, 1, 4, 16};
  return c;
}

/// Mistral with windows of 5 tokens, Qwen2, Qwen3 with narrow and tied ends.
std::vector<Configuration> other_architectures() {
  Configuration mistral = grouped(), qwen2 = grouped(), qwen3 = tied();
  mistral.architecture = Architecture::mistral;
  mistral.sliding_window = 5;
  qwen2.architecture = Architecture::qwen2;
  qwen3.architecture = Architecture::qwen3;
  return {mistral, qwen2, qwen3};
}

using reference::Vector;

/// A random model of which a share `density` of the layers' weights is not zero; with `two_four`, two of
/// four.
DenseWeights sparse_model(const Configuration& c, double density, bool two_four) {
  DenseWeights w = random_model(c, 7);
  std::mt19937 engine(8);
  std::bernoulli_distribution kept(density);
  each_tensor(w, [&](const std::string& name, auto& tensor) {
    if constexpr (std::is_same_v<std::decay_t<decltype(tensor)>, DenseMatrix>)
      for (std::size_t i = 0; i < tensor.values.size(); ++i)
        if (name.starts_with("model.layers.") && (two_four ? i % 4 % 3 == 0 : !kept(engine)))
          tensor.values[i] = 0;
  });
  return w;
}

const std::vector<std::int32_t> text{1, 5, 90, 33, 7, 7, 64, 12, 3, 50, 51, 2, 80, 41, 19, 28, 6};

struct Model {
  DenseWeights dense;
  WeightSource source;
  explicit Model(const Configuration& c, double density = 1, bool two_four = false)
      : dense(sparse_model(c, density, two_four)),
        source(checkpoint_source("random", std::make_shared<const DenseWeights>(dense))) {}
};

/// Largest error against the reference, over the reference's own spread.
double error(const std::vector<float>& logits, const std::vector<Vector>& exact) {
  double worst = 0, spread = 0;
  std::size_t at = 0;
  for (const Vector& row : exact)
    for (const double value : row) {
      worst = std::max(worst, std::abs(double(logits[at++]) - value));
      spread = std::max(spread, std::abs(value));
    }
  return worst / spread;
}

std::vector<std::int64_t> all(std::size_t n) {
  std::vector<std::int64_t> rows(n);
  for (std::size_t i = 0; i < n; ++i) rows[i] = std::int64_t(i);
  return rows;
}

struct Case {
  Format format;
  ValueType type;
  double tolerance;
};

std::vector<Case> every_case() {
  std::vector<Case> all;
  for (const Format format : {Format::dense, Format::csr, Format::bit_mask, Format::two_four})
    for (const auto& [type, tolerance] : {std::pair{ValueType::fp32, 1e-5},
                                          {ValueType::bf16, 0.03},
                                          {ValueType::int8, 0.05},
                                          {ValueType::int4, 0.5}})
      if (holds(format, type)) all.push_back({format, type, tolerance});
  return all;
}

/// By the kernels of CPUs and by those of devices.
constexpr KernelForm forms[] = {KernelForm::host, KernelForm::device};

struct Packing {
  Format format;
  ValueType type;
  std::optional<float> threshold = {};
};
RankWeights packed(const Communicator& comm, const Model& model, const Packing& p, KernelForm form) {
  return pack_rank_weights(comm, model.source, p.format, p.type, p.threshold, form);
}

/// The text read at once and token by token.
void expect_logits(const Communicator& comm, const RankWeights& weights, KernelForm form,
                   const std::vector<Vector>& exact, double tolerance, const std::string& what) {
  RegionTimes times;
  Decoder whole(comm, weights, 1, 64, times, form), single(comm, weights, 1, 64, times, form);
  std::vector<TokenRow> rows;
  std::vector<float> one_by_one;
  for (std::size_t p = 0; p < text.size(); ++p) {
    rows.push_back({text[p], 0, std::int64_t(p)});
    const auto logits = single.forward(std::span(rows).last(1), std::vector<std::int64_t>{0});
    one_by_one.insert(one_by_one.end(), logits.begin(), logits.end());
  }
  EXPECT_LT(error(whole.forward(rows, all(rows.size())), exact), tolerance) << what;
  EXPECT_LT(error(one_by_one, exact), tolerance) << what;
}

TEST(Decoder, GivesTheReferencesLogits) {
  const Communicator comm;
  for (const Configuration& c : {grouped(), tied()})
    for (const Case& k : every_case()) {
      const Model model(c, k.format == Format::dense ? 1 : 0.3, k.format == Format::two_four);
      const auto exact = reference_logits(model.dense, text);
      for (const KernelForm form : forms)
        expect_logits(comm, packed(comm, model, {k.format, k.type}, form), form, exact, k.tolerance,
                      std::string(name_of(k.format)) + " " + name_of(k.type));
    }
}

TEST(Decoder, GivesTheReferencesLogitsOfOtherArchitectures) {
  const Communicator comm;
  for (const Configuration& c : other_architectures())
    for (const auto& [format, type, tolerance] :
         {Case{Format::dense, ValueType::fp32, 1e-5}, {Format::bit_mask, ValueType::int8, 0.05}}) {
      const Model model(c, format == Format::dense ? 1 : 0.5);
      const std::string what = row_of(c.architecture).model_type + std::string(", ") + name_of(format);
      const auto exact = reference_logits(model.dense, text);
      for (const KernelForm form : forms)
        expect_logits(comm, packed(comm, model, {format, type}, form), form, exact, tolerance, what);
    }
}

struct CacheCase {
  ValueType type;
  double tolerance;
};
constexpr CacheCase cache_cases[] = {
    {ValueType::fp32, 1e-5}, {ValueType::bf16, 0.01}, {ValueType::int8, 0.02}};

/// Keys and values of 16 bits and of 8, whatever the heads' size, and the bytes that they take.
TEST(Decoder, KeepsKeysAndValuesAsItIsTold) {
  const Communicator comm;
  for (const Configuration& c : {grouped(), tied()})
    for (const KernelForm form : forms) {
      const Model model(c);
      const auto exact = reference_logits(model.dense, text);
      const RankWeights weights = packed(comm, model, {Format::dense, ValueType::fp32}, form);
      std::vector<TokenRow> rows;
      for (std::size_t p = 0; p < text.size(); ++p) rows.push_back({text[p], 0, std::int64_t(p)});
      for (const auto& [type, tolerance] : cache_cases) {
        RegionTimes times;
        Decoder decoder(comm, weights, 1, 64, times, form, type);
        const double off = error(decoder.forward(rows, all(rows.size())), exact);
        EXPECT_LT(off, tolerance) << name_of(type);
        if (type != ValueType::fp32) {
          EXPECT_GT(off, 1e-5) << name_of(type) << " rounds";
        }
        const std::int64_t numbers = 2 * c.layers * weights.shares.kv_heads.count * 64 * c.head_dim,
                           scales = type == ValueType::int8 ? numbers / c.head_dim : 0;
        EXPECT_EQ(decoder.cache_bytes(), numbers * bytes_of(type) + 4 * scales);
      }
    }
}

/// A windowed model keeps what the rows of a pass can see, and goes on and on in that room.
TEST(Decoder, WindowedCachesGoRound) {
  const Communicator comm;
  Configuration c = other_architectures().front();
  c.context = 700;
  c.sliding_window = 20;
  const Model model(c);
  std::vector<std::int32_t> tokens;
  std::vector<TokenRow> rows;
  for (std::int64_t p = 0; p < 620; ++p) {
    tokens.push_back(std::int32_t(p * 37 % 101));
    rows.push_back({tokens.back(), 0, p});
  }
  const auto exact = reference_logits(model.dense, tokens);
  for (const KernelForm form : forms)
    for (const auto& [type, tolerance] : cache_cases) {
      const RankWeights weights = packed(comm, model, {Format::dense, ValueType::fp32}, form);
      RegionTimes times;
      Decoder decoder(comm, weights, 1, 700, times, form, type),
          whole(comm, weights, 1, 288, times, form, type);
      EXPECT_EQ(decoder.cache_bytes(), whole.cache_bytes());
      const auto prompt = std::span(rows).first(570);
      EXPECT_LT(error(decoder.forward(prompt, std::vector<std::int64_t>{250, 280, 300, 569}),
                      {exact[250], exact[280], exact[300], exact[569]}),
                tolerance)
          << name_of(type);
      for (std::size_t p = 570; p < rows.size(); ++p)
        EXPECT_LT(
            error(decoder.forward(std::span(rows).subspan(p, 1), std::vector<std::int64_t>{0}), {exact[p]}),
            tolerance)
            << name_of(type) << " at " << p;
    }
}

TEST(Decoder, WindowsEndAnywhereInBlocksOfKeys) {
  const Communicator comm;
  std::vector<std::int32_t> tokens;
  std::vector<TokenRow> rows;
  for (std::int64_t p = 0; p < 60; ++p) {
    tokens.push_back(std::int32_t(p * 37 % 101));
    rows.push_back({tokens.back(), 0, p});
  }
  for (const std::int64_t window : {1, 15, 16, 17, 59, 60, 1000}) {
    Configuration c = other_architectures().front();
    c.sliding_window = window;
    const Model model(c);
    const auto exact = reference_logits(model.dense, tokens);
    for (const KernelForm form : forms) {
      const RankWeights weights = packed(comm, model, {Format::dense, ValueType::fp32}, form);
      RegionTimes times;
      Decoder decoder(comm, weights, 1, 64, times, form);
      EXPECT_LT(error(decoder.forward(rows, all(rows.size())), exact), 1e-5) << window;
      const std::int64_t cache = 4 * 2 * weights.shares.kv_heads.count * 12 * 2;  // bytes of a position
      EXPECT_NEAR(decoder.bytes_per_token(59) - decoder.bytes_per_token(0),
                  double((std::min<std::int64_t>(window, 60) - 1) * cache), 1);
    }
  }
}

TEST(Decoder, HiddenUnitsBelowTheThresholdAreNotReadAndCounted) {
  const Communicator comm;
  const Model model(grouped(), 0.3);
  std::int64_t dropped = 0;
  const auto exact = reference_logits(model.dense, text, 0.05, &dropped);
  std::vector<TokenRow> rows;
  for (std::size_t p = 0; p < text.size(); ++p) rows.push_back({text[p], 0, std::int64_t(p)});
  for (const auto& [format, form] : {std::pair{Format::dense, KernelForm::host},
                                     {Format::dense, KernelForm::device},
                                     {Format::bit_mask, KernelForm::host},
                                     {Format::bit_mask, KernelForm::device}}) {
    const RankWeights weights = packed(comm, model, {format, ValueType::fp32, 0.05f}, form);
    RegionTimes times;
    Decoder whole(comm, weights, 1, 64, times, form), single(comm, weights, 1, 64, times, form);
    EXPECT_LT(error(whole.forward(rows, all(rows.size())), exact), 1e-5) << name_of(format);
    std::vector<float> one_by_one;
    for (std::size_t p = 0; p < rows.size(); ++p) {
      const auto logits = single.forward(std::span(rows).subspan(p, 1), std::vector<std::int64_t>{0});
      one_by_one.insert(one_by_one.end(), logits.begin(), logits.end());
    }
    EXPECT_LT(error(one_by_one, exact), 1e-5) << name_of(format);
    const auto units = double(text.size()) * 2 * 172;
    const double mine = double(weights.shares.hidden.count) / 172;
    EXPECT_NEAR(comm.sum(single.inactive_share() * mine), double(dropped) / units, 1e-9);
    EXPECT_GT(double(dropped) / units, 0.1);
    std::int64_t down = 0, others = 0;
    weights.each_multiplied([&](const PackedMatrix& m) { others += m.bytes(); });
    for (const RankLayer& layer : weights.layers) down += layer.down.bytes();
    const double cache = 2 * 2 * double(weights.shares.kv_heads.count) * 12 * sizeof(float);
    EXPECT_NEAR(single.bytes_per_token(0), double(others) - single.inactive_share() * double(down) + cache,
                1);
  }
  EXPECT_THROW(pack_rank_weights(comm, model.source, Format::csr, ValueType::fp32, 0.05f), InputError);
}

TEST(Decoder, GivesTheLogitsOfLlama2c) {
  const std::string data = WAFERMARK_SOURCE_DIR "/../shared/data/llama/stories260K";
  if (!std::filesystem::exists(data + ".bin")) GTEST_SKIP() << "no " << data << ".bin";
  const auto expected = nlohmann::json::parse(std::ifstream(data + "_reference_logits.json"));
  const auto tokens = expected.at("tokens").get<std::vector<std::int32_t>>();
  const auto exact = expected.at("logits").get<std::vector<Vector>>();
  const Communicator comm;
  const WeightSource source =
      checkpoint_source("stories260K", std::make_shared<const DenseWeights>(read_model(data + ".bin")));
  const RankWeights weights = pack_rank_weights(comm, source, Format::dense, ValueType::fp32);
  RegionTimes times;
  Decoder decoder(comm, weights, 1, 64, times);
  std::vector<TokenRow> rows;
  for (const std::int32_t token : tokens) rows.push_back({token, 0, std::int64_t(rows.size())});
  EXPECT_LT(error(decoder.forward(rows, all(rows.size())), exact), 1e-5);
}

TEST(Decoder, PerplexityIsThatOfTheReference) {
  const Communicator comm;
  const Model model(grouped(), 0.3);
  const RankWeights weights = pack_rank_weights(comm, model.source, Format::bit_mask, ValueType::fp32);
  RegionTimes times;
  Decoder decoder(comm, weights, 1, 64, times);
  double sum = 0;
  for (std::size_t begin = 0; begin < text.size();
       begin += 7) {  // windows of 7, 7 and 3 tokens, each behind token 1
    std::vector<std::int32_t> window{1};
    for (std::size_t i = begin; i < std::min(begin + 7, text.size()); ++i) {
      const Vector last = reference_logits(model.dense, window).back();
      double all_tokens = 0;
      for (const double logit : last) all_tokens += std::exp(logit);
      sum += std::log(all_tokens) - last[std::size_t(text[i])];
      window.push_back(text[i]);
    }
  }
  const auto scores = packed_score(decoder, 101, windows_of(Protocol::whole, text, 1, 7));
  EXPECT_NEAR(perplexity_of(scores).value, std::exp(sum / double(text.size())), 1e-3);
  EXPECT_EQ(perplexity_of(scores).tokens, 17);
}

TEST(Decoder, SequencesDoNotSeeEachOther) {
  const Communicator comm;
  const Model model(grouped(), 0.3);
  const std::vector<std::int32_t> other{1, 88, 14, 3};
  const auto exact = reference_logits(model.dense, text);
  const auto exact_other = reference_logits(model.dense, other);
  std::vector<TokenRow> rows;
  for (std::size_t p = 0; p < other.size(); ++p) {  // interleaved, in sequences 2 and 0
    rows.push_back({text[p], 2, std::int64_t(p)});
    rows.push_back({other[p], 0, std::int64_t(p)});
  }
  for (const KernelForm form : forms) {
    const RankWeights weights = packed(comm, model, {Format::bit_mask, ValueType::fp32}, form);
    RegionTimes times;
    Decoder decoder(comm, weights, 3, 64, times, form);
    const auto logits = decoder.forward(rows, std::vector<std::int64_t>{6, 7});
    const std::vector<float> first(logits.begin(), logits.begin() + 101),
        second(logits.begin() + 101, logits.end());
    EXPECT_LT(error(first, {exact[3]}), 1e-5);
    EXPECT_LT(error(second, {exact_other[3]}), 1e-5);
  }
}

TEST(Decoder, LongPromptsRunInChunks) {
  const Communicator comm;
  Configuration c = grouped();
  c.context = 600;
  const Model model(c);
  std::vector<std::int32_t> tokens;
  std::vector<TokenRow> rows;
  for (std::int64_t p = 0; p < 530; ++p) {
    tokens.push_back(std::int32_t(p * 37 % 101));
    rows.push_back({tokens.back(), 0, p});
  }
  const auto exact = reference_logits(model.dense, tokens);
  const std::vector<std::int64_t> wanted{3, 255, 256, 529};
  for (const KernelForm form : forms) {
    const RankWeights weights = packed(comm, model, {Format::dense, ValueType::fp32}, form);
    RegionTimes times;
    Decoder decoder(comm, weights, 1, 600, times, form);
    EXPECT_LT(error(decoder.forward(rows, wanted), {exact[3], exact[255], exact[256], exact[529]}), 1e-5);
  }
}

/// The tokens that follow `text`, greedily, by the reference alone.
std::vector<std::int32_t> greedy(const DenseWeights& w, std::vector<std::int32_t> tokens, int more) {
  std::vector<std::int32_t> out;
  for (int t = 0; t < more; ++t) {
    const Vector last = reference_logits(w, tokens).back();
    out.push_back(std::int32_t(std::max_element(last.begin(), last.end()) - last.begin()));
    tokens.push_back(out.back());
  }
  return out;
}

TEST(Generation, TokensBehindAnyCacheAreThoseOfOneRank) {
  const Communicator comm, alone(MPI_COMM_SELF);
  const Model model(grouped(), 0.5);
  const std::vector<Prompt> prompts{{text, 20}, {{1, 30}, 20}};
  for (const KernelForm form : forms)
    for (const CacheCase& cache : cache_cases) {
      const auto tokens = [&](const Communicator& on) {
        const RankWeights weights = packed(on, model, {Format::bit_mask, ValueType::bf16}, form);
        RegionTimes times;
        Decoder decoder(on, weights, 2, 64, times, form, cache.type);
        return generate(decoder, on, 101, prompts, {.slots = 2}).tokens;
      };
      EXPECT_EQ(tokens(comm), tokens(alone)) << name_of(cache.type);
    }
}

TEST(Generation, GreedyTokensAreTheReferencesForAnyRanks) {
  const Communicator comm;
  const Model model(tied(), 0.5);
  const std::vector<std::int32_t> other{1, 30};
  const std::vector<Prompt> prompts{{text, 12}, {other, 12}};
  const auto expected = greedy(model.dense, text, 12), expected_other = greedy(model.dense, other, 12);
  for (const KernelForm form : forms) {
    const RankWeights weights = packed(comm, model, {Format::bit_mask, ValueType::fp32}, form);
    RegionTimes times;
    Decoder decoder(comm, weights, 2, 64, times, form);
    std::int64_t seen = 0;
    GenerationWatch watch;
    watch.token = [&](std::int64_t, std::int32_t) { ++seen; };
    const Generation g = generate(decoder, comm, 97, prompts, {.slots = 2}, watch);
    EXPECT_EQ(g.tokens[0], expected);
    EXPECT_EQ(g.tokens[1], expected_other);
    EXPECT_EQ(seen, 24);
    EXPECT_EQ(g.prefill_tokens, 19);
    EXPECT_EQ(g.decode_tokens, 22);
  }
}

TEST(Generation, TokensDrawnOnADeviceAreThoseOfTheHostAndOfOneRank) {
  const Communicator comm, alone(MPI_COMM_SELF);
  const Model model(tied(), 0.5);
  const std::vector<Prompt> prompts{{text, 12}, {{1, 30}, 9}, {{4}, 12, 0, 7}};
  for (const SamplingSettings& sampling :
       {SamplingSettings{}, {.temperature = 0.9, .seed = 3}, {.temperature = 1.3, .top_p = 0.8, .seed = 4}}) {
    std::vector<std::vector<std::int32_t>> tokens[4];
    for (const int way : {0, 1, 2, 3}) {
      const KernelForm form = way == 0 ? KernelForm::host : KernelForm::device;
      const Communicator& on = way == 3 ? alone : comm;
      const RankWeights weights = packed(on, model, {Format::bit_mask, ValueType::fp32}, form);
      RegionTimes times;
      Decoder decoder(on, weights, 2, 64, times, form);
      GenerationWatch watch;
      std::int64_t rows = 0;
      if (way == 2)
        watch.logits = [&](auto of, auto) { rows += std::int64_t(of.size()); };  // brings them here
      tokens[way] = generate(decoder, on, 97, prompts, {.slots = 2, .sampling = sampling}, watch).tokens;
      EXPECT_EQ(rows, way == 2 ? 33 : 0);
    }
    EXPECT_EQ(tokens[1], tokens[0]);
    EXPECT_EQ(tokens[2], tokens[0]);
    EXPECT_EQ(tokens[3], tokens[0]);
  }
}

/// Tokens are drawn by graphs, and forward() starts its kernels one by one: the same tokens behind sequences
/// that come to have several parts, alone and together, and at the end the same logits to the bit.
TEST(Decoder, GraphsAreTheirKernelsOneByOne) {
  const Communicator comm;
  if (comm.size() > 1) GTEST_SKIP() << "no graphs";
  Configuration c = tied();
  c.context = 300;
  const Model model(c, 0.5);
  for (const ValueType cache : {ValueType::fp32, ValueType::int8}) {
    const RankWeights weights = packed(comm, model, {Format::bit_mask, ValueType::bf16}, KernelForm::device);
    RegionTimes times;
    Decoder graphs(comm, weights, 2, 300, times, KernelForm::device, cache),
        kernels(comm, weights, 2, 300, times, KernelForm::device, cache);
    std::vector<TokenRow> next{{5, 0, 0}, {9, 1, 0}};
    for (std::int64_t step = 0; step < 290; ++step) {
      const bool together = step % 3 == 1;  // behind a graph for one, whose memory is then too small
      const TokenChoice choice{step % 5 == 0 ? 0.9 : 0.0, 0.8, 0.37};
      const auto rows = std::span(next).first(together ? 2 : 1);
      const std::vector<TokenChoice> choices(rows.size(), choice);
      const auto drawn = graphs.next_tokens(rows, all(rows.size()), choices);
      const auto logits = kernels.forward(rows, all(rows.size()));
      ASSERT_TRUE(drawn.has_value());
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto own = std::span(logits).subspan(i * std::size_t(c.vocabulary), std::size_t(c.vocabulary));
        ASSERT_EQ((*drawn)[i], token_of_choice(choice, own)) << "step " << step << ", sequence " << i;
      }
      for (std::size_t i = 0; i < rows.size(); ++i) {
        next[i].token = (*drawn)[i];
        ++next[i].position;
      }
    }
    EXPECT_EQ(graphs.forward(next, all(2)), kernels.forward(next, all(2)));
  }
}

constexpr const char* batch_variable = "WAFERMARK_BATCH_PRODUCTS";

/// The text in every sequence of a batch, a token of each at a time: logits of the last pass, by graphs the
/// tokens drawn with every pass.
struct BatchRun {
  std::vector<float> logits;
  std::vector<std::vector<std::int32_t>> drawn;
  std::string instructions;

  BatchRun(const Communicator& comm, const RankWeights& weights, std::int64_t sequences, bool draws) {
    RegionTimes times;
    Decoder decoder(comm, weights, sequences, 64, times, KernelForm::device);
    const auto vocabulary = std::size_t(weights.configuration.vocabulary);
    for (std::size_t p = 0; p < text.size(); ++p) {
      std::vector<TokenRow> rows;
      for (std::int64_t s = 0; s < sequences; ++s)
        rows.push_back({text[(p + std::size_t(s)) % text.size()], std::int32_t(s), std::int64_t(p)});
      if (draws) {
        drawn.push_back(*decoder.next_tokens(rows, all(rows.size()),
                                             std::vector<TokenChoice>(rows.size(), TokenChoice())));
        continue;
      }
      logits = decoder.forward(rows, all(rows.size()));
      drawn.emplace_back();
      for (std::size_t i = 0; i < rows.size(); ++i)
        drawn.back().push_back(token_of_choice({}, std::span(logits).subspan(i * vocabulary, vocabulary)));
    }
    instructions = decoder.instructions();
  }
};

/// Batches by the device's library (on CPUs BLAS in its place) and by warps: both near the reference, and the
/// tokens of a graph those of its kernels one by one.
TEST(Decoder, BatchesGoThroughTheLibrary) {
  if (!MatrixLibrary::there()) GTEST_SKIP() << "no library";
  const Communicator comm;
  const Model model(tied(), 0.5);
  for (const auto& [format, type, tolerance] : {Case{Format::dense, ValueType::bf16, 0.03},
                                                {Format::bit_mask, ValueType::bf16, 0.03},
                                                {Format::csr, ValueType::int8, 0.05}}) {
    const RankWeights weights = packed(comm, model, {format, type}, KernelForm::device);
    const BatchRun library(comm, weights, library_from, false), graphs(comm, weights, library_from, true);
    std::optional<EnvironmentSetting> by_hand(std::in_place, batch_variable, "warps");
    const BatchRun warps(comm, weights, library_from, false);
    by_hand.reset();
    std::vector<Vector> exact;
    for (std::int64_t s = 0; s < library_from; ++s) {
      std::vector<std::int32_t> own;
      for (std::size_t p = 0; p < text.size(); ++p) own.push_back(text[(p + std::size_t(s)) % text.size()]);
      exact.push_back(reference_logits(model.dense, own).back());
    }
    EXPECT_LT(error(library.logits, exact), tolerance) << name_of(format);
    EXPECT_LT(error(warps.logits, exact), tolerance) << name_of(format);
    EXPECT_NE(library.logits, warps.logits) << name_of(format);
    EXPECT_EQ(graphs.drawn, library.drawn) << name_of(format);
    EXPECT_THAT(library.instructions, testing::HasSubstr("from 16 vectors"));
    EXPECT_THAT(warps.instructions, testing::Not(testing::HasSubstr("vectors")));
    const BatchRun few(comm, weights, library_from - 1, false);
    EXPECT_EQ(few.instructions, warps.instructions);
  }
  const EnvironmentSetting wrong(batch_variable, "blas");
  RegionTimes times;
  EXPECT_THROW(
      Decoder(comm, packed(comm, model, {Format::dense, ValueType::bf16}, KernelForm::host), 1, 8, times),
      InputError);
}

/// Units that the threshold drops are dropped and counted behind the library too.
TEST(Decoder, BatchesOfTheLibraryCountInactiveUnits) {
  if (!MatrixLibrary::there()) GTEST_SKIP() << "no library";
  const Communicator comm;
  const Model model(grouped(), 0.3);
  const RankWeights weights =
      packed(comm, model, {Format::bit_mask, ValueType::bf16, 0.05f}, KernelForm::device);
  std::vector<TokenRow> rows;
  for (std::size_t p = 0; p < text.size(); ++p) rows.push_back({text[p], 0, std::int64_t(p)});
  std::int64_t dropped = 0;
  const auto exact = reference_logits(model.dense, text, 0.05, &dropped);
  RegionTimes times;
  Decoder library(comm, weights, 1, 64, times, KernelForm::device);
  EXPECT_LT(error(library.forward(rows, all(rows.size())), exact), 0.05);
  const EnvironmentSetting by_hand(batch_variable, "warps");
  Decoder warps(comm, weights, 1, 64, times, KernelForm::device);
  warps.forward(rows, all(rows.size()));
  EXPECT_NEAR(library.inactive_share(), warps.inactive_share(), 0.02);
  EXPECT_GT(library.inactive_share(), 0.1);
}

TEST(Generation, EndsAtTheEndTokenAndWhenAsked) {
  const Communicator comm;
  const Model model(tied(), 0.5);
  const RankWeights weights = pack_rank_weights(comm, model.source, Format::bit_mask, ValueType::fp32);
  RegionTimes times;
  const auto expected = greedy(model.dense, text, 8);
  Decoder decoder(comm, weights, 1, 64, times), again(comm, weights, 1, 64, times);
  const auto first = std::size_t(std::find(expected.begin(), expected.end(), expected[3]) - expected.begin());
  const std::vector<Prompt> prompt{{text, 8}};
  const Generation g = generate(decoder, comm, 97, prompt, {.end_tokens = {expected[3]}});
  EXPECT_EQ(g.tokens[0],
            std::vector<std::int32_t>(expected.begin(), expected.begin() + std::ptrdiff_t(first)));
  GenerationWatch no_more;
  no_more.go_on = [] { return false; };
  const Generation stopped = generate(again, comm, 97, prompt, {}, no_more);
  EXPECT_EQ(stopped.tokens[0].size(), 1u);
  EXPECT_TRUE(g.complete && !g.waited && !stopped.complete);
}

TEST(Generation, PromptsWaitForSlotsAndSayWhatTheySayAlone) {
  const Communicator comm;
  const Model model(tied(), 0.5);
  const RankWeights weights = pack_rank_weights(comm, model.source, Format::bit_mask, ValueType::fp32);
  std::vector<Prompt> prompts;
  for (std::int32_t i = 0; i < 7; ++i)  // lengths 1 to 16, 1 to 13 tokens to make
    prompts.push_back({{text.begin(), text.begin() + 1 + i * 5 % 16}, 1 + i * 4 % 13, 0, 5});
  prompts[2].arrival = 0.01;  // seconds
  const SamplingSettings drawn{.temperature = 0.7, .seed = 3};
  for (const SamplingSettings& sampling : {SamplingSettings(), drawn}) {
    std::vector<std::vector<std::int32_t>> alone;
    for (Prompt p : prompts) {
      p.arrival = 0;
      RegionTimes times;
      Decoder decoder(comm, weights, 1, 64, times);
      alone.push_back(generate(decoder, comm, 97, std::vector<Prompt>{p}, {.sampling = sampling}).tokens[0]);
    }
    const std::int32_t end = alone[3].back();
    for (auto& tokens : alone)
      if (const auto at = std::find(tokens.begin(), tokens.end(), end); at != tokens.end())
        tokens.erase(at, tokens.end());
    for (const std::int64_t slots : {1, 2, 3, 7, 20}) {
      RegionTimes times;
      Decoder decoder(comm, weights, slots, 64, times);
      std::int64_t rows_with_logits = 0;
      GenerationWatch watch;
      watch.logits = [&](auto rows, auto logits) {
        rows_with_logits += std::int64_t(rows.size());
        EXPECT_EQ(logits.size(), rows.size() * 97);
      };
      const GenerationSettings settings{slots, sampling, {end}};
      const Generation g = generate(decoder, comm, 97, prompts, settings, watch);
      EXPECT_EQ(g.tokens, alone) << slots << " slots";
      EXPECT_TRUE(g.complete && g.waited);
      std::int64_t prompt_tokens = 0;
      for (const Prompt& p : prompts) prompt_tokens += std::int64_t(p.tokens.size());
      EXPECT_EQ(g.prefill_tokens, prompt_tokens);
      EXPECT_EQ(rows_with_logits, g.decode_tokens + 7);
      if (!comm.is_root()) continue;  // clocks differ
      EXPECT_GE(g.times[2].entered, 0.01);
      EXPECT_LE(g.busy_seconds, g.seconds * double(slots));
      for (const Generation::Times& t : g.times)
        EXPECT_TRUE(t.entered <= t.first_token && t.first_token <= t.ended && t.ended <= g.seconds);
    }
  }
}

TEST(Decoder, RanksShareKeyValueHeads) {
  const Communicator comm;
  Configuration c = grouped();  // 16 query heads
  c.kv_heads = 1;
  const Model model(c);
  if (comm.size() == 3) {
    EXPECT_THAT([&] { pack_rank_weights(comm, model.source, Format::dense, ValueType::fp32); },
                testing::ThrowsMessage<InputError>(
                    testing::HasSubstr("found 3 ranks, expected at most the model's 1 key/value heads")));
    return;
  }
  ASSERT_EQ(16 % comm.size(), 0);
  std::vector<TokenRow> rows;
  for (std::size_t p = 0; p < text.size(); ++p) rows.push_back({text[p], 0, std::int64_t(p)});
  const auto exact = reference_logits(model.dense, text);
  for (const KernelForm form : forms) {
    RegionTimes times;
    const RankWeights weights = packed(comm, model, {Format::dense, ValueType::fp32}, form);
    EXPECT_EQ(weights.shares.kv_heads.count, 1);
    EXPECT_EQ(weights.shares.heads.count * comm.size(), 16);
    Decoder decoder(comm, weights, 1, 64, times, form);
    EXPECT_LT(error(decoder.forward(rows, all(rows.size())), exact), 1e-5);
  }
}

TEST(Sampler, DrawsByTemperatureAndNucleus) {
  const std::vector<float> logits{0.0f, 2.0f, 1.0f, -1.0f};
  const auto next = [&](Sampler& sampler) { return token_of_choice(sampler.next(), logits); };
  Sampler greedy({0, 1, 1}, 0);
  EXPECT_EQ(next(greedy), 1);
  Sampler narrow({1, 0.5, 1}, 0), wide({1, 1, 1}, 0), same({1, 1, 1}, 0);
  std::vector<int> counts(4, 0);
  for (int i = 0; i < 4000; ++i) {
    EXPECT_EQ(next(narrow), 1);  // its probability, 0.64, is more than the nucleus
    const auto token = next(wide);
    EXPECT_EQ(token, next(same));
    ++counts[std::size_t(token)];
  }
  const double sum = std::exp(2.0) + std::exp(1.0) + 1 + std::exp(-1.0);
  EXPECT_NEAR(counts[1] / 4000.0, std::exp(2.0) / sum, 0.03);
  EXPECT_NEAR(counts[0] / 4000.0, 1 / sum, 0.02);
}

}  // namespace
}  // namespace wafermark::llama

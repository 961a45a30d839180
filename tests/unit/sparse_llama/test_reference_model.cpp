// The forward pass of training, pruning and perplexity against the plain double-precision reference.
#include <gtest/gtest.h>

#include <memory>

#include "reference_model.hpp"
#include "sparse_llama/compress/hidden_states.hpp"
#include "sparse_llama/compress/parameters.hpp"
#include "sparse_llama/compress/transformer.hpp"

namespace wafermark::llama {
namespace {

struct Case {
  const char* name;
  std::int64_t heads, kv_heads, head_dim;
  bool tied;
  RopeScaling scaling;
};

Configuration configuration_of(const Case& test) {
  Configuration c;
  c.dim = 24, c.layers = 3, c.hidden = 40, c.vocabulary = 50, c.context = 128;
  c.heads = test.heads, c.kv_heads = test.kv_heads, c.head_dim = test.head_dim;
  c.tied_embeddings = test.tied, c.rope_scaling = test.scaling;
  c.rope_theta = 500, c.norm_epsilon = 1e-5;
  return c;
}

std::vector<std::int32_t> some_tokens(const Configuration& c, std::size_t count) {
  std::mt19937 random(4);
  std::vector<std::int32_t> tokens(count);
  for (auto& t : tokens) t = std::int32_t(random() % std::uint64_t(c.vocabulary));
  return tokens;
}

class Shape : public ::testing::TestWithParam<Case> {};

TEST_P(Shape, TransformerGivesTheReferenceLogits) {
  const Configuration c = configuration_of(GetParam());
  const DenseWeights model = random_model(c, 17);
  const auto tokens = some_tokens(c, 71);  // beyond one block of attention rows
  const auto expected = reference_logits(model, tokens);
  const std::vector<float> flat = flatten(model);
  const std::vector<double> parameters(flat.begin(), flat.end());
  Transformer<double> transformer(c, 1, std::int64_t(tokens.size()));
  transformer.forward(parameters.data(), tokens);
  double largest = 0;
  for (std::size_t t = 0; t < tokens.size(); ++t)
    for (std::size_t v = 0; v < expected[t].size(); ++v) {
      const double got = transformer.logits()[t * expected[t].size() + v];
      ASSERT_NEAR(got, expected[t][v], 1e-10) << "token " << t << ", logit " << v;
      largest = std::max(largest, std::abs(got));
    }
  EXPECT_GT(largest, 1);
}

INSTANTIATE_TEST_SUITE_P(Models, Shape,
                         ::testing::Values(Case{"plain", 4, 4, 6, false, {}},
                                           Case{"grouped_queries", 4, 2, 6, false, {}},
                                           Case{"one_key_head", 6, 1, 4, true, {}},
                                           Case{"wide_heads", 4, 2, 10, false, {}},
                                           Case{"narrow_heads_tied", 2, 2, 4, true, {}},
                                           Case{"rope_llama3", 2, 1, 16, false, {8, 1, 4, 64}},
                                           Case{"rope_linear", 4, 2, 8, false, {4, 1, 4, 64, true}},
                                           Case{"rope_llama3_tied", 4, 2, 12, true, {4, 1, 3, 40}}),
                         [](const auto& test) { return std::string(test.param.name); });

/// Block by block, as perplexity and pruning go through a model.
TEST(HiddenStates, GiveTheReferencesLossOfOtherArchitectures) {
  for (const Architecture architecture : {Architecture::mistral, Architecture::qwen2, Architecture::qwen3}) {
    Configuration c = configuration_of({"", 4, 2, 16, architecture == Architecture::qwen3, {}});
    c.architecture = architecture;
    if (architecture == Architecture::mistral) c.sliding_window = 9;
    const auto model = std::make_shared<const DenseWeights>(random_model(c, 21));
    const WeightSource source = checkpoint_source("random", model);
    const auto tokens = some_tokens(c, 140);  // two sequences of 70
    HiddenStates states(source, tokens, 70);
    for (std::int64_t l = 0; l < c.layers; ++l) states.advance(weights_of(dense_layer(source, l)));
    const DenseMatrix head = dense_matrix(source, c.tied_embeddings ? Matrix::embedding : Matrix::head, 0);
    double expected = 0;
    for (std::size_t s = 0; s < 2; ++s) {
      const auto logits = reference_logits(*model, std::span(tokens).subspan(s * 70, 70));
      for (std::size_t t = 0; t < 70; ++t) {
        double sum = 0;
        for (const double logit : logits[t]) sum += std::exp(logit);
        expected += std::log(sum) - logits[t][std::size_t(tokens[s * 70 + t])];
      }
    }
    double found = 0;
    for (const TokenLoss<float>& t : states.losses(model->final_norm, head, tokens)) found += double(t.loss);
    EXPECT_NEAR(found, expected, 1e-5 * expected) << row_of(architecture).model_type;
  }
}

/// A reference that some part of the configuration does not reach would prove nothing about it.
TEST(Reference, FeelsEveryPartOfTheConfiguration) {
  const Configuration plain = configuration_of({"", 4, 2, 16, false, {}});
  const DenseWeights model = random_model(plain, 3);
  const auto tokens = some_tokens(plain, 30);
  const auto base = reference_logits(model, tokens);
  const auto change = [&](auto edit) {
    DenseWeights other = model;
    edit(other.configuration);
    const auto logits = reference_logits(other, tokens);
    double largest = 0;
    for (std::size_t v = 0; v < logits.back().size(); ++v)
      largest = std::max(largest, std::abs(logits.back()[v] - base.back()[v]));
    return largest;
  };
  EXPECT_EQ(change([](Configuration&) {}), 0);
  EXPECT_GT(change([](Configuration& c) { c.norm_epsilon = 1e-2; }), 1e-3);
  EXPECT_GT(change([](Configuration& c) { c.rope_theta = 1000; }), 1e-3);
  EXPECT_GT(change([](Configuration& c) { c.tied_embeddings = true; }), 1e-3);
  EXPECT_GT(change([](Configuration& c) { c.rope_scaling = {8, 1, 4, 64}; }), 1e-3);
  EXPECT_GT(change([](Configuration& c) { c.rope_scaling = {8, 1, 4, 64, true}; }), 1e-3);
  EXPECT_GT(change([](Configuration& c) { c.sliding_window = 20; }), 1e-3);
}

}  // namespace
}  // namespace wafermark::llama

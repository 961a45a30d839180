// The backward pass against central differences of the loss, in double, for every matrix and every loss.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "sparse_llama/compress/loss.hpp"

namespace wafermark::llama {
namespace {

struct Case {
  const char* name;
  bool tied;
  std::int64_t heads, kv_heads;
  double rope_factor;
  LossWeights weights;
};

Configuration small_model(const Case& c) {
  Configuration m;
  m.dim = 12, m.layers = 2, m.heads = c.heads, m.kv_heads = c.kv_heads, m.head_dim = 6, m.hidden = 10;
  m.vocabulary = 17, m.context = 80, m.tied_embeddings = c.tied;
  m.rope_theta = 100;
  m.rope_scaling = {c.rope_factor, 1, 4, 32};
  return m;
}

std::vector<double> random_parameters(const Configuration& m, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> p;
  for (const auto& block : ParameterLayout(m).blocks)
    for (std::int64_t i = 0; i < block.size(); ++i)
      p.push_back(block.is_matrix() ? 0.5 * normal(random) : 1 + 0.2 * normal(random));
  return p;
}

class Gradients : public ::testing::TestWithParam<Case> {};

TEST_P(Gradients, AgreeWithCentralDifferencesInEveryMatrix) {
  const Case& test = GetParam();
  const Configuration m = small_model(test);
  const std::int64_t sequences = 2, length = 67;  // beyond one block of attention rows
  std::mt19937 random(5);
  std::vector<std::int32_t> tokens, targets;
  for (std::int64_t i = 0; i < sequences * length; ++i) {
    tokens.push_back(std::int32_t(random() % std::uint64_t(m.vocabulary)));
    targets.push_back(std::int32_t(random() % std::uint64_t(m.vocabulary)));
  }
  Transformer<double> student(m, sequences, length), teacher(m, sequences, length);
  auto parameters = random_parameters(m, 1);
  const auto teacher_parameters = random_parameters(m, 2);
  std::vector<double> gradient(parameters.size()), ignored(parameters.size());
  const auto loss = [&](std::vector<double>& g) {
    teacher.forward(teacher_parameters.data(), tokens);
    WholeGradient<double> whole(g.data());
    return loss_and_gradient(student, parameters.data(), tokens, targets, test.weights, &teacher, whole)
        .total;
  };
  loss(gradient);
  for (const auto& block : ParameterLayout(m).blocks) {
    double largest = 0;
    for (std::int64_t i = block.offset; i < block.end(); ++i)
      largest = std::max(largest, std::abs(gradient[std::size_t(i)]));
    EXPECT_GT(largest, 0) << block.name;
    for (int k = 0; k < 8; ++k) {
      const auto i = std::size_t(block.offset + std::int64_t(random() % std::uint64_t(block.size())));
      const double kept = parameters[i], h = 1e-5;
      parameters[i] = kept + h;
      const double above = loss(ignored);
      parameters[i] = kept - h;
      const double below = loss(ignored);
      parameters[i] = kept;
      EXPECT_NEAR(gradient[i], (above - below) / (2 * h), 2e-6 * largest + 1e-9)
          << block.name << " element " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Losses, Gradients,
                         ::testing::Values(Case{"token", false, 2, 2, 1, {1, 0, 0}},
                                           Case{"grouped_tied", true, 4, 2, 1, {1, 0, 0}},
                                           Case{"rope_scaling", false, 4, 1, 8, {1, 0, 0}},
                                           Case{"logit", false, 2, 1, 1, {0, 1, 0}},
                                           Case{"feature", true, 2, 1, 1, {0.1, 0, 1}},
                                           Case{"all", true, 4, 2, 1, {0.7, 0.4, 2}}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace wafermark::llama

// Tokens that are drawn where the logits lie are those that the host draws from them: greedy ones, by
// temperature and nucleus, and where many logits are the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "sparse_llama/cluster/sampler.hpp"
#include "sparse_llama/cluster/token_choice.hpp"
#include "sparse_llama/kernels/sampling.hpp"

namespace wafermark::llama {
namespace {

/// Of rows of logits, all at once.
std::vector<std::int64_t> drawn(const std::vector<std::vector<float>>& logits,
                                const std::vector<TokenChoice>& choices) {
  const Rows rows("logits", logits.size(), logits.front().size());
  const auto host = Kokkos::create_mirror_view(rows);
  for (std::size_t v = 0; v < logits.size(); ++v)
    for (std::size_t i = 0; i < logits[v].size(); ++i) host(v, i) = logits[v][i];
  Kokkos::deep_copy(rows, host);
  TokenChooser chooser(std::int64_t(choices.size()));
  chooser.note(choices);
  KernelChain kernels;
  chooser.draw(kernels, 0, std::int64_t(choices.size()), rows, 0, false);
  Kokkos::fence();
  std::vector<std::int64_t> tokens;
  for (std::size_t v = 0; v < choices.size(); ++v) tokens.push_back(token_of_rank(chooser.ranked()[v]));
  return tokens;
}

/// n logits of so many different values.
std::vector<float> random_logits(std::size_t n, int values, std::uint32_t seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0, 2);
  std::vector<float> some(std::size_t(values), 0.0f), logits(n);
  for (float& x : some) x = normal(engine);
  for (float& x : logits) x = some[engine() % std::size_t(values)];
  return logits;
}

TEST(TokenChoice, IsTheHosts) {
  for (const std::size_t n : {1, 2, 31, 97, 1000})
    for (const int values : {1, 2, 5, 1000}) {
      std::vector<std::vector<float>> logits;
      std::vector<TokenChoice> choices;
      for (const double temperature : {0.0, 0.3, 1.0, 50.0})
        for (const double top_p : {1e-9, 0.10037, 0.50049, 0.90013, 1.0})
          for (const double draw : {0.0, 0.12341, 0.50051, 0.7772, 0.99871}) {
            logits.push_back(random_logits(n, values, std::uint32_t(n + logits.size())));
            choices.push_back({temperature, top_p, draw});
          }
      const std::vector<std::int64_t> found = drawn(logits, choices);
      for (std::size_t k = 0; k < choices.size(); ++k)
        EXPECT_EQ(found[k], token_of_choice(choices[k], logits[k]))
            << n << " logits, " << values << " values, temperature " << choices[k].temperature << ", nucleus "
            << choices[k].top_p << ", draw " << choices[k].draw;
    }
}

TEST(TokenChoice, TheLastDrawAndTheEdgeOfANucleusFindATokenOfIt) {
  for (const int values : {1, 5, 1000})
    for (const double top_p : {0.1, 0.5, 1.0}) {
      const auto logits = random_logits(1000, values, 3);
      const std::int64_t token = drawn({logits}, {{0.3, top_p, 1 - 0x1p-53}}).front();
      ASSERT_TRUE(token >= 0 && token < 1000);
      double all = 0, of_above = 0;
      const float own = logits[std::size_t(token)];
      for (const float x : logits) {
        all += std::exp(double(x) / 0.3);
        if (x <= own) continue;
        of_above += std::exp(double(x) / 0.3);
      }
      EXPECT_LE(of_above, top_p * all * (1 + 1e-9)) << values << " values, nucleus " << top_p;
    }
}

TEST(TokenChoice, EveryTokenComesAsOftenAsItsProbability) {
  const std::vector<float> logits{0.0f, 2.0f, 1.0f, 2.0f, -1.0f};
  constexpr int draws = 400;
  std::vector<TokenChoice> choices;
  for (int d = 0; d < draws; ++d) choices.push_back({1.0, 1.0, (d + 0.5) / draws});
  std::vector<int> counts(logits.size(), 0);
  for (const std::int64_t token : drawn(std::vector(draws, logits), choices)) ++counts[std::size_t(token)];
  double sum = 0;
  for (const float x : logits) sum += std::exp(double(x));
  for (std::size_t i = 0; i < logits.size(); ++i)
    EXPECT_NEAR(counts[i], draws * std::exp(double(logits[i])) / sum, 1.01) << i;
}

TEST(TokenChoice, KeysOrderNumbers) {
  const std::vector<float> rising{
      -std::numeric_limits<float>::infinity(), -1e30f, -1.0f, -1e-40f, 0.0f, 1e-40f, 1.0f,
      std::numeric_limits<float>::infinity()};
  for (std::size_t i = 0; i + 1 < rising.size(); ++i)
    EXPECT_LT(ordered_key(rising[i]), ordered_key(rising[i + 1])) << rising[i];
  EXPECT_EQ(ordered_key(-0.0f), ordered_key(0.0f));
  EXPECT_LT(ordered_key(std::nanf("")), ordered_key(rising.front()));
  for (const float x : rising)
    for (const std::int64_t token : {0, 1, 128255}) {
      EXPECT_EQ(token_of_rank(ranked_token(x, token)), token);
      EXPECT_GT(ranked_token(x, token), ranked_token(x, token + 1)) << "the first of equal logits";
      if (x < rising.back()) {
        EXPECT_LT(ranked_token(x, token), ranked_token(rising.back(), 200000));
      }
    }
}

TEST(TokenChoice, LastThatHolds) {
  for (int last = 0; last <= 9; ++last)
    EXPECT_EQ(last_that_holds(0, 9, [&](int k) { return k <= last; }), last);
  EXPECT_EQ(last_that_holds(3, 9, [](int) { return false; }), 3);
  EXPECT_EQ(last_that_holds<std::uint32_t>(0, ~0u, [](std::uint32_t) { return true; }), ~0u);
}

}  // namespace
}  // namespace wafermark::llama

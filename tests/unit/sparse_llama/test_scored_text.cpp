// How texts are cut for perplexities, and what scores say.
#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

#include "common/errors.hpp"
#include "sparse_llama/model/scored_text.hpp"
#include "sparse_llama/model/task_file.hpp"

namespace wafermark::llama {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::int32_t> tokens(std::int32_t count) {
  std::vector<std::int32_t> t(static_cast<std::size_t>(count));
  std::iota(t.begin(), t.end(), 10);
  return t;
}

std::string refusal(Protocol protocol, std::int32_t count, std::int32_t bos, std::int64_t window) {
  try {
    windows_of(protocol, tokens(count), bos, window);
  } catch (const InputError& e) {
    return e.what();
  }
  return "none";
}

TEST(Protocol, WholeCountsEachTokenOnce) {
  const auto w = windows_of(Protocol::whole, tokens(5), 1, 3);
  ASSERT_EQ(w.size(), 2u);
  EXPECT_THAT(w[0].shown, ElementsAre(1, 10, 11));
  EXPECT_THAT(w[0].targets, ElementsAre(10, 11, 12));
  EXPECT_THAT(w[1].shown, ElementsAre(1, 13));
  EXPECT_THAT(w[1].targets, ElementsAre(13, 14));
  EXPECT_EQ(w[0].first_scored, 0);
}

TEST(Protocol, SparsegptLeavesTheFirstTokenOfEachWindowAndTheRestOut) {
  const auto w = windows_of(Protocol::sparsegpt, tokens(8), 1, 4);  // bos stands once before the text
  ASSERT_EQ(w.size(), 2u);
  EXPECT_THAT(w[0].shown, ElementsAre(1, 10, 11));
  EXPECT_THAT(w[0].targets, ElementsAre(10, 11, 12));
  EXPECT_THAT(w[1].shown, ElementsAre(13, 14, 15));
  EXPECT_THAT(w[1].targets, ElementsAre(14, 15, 16));
  EXPECT_THAT(windows_of(Protocol::sparsegpt, tokens(4), -1, 4)[0].targets, ElementsAre(11, 12, 13));
  EXPECT_THAT(refusal(Protocol::sparsegpt, 3, -1, 4), HasSubstr("found 3 tokens and windows of 4"));
  EXPECT_EQ(refusal(Protocol::sparsegpt, 3, 1, 4), "none");
}

TEST(Protocol, LlamaCppCountsSecondHalvesBehindBos) {
  const auto w = windows_of(Protocol::llama_cpp, tokens(12), 1, 5);
  ASSERT_EQ(w.size(), 2u);
  EXPECT_THAT(w[1].shown, ElementsAre(1, 15, 16, 17));  // bos in the place of 14
  EXPECT_THAT(w[1].targets, ElementsAre(15, 16, 17, 18));
  EXPECT_EQ(w[1].first_scored, 2);  // n_ctx / 2, so two of them count: n_ctx - n_ctx / 2 - 1
  EXPECT_THAT(windows_of(Protocol::llama_cpp, tokens(10), -1, 5)[1].shown, ElementsAre(15, 16, 17, 18));
  EXPECT_THAT(refusal(Protocol::llama_cpp, 9, -1, 5), HasSubstr("expected at least 2 windows"));
  EXPECT_THAT(refusal(Protocol::llama_cpp, 9, -1, 2), HasSubstr("windows of 2"));
}

TEST(Perplexity, HasTheStandardErrorOfItsTokens) {
  const std::vector<double> logs{-1, -2, -4, -0.5, -3};
  std::vector<SequenceScore> scores(2);
  for (std::size_t i = 0; i < logs.size(); ++i) scores[i / 3].add(logs[i], i != 1);
  double mean = 0, variance = 0;
  for (const double x : logs) mean += x / 5;
  for (const double x : logs) variance += (x - mean) * (x - mean) / 5;
  const Perplexity p = perplexity_of(scores);
  EXPECT_NEAR(p.value, std::exp(-mean), 1e-12);
  EXPECT_NEAR(p.standard_error, std::exp(-mean) * std::sqrt(variance / 4), 1e-12);
  EXPECT_EQ(p.tokens, 5);
  EXPECT_FALSE(scores[0].all_most_likely);
  EXPECT_TRUE(scores[1].all_most_likely);
}

TEST(Task, LikelihoodAndLikelihoodPerByteMayChooseDifferently) {
  const TaskItem item{1, "a", {"no", "certainly not", "no"}, 0};
  std::vector<SequenceScore> scores(3);
  scores[0].add(-4, true), scores[1].add(-6, true), scores[2].add(-4, true);
  const TaskChoice choice = choice_of(item, scores);
  EXPECT_EQ(choice.by_likelihood, 0);  // of equal ones the first
  EXPECT_EQ(choice.by_byte, 1);
  EXPECT_NEAR(accuracy_of(3, 4).standard_error, std::sqrt(0.75 * 0.25 / 3), 1e-15);
  EXPECT_TRUE(std::isnan(accuracy_of(1, 1).standard_error));
}

}  // namespace
}  // namespace wafermark::llama

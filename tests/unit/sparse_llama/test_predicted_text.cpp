// What a model is shown of a text: behind bos, and where there is no bos nothing in its place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/errors.hpp"
#include "sparse_llama/compress/token_stream.hpp"
#include "sparse_llama/compress/training_record.hpp"
#include "sparse_llama/compress/transformer.hpp"
#include "sparse_llama/model/predicted_text.hpp"

namespace wafermark::llama {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<std::int32_t> text{10, 11, 12, 13, 14, 15};

template <class Act>
std::string refusal(const Act& act) {
  try {
    act();
  } catch (const InputError& e) {
    return e.what();
  }
  return "none";
}

std::vector<std::int32_t> shown(std::int32_t bos, std::int64_t window) {
  const PredictedText predicted(text, bos);
  std::vector<std::int32_t> tokens;
  for (std::int64_t i = 0; i < predicted.size(); ++i)
    tokens.push_back(predicted.before(i, i / window * window));
  return tokens;
}

TEST(PredictedText, EachWindowBeginsWithBosOrWithTheTokenBeforeIt) {
  EXPECT_THAT(shown(1, 3), ElementsAre(1, 10, 11, 1, 13, 14));
  EXPECT_THAT(shown(-1, 3), ElementsAre(10, 11, 12, 13, 14));
  const PredictedText predicted(text, -1);
  EXPECT_THAT(std::vector(predicted.targets().begin(), predicted.targets().end()),
              ElementsAre(11, 12, 13, 14, 15));
  EXPECT_THAT(refusal([] { PredictedText({text.data(), 1}, -1); }), HasSubstr("no token to predict"));
  EXPECT_EQ(refusal([] { PredictedText({text.data(), 1}, 0); }), "none");
}

TEST(PredictedText, TrainingSequencesHoldNoTokenThatIsNotOfTheText) {
  const TokenBatch batch = draw_batch(text, -1, 3, 0, 0, 50, 5);
  for (std::size_t i = 0; i < batch.tokens.size(); ++i) {
    EXPECT_GE(batch.tokens[i], 10);
    EXPECT_EQ(batch.targets[i], batch.tokens[i] + 1);
  }
  EXPECT_THAT(refusal([] { draw_batch(text, -1, 3, 0, 0, 1, 6); }),
              HasSubstr("found 6 tokens, expected at least 7"));
  EXPECT_EQ(draw_batch(text, 1, 3, 0, 0, 1, 6).tokens.front(), 1);
}

TEST(PredictedText, NoRowOutsideTheTableIsRead) {
  Configuration c;
  c.dim = 8, c.layers = 1, c.heads = 2, c.kv_heads = 1, c.head_dim = 4, c.hidden = 12, c.vocabulary = 16,
  c.context = 8;
  const auto parameters = initial_parameters(c, 1);
  Transformer<float> model(c, 1, 2);
  for (const std::int32_t token : {-1, 16, 2147483647}) {
    const std::vector<std::int32_t> tokens{3, token};
    EXPECT_THAT(refusal([&] { model.forward(parameters.data(), tokens); }), HasSubstr("expected 0 to 15"))
        << token;
  }
}

TEST(TrainingRecord, ARestartKeepsEverythingThatChangesTheWeights) {
  Configuration c;
  c.dim = 8, c.layers = 1, c.heads = 2, c.kv_heads = 1, c.head_dim = 4, c.hidden = 12, c.vocabulary = 16,
  c.context = 8;
  TrainingSettings s;
  const auto stored = settings_to_keep(c, s);
  const auto now = [&](const auto& change) {
    TrainingSettings other = s;
    Configuration shape = c;
    change(other, shape);
    return refusal([&] { expect_same_run(stored, settings_to_keep(shape, other), "state.h5"); });
  };
  EXPECT_EQ(now([](auto&, auto&) {}), "none");
  EXPECT_EQ(now([](auto& t, auto&) { t.steps = 7, t.report_every = 3, t.checkpoint_every = 1; }), "none");
  EXPECT_EQ(now([](auto& t, auto&) { t.batch = 16; }),
            "state.h5: training.batch_sequences = 8 in the checkpoint, found 16: expected the same to go on "
            "with it");
  EXPECT_THAT(now([](auto& t, auto&) { t.seed = 2; }), HasSubstr("training.seed = 1"));
  EXPECT_THAT(now([](auto& t, auto&) { t.learning_rate = 2e-3; }), HasSubstr("training.learning_rate"));
  EXPECT_THAT(now([](auto&, auto& shape) { shape.hidden = 16; }), HasSubstr("model intermediate_size = 12"));
  const TrainingRecord record{stored, {{{"step", 1}}}};
  EXPECT_EQ(TrainingRecord::read(record.text(), "f").settings, stored);
  EXPECT_EQ(TrainingRecord::read(record.text(), "f").history, record.history);
  EXPECT_THAT(refusal([] { TrainingRecord::read("", "f"); }),
              HasSubstr("f: found a model that no training run has written"));
}

}  // namespace
}  // namespace wafermark::llama

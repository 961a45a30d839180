#include "sparse_llama/compress/training_settings.hpp"

#include <cmath>
#include <numbers>

namespace wafermark::llama {

TrainingSettings read_training_settings(Deck& deck, const std::string& table) {
  TrainingSettings s;
  const auto key = [&](const char* name) { return table + "." + name; };
  const Range at_least_one{1, 1e12}, share{0, 1}, weight{0, 1e6};
  s.steps = deck.integer(key("steps"), std::nullopt, "optimiser steps", at_least_one);
  s.warmup_steps = deck.integer(key("warmup_steps"), s.warmup_steps, "steps of linear warm-up", {0, 1e12});
  s.batch = deck.integer(key("batch_sequences"), s.batch, "sequences of a step, over all ranks", {1, 1e6});
  s.length = deck.integer(key("sequence_tokens"), s.length, "tokens of a sequence", {2, 1e6});
  s.learning_rate =
      deck.number(key("learning_rate"), s.learning_rate, "AdamW, after warm-up", {0, 1e3, true});
  s.final_rate =
      deck.number(key("final_rate"), s.final_rate, "share of learning_rate left at the end", share);
  s.beta1 = deck.number(key("beta1"), s.beta1, "AdamW", Range{0, 0.99999});
  s.beta2 = deck.number(key("beta2"), s.beta2, "AdamW", Range{0, 0.9999999});
  s.epsilon = deck.number(key("epsilon"), s.epsilon, "AdamW", {0, 1, true});
  s.weight_decay = deck.number(key("weight_decay"), s.weight_decay, "AdamW, of matrices", {0, 1e3});
  s.gradient_clip =
      deck.number(key("gradient_clip"), s.gradient_clip, "largest 2-norm of the gradient", {0, 1e12, true});
  s.seed = deck.integer(key("seed"), s.seed, "of the batches (and of the start of a new model)", {0, 9e15});
  s.loss.token = deck.number(key("token_loss"), s.loss.token, "weight of the token loss", weight);
  s.loss.logit =
      deck.number(key("logit_distillation"), s.loss.logit, "weight of KL(teacher || student)", weight);
  s.loss.feature = deck.number(key("feature_distillation"), s.loss.feature, "weight of SquareHead", weight);
  s.report_every = deck.integer(key("report_every"), s.report_every, "steps between log lines", at_least_one);
  s.evaluate_every = deck.integer(key("evaluate_every"), s.evaluate_every,
                                  "steps between held-out perplexities", at_least_one);
  s.checkpoint_every =
      deck.integer(key("checkpoint_every"), s.checkpoint_every, "steps between checkpoints", at_least_one);
  return s;
}

double learning_rate_at(const TrainingSettings& s, std::int64_t step) {
  if (step < s.warmup_steps) return s.learning_rate * double(step + 1) / double(s.warmup_steps);
  const double last = std::max<double>(1, double(s.steps - 1 - s.warmup_steps));
  const double done = std::min(1.0, double(step - s.warmup_steps) / last);
  return s.learning_rate *
         (s.final_rate + (1 - s.final_rate) * 0.5 * (1 + std::cos(std::numbers::pi * done)));
}

}  // namespace wafermark::llama

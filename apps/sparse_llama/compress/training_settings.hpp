// What a training run is told: read from a deck, table [training].
#pragma once

#include "common/deck.hpp"
#include "sparse_llama/compress/loss.hpp"

namespace wafermark::llama {

struct TrainingSettings {
  std::int64_t steps = 1000;
  std::int64_t warmup_steps = 50;
  std::int64_t batch = 8;     ///< sequences of one step, over all ranks
  std::int64_t length = 256;  ///< tokens of a sequence
  double learning_rate = 1e-3;
  double final_rate = 0.1;  ///< share of learning_rate at the last step
  double beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8;
  double weight_decay = 0.1;   ///< of matrices; norms do not decay
  double gradient_clip = 1.0;  ///< largest global 2-norm of the gradient
  std::int64_t seed = 1;
  LossWeights loss;
  std::int64_t report_every = 50, evaluate_every = 500, checkpoint_every = 250;  ///< steps
};

/// Keys below `table` ("training"); throws InputError for values out of range.
TrainingSettings read_training_settings(Deck& deck, const std::string& table);

/// Linear warm-up, then half a cosine from learning_rate to final_rate * learning_rate. Steps count from 0.
double learning_rate_at(const TrainingSettings& settings, std::int64_t step);

}  // namespace wafermark::llama

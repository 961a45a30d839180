// The training loop: data-parallel over ranks, restartable, masks kept.
#pragma once

#include <functional>

#include "common/communicator.hpp"
#include "sparse_llama/compress/training_settings.hpp"
#include "sparse_llama/compress/training_state.hpp"

namespace wafermark::llama {

struct TrainingReport {
  std::int64_t step = 0;  ///< steps done
  Loss loss;              ///< mean over the steps since the last report, over ranks
  double learning_rate = 0, gradient_norm = 0, tokens_per_second = 0;
};

/// Trains from state.step on to settings.steps, or until `after_step` returns false. Collective; the state
/// stays the same on all ranks. `teacher` (parameters of the same configuration) is needed by the
/// distillation losses. Throws InputError when the text or the batch does not fit; std::runtime_error when
/// the loss stops being a number.
class Trainer {
 public:
  Trainer(const Communicator& comm, const TrainingSettings& settings, std::vector<std::int32_t> tokens,
          std::int32_t bos, std::vector<float> teacher = {});
  void run(TrainingState& state, const std::function<bool(const TrainingState&)>& after_step,
           const std::function<void(const TrainingReport&)>& report);

 private:
  const Communicator& comm_;
  TrainingSettings settings_;
  std::vector<std::int32_t> tokens_;
  std::int32_t bos_;
  std::vector<float> teacher_;
};

}  // namespace wafermark::llama

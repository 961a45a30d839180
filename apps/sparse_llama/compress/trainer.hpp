// The training loop: data-parallel over ranks, restartable, masks kept. Each rank computes the gradient of
// its sequences; the sums over ranks, the moments and the step of a weight are the business of the one rank
// that owns it, from which the others get it (ZeRO, Rajbhandari et al. 2020).
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

/// Trains from state.step on to settings.steps, or until `after_step` returns false. Collective; the
/// parameters stay the same on all ranks. `teacher` (parameters of the same configuration) is needed by the
/// distillation losses. Throws InputError when the text or the batch does not fit; std::runtime_error when
/// the loss stops being a number.
class Trainer {
 public:
  Trainer(const Communicator& comm, const TrainingSettings& settings, std::vector<std::int32_t> tokens,
          std::int32_t bos, std::vector<float> teacher = {});
  void run(TrainingState& state, const std::function<bool(const TrainingState&)>& after_step,
           const std::function<void(const TrainingReport&)>& report);

  /// Bytes that a run takes on a rank: weights and, with a teacher, its weights; what the rank owns of
  /// moments, mask and gradient; a piece of the gradient; the activations of its sequences.
  static double bytes(const Configuration& configuration, const TrainingSettings& settings, int ranks);

 private:
  const Communicator& comm_;
  TrainingSettings settings_;
  std::vector<std::int32_t> tokens_;
  std::int32_t bos_;
  std::vector<float> teacher_;
};

}  // namespace wafermark::llama

// What training minimises: the token loss, and with a teacher the two distillation losses.
//   token    mean over tokens of -log p(next token)
//   logit    mean over tokens of KL(teacher || student)
//   feature  SquareHead (Kurtic et al. 2023): sum over blocks of MSE(teacher, student) / MSE(teacher, 0),
//            means over the batch of this call
#pragma once

#include "sparse_llama/compress/transformer.hpp"

namespace wafermark::llama {

struct LossWeights {
  double token = 1, logit = 0, feature = 0;
  bool needs_teacher() const { return logit != 0 || feature != 0; }
};

/// Means over the batch; total is the weighted sum.
struct Loss {
  double token = 0, logit = 0, feature = 0, total = 0;
};

/// Forward and backward pass of `student` over tokens -> targets (both [N]); adds dL/dparameters of the total
/// to `gradient`. `teacher` (may be null when the weights need none) must have run forward() on the same
/// tokens.
template <class T>
Loss loss_and_gradient(Transformer<T>& student, const T* parameters, std::span<const std::int32_t> tokens,
                       std::span<const std::int32_t> targets, const LossWeights& weights,
                       Transformer<T>* teacher, GradientSink<T>& gradient);

/// Logits [targets, vocabulary] become probabilities; the sum of -log p(target).
template <class T>
double to_probabilities(T* logits, std::int64_t vocabulary, std::span<const std::int32_t> targets);

}  // namespace wafermark::llama

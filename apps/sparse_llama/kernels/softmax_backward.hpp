// Backward passes of softmax: alone (attention) and with the losses on top of it (token, teacher).
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

#include "sparse_llama/kernels/dot.hpp"
#include "sparse_llama/kernels/sampling.hpp"
#include "sparse_llama/kernels/softmax.hpp"

namespace wafermark::llama {

/// Turns dL/dp of one row into dL/dscore, p = softmax(scale * score): p (g - sum_j g_j p_j) scale.
template <class T>
KOKKOS_INLINE_FUNCTION void softmax_backward(const T* p, std::int64_t n, T scale, T* gradient) {
  const T mean = dot(gradient, p, n);
  for (std::int64_t i = 0; i < n; ++i) gradient[i] = p[i] * (gradient[i] - mean) * scale;
}

/// -log p[target] of softmax(logits); turns the logits into probabilities.
template <class T>
KOKKOS_INLINE_FUNCTION T cross_entropy(T* logits, std::int64_t n, std::int64_t target) {
  const T own = logits[target];
  const SoftmaxSum<T> s = softmax(logits, n);
  return Kokkos::log(s.sum) - (own - s.top);
}

/// What a model knew of a token: -ln p, and whether greedy decoding would have taken it.
template <class T>
struct TokenLoss {
  T loss;
  bool most_likely;
};
/// Of `target`; turns the logits into probabilities.
template <class T>
KOKKOS_INLINE_FUNCTION TokenLoss<T> token_loss(T* logits, std::int64_t n, std::int64_t target) {
  const bool most_likely = greedy_token(logits, n) == target;
  return {cross_entropy(logits, n, target), most_likely};
}

}  // namespace wafermark::llama

// AdamW (Loshchilov and Hutter 2019): one weight, one step.
#pragma once

#include <Kokkos_Core.hpp>

namespace wafermark::llama {

/// Rates of one step; correction1 = 1 - beta1^t and correction2 = 1 - beta2^t with t counted from 1.
template <class T>
struct AdamWStep {
  T learning_rate, beta1, beta2, epsilon, correction1, correction2;
};

template <class T>
KOKKOS_INLINE_FUNCTION void adamw(const AdamWStep<T>& s, T gradient, T weight_decay, T& first, T& second,
                                  T& weight) {
  first = s.beta1 * first + (T(1) - s.beta1) * gradient;
  second = s.beta2 * second + (T(1) - s.beta2) * gradient * gradient;
  const T change = (first / s.correction1) / (Kokkos::sqrt(second / s.correction2) + s.epsilon);
  weight -= s.learning_rate * (change + weight_decay * weight);
}

}  // namespace wafermark::llama

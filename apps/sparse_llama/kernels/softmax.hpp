// Softmax of one row, p_i = exp(x_i - max) / sum_j exp(x_j - max).
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

namespace wafermark::llama {

/// Of a row: its maximum, and the sum of exp(x_i - maximum).
template <class T>
struct SoftmaxSum {
  T top, sum;
};

/// Replaces x [n] by its softmax.
template <class T>
KOKKOS_INLINE_FUNCTION SoftmaxSum<T> softmax(T* x, std::int64_t n) {
  T top = x[0];
  for (std::int64_t i = 1; i < n; ++i) top = x[i] > top ? x[i] : top;
  T sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += x[i] = Kokkos::exp(x[i] - top);
  for (std::int64_t i = 0; i < n; ++i) x[i] /= sum;
  return {top, sum};
}

}  // namespace wafermark::llama

// Softmax of one row, p_i = exp(x_i - max) / sum_j exp(x_j - max).
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

#include "sparse_llama/kernels/exponential.hpp"

namespace wafermark::llama {

/// Of a row: its maximum, and the sum of exp(x_i - maximum).
template <class T>
struct SoftmaxSum {
  T top, sum;
};

/// Replaces x [n] by its softmax. Maximum and sum are taken in sixteen parts, as in dot.hpp.
template <class T>
KOKKOS_INLINE_FUNCTION SoftmaxSum<T> softmax(T* x, std::int64_t n) {
  constexpr int parts = 16;
  const std::int64_t whole = n / parts * parts;
  T tops[parts], sums[parts] = {};
  for (int p = 0; p < parts; ++p) tops[p] = x[0];
  for (std::int64_t i = 0; i < whole; i += parts)
    for (int p = 0; p < parts; ++p) tops[p] = x[i + p] > tops[p] ? x[i + p] : tops[p];
  for (std::int64_t i = whole; i < n; ++i) tops[0] = x[i] > tops[0] ? x[i] : tops[0];
  for (int p = 1; p < parts; ++p) tops[0] = tops[p] > tops[0] ? tops[p] : tops[0];
  const T top = tops[0];

  for (std::int64_t i = 0; i < n; ++i) x[i] = exponential(x[i] - top);
  for (std::int64_t i = 0; i < whole; i += parts)
    for (int p = 0; p < parts; ++p) sums[p] += x[i + p];
  for (std::int64_t i = whole; i < n; ++i) sums[0] += x[i];
  for (int p = 1; p < parts; ++p) sums[0] += sums[p];
  const T sum = sums[0];

  for (std::int64_t i = 0; i < n; ++i) x[i] /= sum;
  return {top, sum};
}

}  // namespace wafermark::llama

// RMSNorm: y = x / sqrt(mean(x^2) + epsilon) * weight (Zhang and Sennrich 2019).
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

#include "sparse_llama/kernels/dot.hpp"

namespace wafermark::llama {

template <class T>
KOKKOS_INLINE_FUNCTION T sum_of_squares(const T* x, std::int64_t n) {
  return dot(x, x, n);
}

/// 1 / sqrt(mean(x^2) + epsilon) of a row of `dim` elements with this sum of squares.
template <class T>
KOKKOS_INLINE_FUNCTION T rms_scale(T squares, std::int64_t dim, T epsilon) {
  using Kokkos::sqrt;
  return T(1) / sqrt(squares / T(dim) + epsilon);
}
template <class T>
KOKKOS_INLINE_FUNCTION T rms_scale(const T* x, std::int64_t dim, T epsilon) {
  return rms_scale(sum_of_squares(x, dim), dim, epsilon);
}

/// x = RMSNorm(x) of a row of `dim` elements.
template <class T>
KOKKOS_INLINE_FUNCTION void rms_norm_in_place(T* x, const T* weight, std::int64_t dim, T epsilon) {
  const T scale = rms_scale(x, dim, epsilon);
  for (std::int64_t i = 0; i < dim; ++i) x[i] *= scale * weight[i];
}

}  // namespace wafermark::llama

// Symmetric quantisation of a group of numbers: x_i = scale * q_i with integers q_i.
#pragma once

#include "sparse_llama/kernels/value_types.hpp"

namespace wafermark::llama {

/// The scale at which the largest of n numbers becomes `largest_integer` (127 or 32767); 0 when all are zero.
template <class T>
KOKKOS_INLINE_FUNCTION T group_scale(const T* x, std::int64_t n, T largest_integer) {
  T largest = 0;
  for (std::int64_t i = 0; i < n; ++i) largest = Kokkos::fmax(largest, Kokkos::fabs(x[i]));
  return largest / largest_integer;
}

/// x / scale to the nearest integer within +-largest_integer; 0 for scale 0.
template <class Integer, class T>
KOKKOS_INLINE_FUNCTION Integer quantised(T x, T scale, T largest_integer) {
  if (scale == T(0)) return 0;
  return Integer(Kokkos::fmin(Kokkos::fmax(Kokkos::round(x / scale), -largest_integer), largest_integer));
}

}  // namespace wafermark::llama

// Symmetric quantisation of a group of numbers: x_i = scale * q_i with integers q_i.
#pragma once

#include "sparse_llama/kernels/value_types.hpp"
#include "sparse_llama/kernels/vector_loop.hpp"

namespace wafermark::llama {

/// The scale at which the largest of n numbers becomes `largest_integer` (127 or 8191); 0 when all are zero.
template <class T>
KOKKOS_INLINE_FUNCTION T group_scale(const T* x, std::int64_t n, T largest_integer) {
  constexpr int lanes = 16;  // compilers make no vectors of one running maximum
  T largest[lanes] = {};
  const auto take = [&](std::int64_t i, int lane) {
    const T size = Kokkos::fabs(x[i]);
    largest[lane] = size > largest[lane] ? size : largest[lane];
  };
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    WAFERMARK_VECTOR_LOOP
    for (int lane = 0; lane < lanes; ++lane) take(i + lane, lane);
  }
  for (; i < n; ++i) take(i, 0);
  for (int lane = 1; lane < lanes; ++lane)
    largest[0] = largest[lane] > largest[0] ? largest[lane] : largest[0];
  return largest[0] / largest_integer;
}

/// x times 1 / scale to the nearest integer within +-largest_integer, halves to even.
template <class Integer, class T>
KOKKOS_INLINE_FUNCTION Integer quantised(T x, T inverse_scale, T largest_integer) {
  T q = x * inverse_scale;
  q = q < -largest_integer ? -largest_integer : q;
  q = q > largest_integer ? largest_integer : q;
  return Integer(Kokkos::nearbyint(q));
}

/// 1 / scale; 0 for scale 0.
template <class T>
KOKKOS_INLINE_FUNCTION T inverse_or_zero(T scale) {
  return scale == T(0) ? T(0) : T(1) / scale;
}

}  // namespace wafermark::llama

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

/// x times 1 / scale to the nearest integer of 4 bits, halves to even.
KOKKOS_INLINE_FUNCTION std::int8_t quantised_int4(float x, float inverse_scale) {
  const float q = x * inverse_scale;
  return std::int8_t(Kokkos::nearbyint(q < -8.0f ? -8.0f : q > 7.0f ? 7.0f : q));
}

/// 1 / scale; 0 for scale 0, and for scales so small that their inverse might be no number.
template <class T>
KOKKOS_INLINE_FUNCTION T inverse_or_zero(T scale) {
  return Kokkos::fabs(scale) < Kokkos::Experimental::norm_min_v<T> ? T(0) : T(1) / scale;
}

/// The scale of n numbers that are stored as integers of 4 bits from -8 to 7, rounded as it is stored: of
/// four that take the number of largest size, with its sign, to -7.5, -8, -8.5 or -9 (and so to -8) the one
/// that leaves the smallest squares of errors. Gaussian numbers are 10 % rms off in groups of 128, with 7 for
/// the largest size 12 %.
KOKKOS_INLINE_FUNCTION BFloat16 int4_scale(const float* x, std::int64_t n) {
  float largest = 0;
  for (std::int64_t i = 0; i < n; ++i) largest = Kokkos::fabs(x[i]) > Kokkos::fabs(largest) ? x[i] : largest;
  BFloat16 best(0.0f);
  float least = Kokkos::Experimental::infinity_v<float>;
  for (int k = 0; largest != 0.0f && k < 4; ++k) {
    const float share = -1 / (7.5f + 0.5f * float(k));  // of the largest
    const BFloat16 scale(largest * share);
    const float inverse = inverse_or_zero(float(scale));
    float squares = 0;  // over the largest: no size of numbers is beyond them
    for (std::int64_t i = 0; i < n; ++i) {
      const float error = share * (x[i] * inverse - float(quantised_int4(x[i], inverse)));
      squares += error * error;
    }
    if (squares < least) {
      least = squares;
      best = scale;
    }
  }
  return best;
}

}  // namespace wafermark::llama

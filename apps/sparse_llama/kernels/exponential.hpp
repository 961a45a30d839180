// exp without a call or a branch, so that loops over it become vector instructions.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

namespace wafermark::llama {

template <class T>
KOKKOS_INLINE_FUNCTION T exponential(T x) {
  using Kokkos::exp;
  return exp(x);
}

/// 2^n, where n = shifted - round and `round` is so large that n stands in the low bits of `shifted`.
KOKKOS_INLINE_FUNCTION float power_of_two(float shifted, float round) {
  const std::int32_t exponent =
      Kokkos::bit_cast<std::int32_t>(shifted) - Kokkos::bit_cast<std::int32_t>(round);
  return Kokkos::bit_cast<float>((exponent + 127) << 23);
}

/// 2^n p(r) with x = n ln 2 + r, |r| <= ln 2 / 2, and the polynomial p of Cephes' expf (Moshier). Within one
/// unit in the last place from -87.3 to 88; zero below, exp(88) above.
template <class T>
KOKKOS_INLINE_FUNCTION T exponential_by_polynomial(T x) {
  const T round = 12582912.0f;  // 1.5 * 2^23: a sum with it has the nearest integer in its low bits
  const T lowest = -87.3f, highest = 88.0f;
  const T y = x < lowest ? lowest : x > highest ? highest : x;
  const T shifted = y * T(1.44269504f) + round, n = shifted - round;
  const T r = (y - n * T(0.693359375f)) + n * T(2.12194440e-4f);
  T p = 1.9875691500e-4f;
  p = p * r + T(1.3981999507e-3f);
  p = p * r + T(8.3334519073e-3f);
  p = p * r + T(4.1665795894e-2f);
  p = p * r + T(1.6666665459e-1f);
  p = p * r + T(5.0000001201e-1f);
  p = p * r * r + r + T(1.0f);
  return x < lowest ? T(0.0f) : p * power_of_two(shifted, round);
}

template <>
KOKKOS_INLINE_FUNCTION float exponential(float x) {
  return exponential_by_polynomial(x);
}

}  // namespace wafermark::llama

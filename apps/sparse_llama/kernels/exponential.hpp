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

/// In float: 2^n p(r) with x = n ln 2 + r, |r| <= ln 2 / 2, and the polynomial p of Cephes' expf (Moshier).
/// Within one unit in the last place from -87.3 to 88; zero below, exp(88) above.
template <>
KOKKOS_INLINE_FUNCTION float exponential(float x) {
  constexpr float round = 12582912.0f;  // 1.5 * 2^23: a sum with it has the nearest integer in its low bits
  constexpr float lowest = -87.3f, highest = 88.0f;
  const float y = x < lowest ? lowest : x > highest ? highest : x;
  const float shifted = y * 1.44269504f + round, n = shifted - round;
  const float r = (y - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const std::int32_t exponent =
      Kokkos::bit_cast<std::int32_t>(shifted) - Kokkos::bit_cast<std::int32_t>(round);
  const float power = Kokkos::bit_cast<float>((exponent + 127) << 23);
  return x < lowest ? 0.0f : p * power;
}

}  // namespace wafermark::llama

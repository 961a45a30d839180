// Numbers of 16 bits (IEEE 754 binary16) as tiles of a wafer reckon with them: every result is rounded once.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

namespace wafermark::llama {

/// The nearest number of 16 bits, ties to even; beyond 65,504 infinite.
KOKKOS_INLINE_FUNCTION float nearest_half(float value) {
  const auto word = Kokkos::bit_cast<std::uint32_t>(value);
  const float normal = Kokkos::bit_cast<float>((word + 0xfffu + (word >> 13 & 1u)) & ~0x1fffu);
  const float magnitude = Kokkos::bit_cast<float>(word & 0x7fffffffu);
  const float infinite = Kokkos::bit_cast<float>((word & 0x80000000u) | 0x7f800000u);
  // Below 2^-14 the numbers are 2^-24 apart, as those of fp32 between 1/2 and 1 are.
  const float tiny = (value + 0.75f) - 0.75f;
  return magnitude < 6.103515625e-05f ? tiny : magnitude >= 65520.0f ? infinite : normal;
}

/// A number of 16 bits, kept as the fp32 number that it is. A product is exact until it is added: the core's
/// multiply-add rounds once.
struct Half {
  struct Product {
    float exact;
  };
  float value = 0.0f;

  Half() = default;
  KOKKOS_INLINE_FUNCTION explicit Half(float number) : value(nearest_half(number)) {}
  KOKKOS_INLINE_FUNCTION explicit operator float() const { return value; }
  friend KOKKOS_INLINE_FUNCTION Product operator*(const Half& a, const Half& b) {
    return {a.value * b.value};
  }
  friend KOKKOS_INLINE_FUNCTION Half& operator+=(Half& sum, const Product& product) {
    return sum = Half(sum.value + product.exact);
  }
};

/// A weight that arrives where the numbers of `tokens` tokens lie: a multiply-add for each.
template <class T>
KOKKOS_INLINE_FUNCTION void arriving_weight(const T& weight, const T* x, std::int64_t tokens, T* sums) {
  for (std::int64_t t = 0; t < tokens; ++t) sums[t] += weight * x[t];
}

}  // namespace wafermark::llama

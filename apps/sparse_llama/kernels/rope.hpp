// Rotary position embedding (Su et al. 2021): pairs of elements of a head turn with the position, each pair
// at its own frequency. In Hugging Face layout element i pairs with element i + head_dim / 2.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

namespace wafermark::llama {

/// Radians per position of pair `i` of head_dim / 2.
inline double rope_frequency(double theta, std::int64_t head_dim, std::int64_t i) {
  return Kokkos::pow(theta, -2.0 * double(i) / double(head_dim));
}

/// Llama 3.1's scaling to longer contexts: pairs that turn less than `low` times over the original context
/// slow down by `factor`, those that turn more than `high` times stay, between them the two are blended.
inline double scaled_rope_frequency(double frequency, double factor, double low, double high,
                                    double original_context) {
  const double turns = original_context * frequency / (2 * Kokkos::numbers::pi);
  if (turns < low) return frequency / factor;
  if (turns > high) return frequency;
  const double blend = (turns - low) / (high - low);
  return (1 - blend) * frequency / factor + blend * frequency;
}

/// Turns the pair (a, b) by the angle of this cosine and sine.
template <class T>
KOKKOS_INLINE_FUNCTION void rope_rotate(T& a, T& b, T cosine, T sine) {
  const T x = a;
  a = x * cosine - b * sine;
  b = b * cosine + x * sine;
}

}  // namespace wafermark::llama

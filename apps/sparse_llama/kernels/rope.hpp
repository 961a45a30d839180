#pragma once
#include <Kokkos_Core.hpp>
#include <cmath>
#include <numbers>

#include "sparse_llama/model/configuration.hpp"

namespace wafermark::llama {

inline double rope_frequency(const Configuration& c, std::int64_t i) {
  const double frequency = std::pow(c.rope_theta, -2.0 * double(i) / double(c.head_dim));
  const RopeScaling& s = c.rope_scaling;
  if (s.factor == 1) return frequency;
  const double turns = double(s.original_context) * frequency / (2 * std::numbers::pi);
  if (turns < s.low_frequency_factor) return frequency / s.factor;
  if (turns > s.high_frequency_factor) return frequency;
  const double blend = (turns - s.low_frequency_factor) / (s.high_frequency_factor - s.low_frequency_factor);
  return (1 - blend) * frequency / s.factor + blend * frequency;
}

template <class T>
KOKKOS_INLINE_FUNCTION void rope_rotate(T& a, T& b, T cosine, T sine) {
  const T x = a;
  a = x * cosine - b * sine;
  b = b * cosine + x * sine;
}

}  // namespace wafermark::llama

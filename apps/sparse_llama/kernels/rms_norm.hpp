// RMSNorm: y = x / sqrt(mean(x^2) + epsilon) * weight (Zhang and Sennrich 2019).
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

namespace wafermark::llama {

/// 1 / sqrt(mean(x^2) + epsilon) of one row.
template <class T>
KOKKOS_INLINE_FUNCTION T rms_scale(const T* x, std::int64_t dim, T epsilon) {
  T sum = 0;
  for (std::int64_t i = 0; i < dim; ++i) sum += x[i] * x[i];
  return T(1) / Kokkos::sqrt(sum / T(dim) + epsilon);
}

}  // namespace wafermark::llama

// Sums over an array in sixteen parts that do not wait for each other, so that compilers can use vectors.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

#include "sparse_llama/kernels/vector_loop.hpp"

namespace wafermark::llama {

/// parts[0] = the sum of 2 * half parts.
template <int half, class T>
KOKKOS_INLINE_FUNCTION void fold(T* parts) {
  for (int p = 0; p < half; ++p) parts[p] += parts[p + half];
  if constexpr (half > 1) fold<half / 2>(parts);
}

/// sum_i a_i b_i.
template <class T, class Other>
KOKKOS_INLINE_FUNCTION T dot(const T* a, const Other* b, std::int64_t n) {
  constexpr int parts = 16;
  T sums[parts] = {};
  std::int64_t i = 0;
  for (; i + parts <= n; i += parts) {
    WAFERMARK_VECTOR_LOOP
    for (int p = 0; p < parts; ++p) sums[p] += a[i + p] * T(b[i + p]);
  }
  fold<parts / 2>(sums);
  for (; i < n; ++i) sums[0] += a[i] * T(b[i]);
  return sums[0];
}

}  // namespace wafermark::llama

// Sums over an array in sixteen parts that do not wait for each other, so that compilers can use vectors.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

namespace wafermark::llama {

/// sum_i a_i b_i.
template <class T, class Other>
KOKKOS_INLINE_FUNCTION T dot(const T* a, const Other* b, std::int64_t n) {
  constexpr int parts = 16;
  T sums[parts] = {};
  std::int64_t i = 0;
  for (; i + parts <= n; i += parts)
    for (int p = 0; p < parts; ++p) sums[p] += a[i + p] * T(b[i + p]);
  for (int width = parts / 2; width > 0; width /= 2)
    for (int p = 0; p < width; ++p) sums[p] += sums[p + width];
  for (; i < n; ++i) sums[0] += a[i] * T(b[i]);
  return sums[0];
}

}  // namespace wafermark::llama

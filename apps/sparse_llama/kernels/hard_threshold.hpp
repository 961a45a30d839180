// Dynamic sparsity of activations.
#pragma once

#include <Kokkos_Core.hpp>

namespace wafermark::llama {

/// x, or zero where |x| is at most `threshold` (Liu et al. 2024, "Training-free activation sparsity in large
/// language models", eq. 1).
template <class T>
KOKKOS_INLINE_FUNCTION T hard_threshold(T x, T threshold) {
  return Kokkos::fabs(x) <= threshold ? T(0) : x;
}

}  // namespace wafermark::llama

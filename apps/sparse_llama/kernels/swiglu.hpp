// SwiGLU (Shazeer 2020): silu(gate) * up with silu(x) = x / (1 + exp(-x)).
#pragma once

#include "sparse_llama/kernels/exponential.hpp"

namespace wafermark::llama {

/// `decay`: exp(-gate).
template <class T>
KOKKOS_INLINE_FUNCTION T swiglu(T gate, T up, T decay) {
  return gate / (T(1) + decay) * up;
}
template <class T>
KOKKOS_INLINE_FUNCTION T swiglu(T gate, T up) {
  return swiglu(gate, up, exponential(-gate));
}

}  // namespace wafermark::llama

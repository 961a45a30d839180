// SwiGLU (Shazeer 2020): silu(gate) * up with silu(x) = x / (1 + exp(-x)).
#pragma once

#include "sparse_llama/kernels/exponential.hpp"

namespace wafermark::llama {

template <class T>
KOKKOS_INLINE_FUNCTION T swiglu(T gate, T up) {
  return gate / (T(1) + exponential(-gate)) * up;
}

}  // namespace wafermark::llama

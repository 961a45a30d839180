// SwiGLU (Shazeer 2020): silu(gate) * up with silu(x) = x / (1 + exp(-x)).
#pragma once

#include <Kokkos_Core.hpp>

namespace wafermark::llama {

template <class T>
KOKKOS_INLINE_FUNCTION T swiglu(T gate, T up) {
  return gate / (T(1) + Kokkos::exp(-gate)) * up;
}

}  // namespace wafermark::llama

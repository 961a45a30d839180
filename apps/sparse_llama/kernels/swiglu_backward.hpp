// Backward pass of SwiGLU, y = silu(gate) * up with silu(x) = x sigmoid(x).
#pragma once

#include <Kokkos_Core.hpp>

#include "sparse_llama/kernels/exponential.hpp"

namespace wafermark::llama {

/// Replaces `gate` and `up` of one element by dL/dgate and dL/dup, given dL/dy.
template <class T>
KOKKOS_INLINE_FUNCTION void swiglu_backward(T gradient, T& gate, T& up) {
  const T sigmoid = T(1) / (T(1) + exponential(-gate));
  const T silu = gate * sigmoid;
  const T slope = sigmoid * (T(1) + gate * (T(1) - sigmoid));
  gate = gradient * up * slope;
  up = gradient * silu;
}

}  // namespace wafermark::llama

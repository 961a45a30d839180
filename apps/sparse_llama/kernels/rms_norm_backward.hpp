// Backward pass of RMSNorm: with y = x r w and r = (mean(x^2) + epsilon)^-1/2,
//   dL/dx_i = r w_i g_i - x_i r^3 / dim sum_j g_j w_j x_j,   dL/dw_i = sum over rows of g_i x_i r.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

namespace wafermark::llama {

/// Adds one row's dL/dx to `input_gradient`; `gradient` is dL/dy, `scale` the r of the forward pass.
template <class T>
KOKKOS_INLINE_FUNCTION void rms_norm_backward(const T* x, const T* weight, T scale, const T* gradient,
                                              std::int64_t dim, T* input_gradient) {
  T dot = 0;
  for (std::int64_t i = 0; i < dim; ++i) dot += gradient[i] * weight[i] * x[i];
  const T pull = dot * scale * scale * scale / T(dim);
  for (std::int64_t i = 0; i < dim; ++i) input_gradient[i] += scale * weight[i] * gradient[i] - x[i] * pull;
}

}  // namespace wafermark::llama

// Reads llama2.c checkpoints (*.bin of version 0: seven 32-bit sizes, then fp32 tensors in a fixed order).
#pragma once

#include <string>

#include "sparse_llama/model/dense_weights.hpp"

namespace wafermark::llama {

/// The rows of query and key are brought from the file's order, in which RoPE turns neighbours, into that of
/// DenseLayer. RMSNorm epsilon 1e-5 and RoPE theta 10,000, as llama2.c has them fixed. Throws InputError that
/// names the file: sizes that make no model, a file longer or shorter than they say, a weight that is not a
/// number.
DenseWeights read_llama2c(const std::string& path);

}  // namespace wafermark::llama

// Reads a model: a Hugging Face folder (config.json and every *.safetensors in it) or a llama2.c file.
#pragma once

#include <string>

#include "sparse_llama/model/dense_weights.hpp"

namespace wafermark::llama {

/// Whichever of the two `path` is: a file *.bin is llama2.c's. Throws InputError.
DenseWeights read_checkpoint(const std::string& path);

/// All weights as fp32, from F32, F16 or BF16 tensors. Throws InputError that names file and tensor or key:
/// missing, of another shape or type, overlapping or beyond the end of the file, not a number.
DenseWeights read_checkpoint_folder(const std::string& folder);

}  // namespace wafermark::llama

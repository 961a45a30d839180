// Reads a model from a Hugging Face folder: config.json and its safetensors.
#pragma once

#include <string>

#include "sparse_llama/model/dense_weights.hpp"

namespace wafermark::llama {

/// All weights as fp32, from F64, F32, F16 or BF16 tensors or matrices without their zeros
/// (sparse_tensor.hpp) in weight_files_of(folder). Holds one copy of the weights; the files are mapped.
/// Throws InputError that names file and tensor or key: missing, of another shape or type, overlapping or
/// beyond the end of the file, in two files, unknown to the architecture (a bias would be lost), not a
/// number.
DenseWeights read_checkpoint_folder(const std::string& folder);

}  // namespace wafermark::llama

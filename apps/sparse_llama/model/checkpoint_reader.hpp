// Reads a model from a Hugging Face folder: config.json and its safetensors.
#pragma once

#include <string>

#include "sparse_llama/model/file_model.hpp"

namespace wafermark::llama {

/// F64, F32, F16 or BF16 tensors, or matrices without their zeros (bitmask_matrix.hpp), in
/// weight_files_of(folder), which stay mapped. Throws InputError that names file and tensor or key: missing,
/// of another shape or type, overlapping or beyond the end of the file, in two files, unknown to the
/// architecture (a bias would be lost), a norm that is not a number.
FileModel open_checkpoint_folder(const std::string& folder);

}  // namespace wafermark::llama

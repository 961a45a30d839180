// Reads a Llama from a GGUF file of llama.cpp.
#pragma once

#include <string>

#include "sparse_llama/model/file_model.hpp"

namespace wafermark::llama {

/// Weights in the types of number_rows; the rows of query and key lie as interleaved pairs (llama.cpp,
/// convert_hf_to_gguf.py). RoPE plain, linear, or by Llama 3.1's rule, whose factors the file holds. Throws
/// InputError that names file and key or tensor: another architecture, sizes that make no model, a tensor
/// that is missing, of another shape or type, or unknown (a bias would be lost). The tokenizer in the file is
/// not read.
FileModel open_gguf(const std::string& path);

}  // namespace wafermark::llama

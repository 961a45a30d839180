// The one way in for a model, whatever kind of file it comes in.
#pragma once

#include <string>

#include "sparse_llama/model/dense_weights.hpp"

namespace wafermark::llama {

/// A Hugging Face folder, or a llama2.c checkpoint (*.bin), as fp32. Throws InputError when the path is
/// neither, or as the reader of that kind does.
DenseWeights read_model(const std::string& path);

}  // namespace wafermark::llama

// The one way in for a model, whatever kind of file it comes in.
#pragma once

#include <string>

#include "sparse_llama/model/weight_source.hpp"

namespace wafermark::llama {

/// A Hugging Face folder, a GGUF file, or a llama2.c checkpoint (*.bin), whose files stay mapped. Throws
/// InputError when the path is none of these, or as the reader of that kind does.
WeightSource model_source(const std::string& path);

/// All of it as fp32 matrices in memory.
DenseWeights read_model(const std::string& path);

}  // namespace wafermark::llama

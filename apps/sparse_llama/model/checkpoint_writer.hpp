// Writes a model as a Hugging Face folder: config.json and model.safetensors.
#pragma once

#include <string>

#include "sparse_llama/model/companion_files.hpp"
#include "sparse_llama/model/dense_weights.hpp"

namespace wafermark::llama {

enum class StoredType { fp32, bf16 };

/// Makes `folder` if need be; each file under a temporary name, then renamed, config.json (config_of() of
/// the model in `made_from`) as the last. bf16 rounds to nearest, ties to even. Throws std::runtime_error
/// when the disk is full. Call on one rank.
void write_checkpoint_folder(const std::string& folder, const DenseWeights& weights, StoredType type,
                             const std::string& made_from = "", const Companions& companions = {});

}  // namespace wafermark::llama

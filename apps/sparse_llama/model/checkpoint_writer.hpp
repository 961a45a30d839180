// Writes a model as a Hugging Face folder: config.json and model.safetensors.
#pragma once

#include <string>

#include "sparse_llama/model/companion_files.hpp"
#include "sparse_llama/model/safetensors_writer.hpp"
#include "sparse_llama/model/weight_source.hpp"

namespace wafermark::llama {

/// Makes `folder` if need be; each file under a temporary name, then renamed, config.json (config_of() of
/// the model in `made_from`) as the last. Holds some rows at a time. Throws InputError where the source is
/// damaged, std::runtime_error when the disk is full. Call on one rank.
void write_checkpoint_folder(const std::string& folder, const WeightSource& source, StoredType type,
                             const std::string& made_from = "", const Companions& companions = {});

/// Copies a tensor, some rows at a time.
void write_tensor(const SafetensorsWriter& file, const WeightSource& source, Matrix matrix,
                  std::int64_t layer);
void write_tensor(const SafetensorsWriter& file, const WeightSource& source, Vector vector,
                  std::int64_t layer);

}  // namespace wafermark::llama

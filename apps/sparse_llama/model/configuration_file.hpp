// config.json of a Hugging Face folder: the shape of a model.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sparse_llama/model/configuration.hpp"

namespace wafermark::llama {

/// RoPE from `rope_theta` and `rope_scaling` or from `rope_parameters` (newer files), types default, linear
/// and llama3. Throws InputError that names file and key: missing, out of range, or something that would
/// change the arithmetic and is not supported (other biases, activations and RoPE types).
Configuration configuration_of(const nlohmann::json& config, const std::string& file);

/// configuration_of the file at `path`.
Configuration read_configuration(const std::string& path);

/// The keys that configuration_of reads, in the older form that all readers know.
nlohmann::json json_of(const Configuration& configuration);

/// config.json of a model that was made from the one in `folder` ("": from none): its own keys with their
/// values of now, and all others of that folder's config.json as they stand there, save how the weights were
/// compressed.
nlohmann::json config_of(const Configuration& configuration, const std::string& folder,
                         const std::string& stored_type = "");

/// For what is made for Llama alone. Throws InputError that names `model`, and `what` is not for others.
void expect_llama(const Configuration& configuration, const std::string& model, const std::string& what);

/// Throws InputError unless the sizes make a model: within sane bounds (a reader may compute with them,
/// though not allocate), heads in equal groups, an even head_dim. `file` is named in the message.
void expect_sane(const Configuration& configuration, const std::string& file);

}  // namespace wafermark::llama

// Where training and pruning get models and tokens from.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/communicator.hpp"
#include "sparse_llama/model/companion_files.hpp"
#include "sparse_llama/model/configuration.hpp"

namespace wafermark::llama {

struct FlatModel {
  Configuration configuration;
  std::vector<float> parameters;  ///< as ParameterLayout says
  std::string folder;             ///< that its companions lie in; "": it is a file of another format
};

/// What read_model reads, a training state (*.h5), or a folder with one (state.h5). Throws InputError.
/// Collective.
FlatModel read_flat_model(const Communicator& comm, const std::string& path);

/// Its sizes, without its weights. Throws InputError. Collective.
Configuration configuration_of_model(const Communicator& comm, const std::string& path);

/// Throws InputError when the weights of the folder at `path`, as fp32, do not fit into memory. Collective.
void require_room_for(const Communicator& comm, const std::string& path);

/// Whether read_flat_model finds a training state under `path`. Throws InputError for *.h5 that is no HDF5.
bool is_training_state(const std::string& path);

/// Writes config.json and companions into `folder`, beside the training state that is or will be there.
/// Collective.
void write_companions(const Communicator& comm, const std::string& folder, const nlohmann::json& config,
                      const Companions& companions);

/// Throws InputError when `out` is the folder that the model comes from: its files would be of two models.
void expect_another_folder(const std::string& out, const std::string& folder);

struct TokenizedText {
  std::vector<std::int32_t> tokens;
  std::int32_t bos = -1;        ///< -1: none is put before a text
  std::int64_t vocabulary = 0;  ///< of the tokenizer
  std::vector<std::int32_t> ends;
};

/// The text file as tokens, without bos. Throws InputError when a file cannot be read, the text is empty, or
/// a model with `rows` in its table (0: any) has none for a token. Collective (rank 0 reads).
TokenizedText read_tokens(const Communicator& comm, const std::string& text_path,
                          const std::string& tokenizer_path, std::int64_t rows);

}  // namespace wafermark::llama

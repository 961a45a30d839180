// Where training and pruning get models and tokens from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/communicator.hpp"
#include "sparse_llama/model/configuration.hpp"

namespace wafermark::llama {

struct FlatModel {
  Configuration configuration;
  std::vector<float> parameters;  ///< as ParameterLayout says
};

/// What read_model reads, a training state (*.h5), or a folder with one (state.h5). Throws InputError.
/// Collective.
FlatModel read_flat_model(const Communicator& comm, const std::string& path);

/// Writes the model into `folder`. Collective.
void write_flat_model(const Communicator& comm, const std::string& folder, const FlatModel& model);

struct TokenizedText {
  std::vector<std::int32_t> tokens;
  std::int32_t bos = 1;
  std::int64_t vocabulary = 0;  ///< of the tokenizer
};

/// Throws InputError when the tokenizer that made `text` does not have `vocabulary` pieces.
void expect_vocabulary(const std::string& tokenizer_path, const TokenizedText& text, std::int64_t vocabulary);

/// The text file as tokens. Throws InputError when a file cannot be read, the text is empty or the tokenizer
/// does not have `vocabulary` pieces (0: any). Collective (rank 0 reads).
TokenizedText read_tokens(const Communicator& comm, const std::string& text_path,
                          const std::string& tokenizer_path, std::int64_t vocabulary = 0);

}  // namespace wafermark::llama

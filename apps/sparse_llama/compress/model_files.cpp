#include "sparse_llama/compress/model_files.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/errors.hpp"
#include "sparse_llama/compress/parameters.hpp"
#include "sparse_llama/compress/training_state.hpp"
#include "sparse_llama/model/model_reader.hpp"
#include "sparse_llama/model/tokenizer.hpp"

namespace wafermark::llama {

FlatModel read_flat_model(const Communicator& comm, const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;  // what cannot be looked at is the readers' to complain about
  const std::string state_path = fs::is_directory(path, error) ? path + "/state.h5" : path;
  if (fs::path(state_path).extension() == ".h5" && fs::exists(state_path, error)) {
    TrainingState state = read_training_state(comm, state_path);
    return {state.configuration, std::move(state.parameters)};
  }
  DenseWeights weights = read_model(path);
  const Configuration configuration = weights.configuration;
  return {configuration, flatten(std::move(weights))};
}

void write_flat_model(const Communicator& comm, const std::string& folder, const FlatModel& model) {
  write_training_state(comm, folder + "/state.h5",
                       start_training(model.configuration, model.parameters, true));
}

void expect_vocabulary(const std::string& tokenizer_path, const TokenizedText& text,
                       std::int64_t vocabulary) {
  if (text.vocabulary != vocabulary)
    throw InputError(fmt::format("{}: found {} pieces, expected the model's vocabulary of {}", tokenizer_path,
                                 text.vocabulary, vocabulary));
}

TokenizedText read_tokens(const Communicator& comm, const std::string& text_path,
                          const std::string& tokenizer_path, std::int64_t vocabulary) {
  TokenizedText text;
  std::string error;
  if (comm.is_root()) {
    std::ifstream in(text_path, std::ios::binary);
    std::stringstream content;
    content << in.rdbuf();
    try {
      const auto tokenizer = read_tokenizer(tokenizer_path);
      if (!in) throw InputError(fmt::format("{}: cannot be read, expected a text", text_path));
      text.tokens = tokenizer->encode(content.str());
      text.bos = tokenizer->bos();
      text.vocabulary = tokenizer->vocabulary();
      if (text.tokens.empty())
        throw InputError(fmt::format("{}: found an empty file, expected a text", text_path));
    } catch (const InputError& bad) {
      error = bad.what();
    }
  }
  comm.throw_together(!error.empty(), error);
  comm.broadcast(text.tokens);
  comm.broadcast(text.bos);
  comm.broadcast(text.vocabulary);
  if (vocabulary != 0) expect_vocabulary(tokenizer_path, text, vocabulary);
  return text;
}

}  // namespace wafermark::llama

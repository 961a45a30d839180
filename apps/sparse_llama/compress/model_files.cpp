#include "sparse_llama/compress/model_files.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <span>

#include "common/errors.hpp"
#include "common/hdf5_file.hpp"
#include "common/memory.hpp"
#include "common/results/result.hpp"
#include "sparse_llama/compress/parameters.hpp"
#include "sparse_llama/compress/training_state.hpp"
#include "sparse_llama/model/configuration_file.hpp"
#include "sparse_llama/model/memory_need.hpp"
#include "sparse_llama/model/model_reader.hpp"
#include "sparse_llama/model/text_file.hpp"
#include "sparse_llama/model/tokenizer.hpp"
#include "sparse_llama/model/weight_files.hpp"

namespace wafermark::llama {

namespace {

namespace fs = std::filesystem;

/// The training state that a path means, or "".
std::string state_of(const std::string& path) {
  std::error_code error;  // what cannot be looked at is the readers' to complain about
  const fs::path state = fs::is_directory(path, error) ? fs::path(path) / "state.h5" : fs::path(path);
  return state.extension() == ".h5" && fs::is_regular_file(state, error) ? state.string() : "";
}

}  // namespace

bool is_training_state(const std::string& path) {
  const std::string state = state_of(path);
  return !state.empty() && Hdf5File::open(Communicator(MPI_COMM_SELF), state).exists("/parameters");
}

void require_room_for(const Communicator& comm, const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return;  // a single file is as large as its weights, and is there
  const Configuration c = read_configuration(path + "/config.json");
  require_memory(comm, sizeof(float) * weight_count(c),
                 fmt::format("{}: {:.4g} weights", path, weight_count(c)));
  if (comm.is_root()) fmt::print("{}", note_on_other_weights(path));
}

Configuration configuration_of_model(const Communicator& comm, const std::string& path) {
  if (const std::string state_path = state_of(path); !state_path.empty())
    return read_stored_configuration(comm, state_path);
  const Configuration c = model_source(path).configuration;
  expect_llama(c, path, "training");
  return c;
}

FlatModel read_flat_model(const Communicator& comm, const std::string& path) {
  if (const std::string state_path = state_of(path); !state_path.empty()) {
    StoredModel stored = read_stored_model(comm, state_path);
    return {stored.configuration, std::move(stored.parameters), folder_of_model(state_path)};
  }
  expect_llama(model_source(path).configuration, path, "training");
  require_room_for(comm, path);
  DenseWeights weights = read_model(path);
  const Configuration configuration = weights.configuration;
  return {configuration, flatten(std::move(weights)), folder_of_model(path)};
}

void expect_another_folder(const std::string& out, const std::string& folder) {
  std::error_code error;
  if (!folder.empty() && fs::equivalent(out, folder, error))
    throw InputError(fmt::format("{}: found the folder of the model, expected another one to write to", out));
}

void write_companions(const Communicator& comm, const std::string& folder, const nlohmann::json& config,
                      const Companions& companions) {
  std::string problem;
  if (comm.is_root()) {
    try {
      copy_companions(companions, folder);
      write_text_file(folder + "/config.json", config.dump(2) + "\n");
    } catch (const std::exception& e) {
      problem = message_of(e);
    }
  }
  comm.throw_together(!problem.empty(), problem);
}

TokenizedText read_tokens(const Communicator& comm, const std::string& text_path,
                          const std::string& tokenizer_path, std::int64_t rows) {
  TokenizedText text;
  std::string error;
  if (comm.is_root()) {
    try {
      const auto tokenizer = read_tokenizer(tokenizer_path);
      const std::string content = read_text(text_path);
      require_memory(Communicator(MPI_COMM_SELF), tokenizer->encode_bytes(content.size()),
                     fmt::format("{}: {} bytes to encode", text_path, content.size()));
      text.tokens = tokenizer->encode(content);
      text.bos = tokenizer->bos();
      text.vocabulary = tokenizer->vocabulary();
      text.ends = tokenizer->ends();
      if (!text.tokens.empty() && text.tokens.front() == text.bos) text.tokens.erase(text.tokens.begin());
      if (text.tokens.empty())
        throw InputError(fmt::format("{}: found an empty file, expected a text", text_path));
      if (rows > 0) {
        expect_fits(*tokenizer, rows);
        expect_rows(text.tokens, rows, text_path);
        if (text.bos >= 0) expect_rows(std::span(&text.bos, 1), rows, tokenizer->path());
      }
    } catch (const InputError& bad) {
      error = bad.what();
    }
  }
  comm.throw_together(!error.empty(), error);
  comm.broadcast(text.tokens);
  comm.broadcast(text.bos);
  comm.broadcast(text.vocabulary);
  comm.broadcast(text.ends);
  return text;
}

}  // namespace wafermark::llama

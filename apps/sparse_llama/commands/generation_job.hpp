// What `run` goes on with: prompts from the command line, from a file, or made up.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "sparse_llama/cluster/generation.hpp"
#include "sparse_llama/model/configuration.hpp"
#include "sparse_llama/model/tokenizer.hpp"

namespace wafermark::llama {

struct PromptOptions {
  std::string tokenizer;
  std::optional<std::string> prompt, prompt_file;
  std::int64_t prompt_tokens = 64, tokens = 64, sequences = 1;
  SamplingSettings sampling;
  bool ignore_end = false;

  void add_to(CLI::App& command);
};

/// Checked against the model.
struct GenerationJob {
  std::unique_ptr<Tokenizer> tokenizer;  ///< null when the model has none and none was given
  std::string source;                    ///< of the prompts: an option's name
  std::vector<Prompt> prompts;
  GenerationSettings settings;
  std::int64_t capacity = 0;  ///< tokens of the longest sequence
  bool listed = false;        ///< the prompts are those of a file, each by itself

  /// `model`: its path, "" of made-up weights. Throws InputError that names the option or the line of the
  /// file. Collective.
  GenerationJob(const Communicator& comm, const PromptOptions& options, const std::string& model,
                const Configuration& configuration);

  std::int64_t longest_prompt() const;
  std::int64_t longest_made() const;  ///< tokens that a prompt may be gone on with, at most
  std::int64_t asked_for() const;     ///< the same of all prompts together
  /// Prompts wait for slots or come later than the others.
  bool waits() const;
  /// What was asked for, as it was used.
  nlohmann::json section(const PromptOptions& options) const;

 private:
  void add(std::vector<std::int32_t> tokens, std::int64_t more, double arrival, std::uint64_t draws,
           const std::string& where, const Configuration& c);
  void read_file(const Communicator& comm, const PromptOptions& options, const Configuration& c);
};

}  // namespace wafermark::llama

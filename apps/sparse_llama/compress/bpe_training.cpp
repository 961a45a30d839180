#include "sparse_llama/compress/bpe_training.hpp"

#include <fmt/format.h>
#include <sentencepiece_trainer.h>

#include <filesystem>
#include <fstream>
#include <unordered_map>

#include "common/errors.hpp"
#include "common/mapped_file.hpp"

namespace wafermark::llama {

void train_bpe(const std::string& text_path, std::int64_t vocabulary, const std::string& model_path) {
  if (MappedFile(text_path).bytes().empty())  // the library reads the file by itself, for as long as it gives
    throw InputError(fmt::format("{}: found an empty file, expected a text", text_path));
  const std::string part = model_path + ".part";
  if (std::ofstream probe(part + ".model"); !probe)  // the library would blame the text
    throw InputError(fmt::format("{}: cannot be written to, expected a writable place", model_path));
  const std::unordered_map<std::string, std::string> arguments{
      {"input", text_path},
      {"model_prefix", part},
      {"model_type", "bpe"},
      {"vocab_size", std::to_string(vocabulary)},
      {"character_coverage", "1.0"},
      {"normalization_rule_name", "identity"},
      {"remove_extra_whitespaces", "false"},
      {"add_dummy_prefix", "false"},
      {"user_defined_symbols", "\n"},
      {"input_sentence_size", "0"},
      {"max_sentence_length", "1000000"},
      {"minloglevel", "2"},
  };
  const auto status = sentencepiece::SentencePieceTrainer::Train(arguments);
  std::filesystem::remove(part + ".vocab");
  if (!status.ok()) {
    std::filesystem::remove(part + ".model");
    throw InputError(fmt::format("{}: {}", text_path, status.ToString()));
  }
  std::filesystem::rename(part + ".model", model_path);
}

}  // namespace wafermark::llama

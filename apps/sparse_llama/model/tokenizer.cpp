#include "sparse_llama/model/tokenizer.hpp"

#include <filesystem>

namespace wafermark::llama {

std::unique_ptr<Tokenizer> read_tokenizer(const std::string& path) {
  return path.ends_with(".bin") ? read_llama2c_tokenizer(path) : read_sentencepiece_tokenizer(path);
}

std::string tokenizer_beside(const std::string& model) {
  const std::string path = model + "/tokenizer.model";
  return std::filesystem::exists(path) ? path : "";
}

}  // namespace wafermark::llama

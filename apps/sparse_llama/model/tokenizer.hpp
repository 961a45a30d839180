// Text to tokens and back.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace wafermark::llama {

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  /// Without a token for the beginning.
  virtual std::vector<std::int32_t> encode(const std::string& text) const = 0;
  /// The bytes that `token` adds behind `previous` (-1: nothing before it). A character of several bytes may
  /// come in several tokens.
  virtual std::string decode(std::int32_t token, std::int32_t previous) const = 0;
  virtual std::int64_t vocabulary() const = 0;
  virtual std::int32_t bos() const = 0;  ///< "text begins here"; -1 when the tokenizer has none
  virtual std::int32_t eos() const = 0;  ///< "text ends here"; -1 when the tokenizer has none
};

/// Reads a SentencePiece model (*.model) or a llama2.c tokenizer (*.bin). Throws InputError that names the
/// file.
std::unique_ptr<Tokenizer> read_tokenizer(const std::string& path);

/// The tokenizer in a model's folder: tokenizer.model. Empty path when there is none.
std::string tokenizer_beside(const std::string& model);

std::unique_ptr<Tokenizer> read_llama2c_tokenizer(const std::string& path);
std::unique_ptr<Tokenizer> read_sentencepiece_tokenizer(const std::string& path);

}  // namespace wafermark::llama

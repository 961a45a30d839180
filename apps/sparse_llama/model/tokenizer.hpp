// Text to tokens and back, whatever file the vocabulary comes in.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sparse_llama/model/special_tokens.hpp"

namespace wafermark::llama {

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// The tokens of a text, any bytes, without bos.
  virtual std::vector<std::int32_t> encode(std::string_view text) const = 0;
  /// The bytes of one token: nothing for control tokens and for numbers that are none, perhaps a part of a
  /// UTF-8 character (TextStream puts them together).
  virtual std::string decode(std::int32_t token) const = 0;
  /// One more than the largest token.
  virtual std::int64_t vocabulary() const = 0;
  /// The same without tokens that were added later, which a model need not have rows for.
  virtual std::int64_t learnt_vocabulary() const { return vocabulary(); }

  /// Memory that encode() takes at most for a text of so many bytes.
  double encode_bytes(std::size_t text) const { return bytes_for_a_byte_ * double(text); }
  /// encode(text) between bos and eos, where the tokenizer puts them there and the text does not begin or end
  /// with them by itself. Empty when nothing is left of the text and there is no bos.
  std::vector<std::int32_t> prompt(std::string_view text) const;
  /// The token that goes before a text; -1: none does.
  std::int32_t bos() const { return special_.bos; }
  /// The tokens that end a text; the first is the usual one.
  const std::vector<std::int32_t>& ends() const { return special_.ends; }
  /// encode() puts a blank before the text, which a reader of the tokens has to drop.
  bool adds_blank() const { return adds_blank_; }
  /// What the file is called in a model's folder: tokenizer.model, tokenizer.json or tokenizer.bin.
  const std::string& file_name() const { return file_name_; }
  const std::string& path() const { return path_; }

 protected:
  Tokenizer(std::string path, std::string file_name)
      : path_(std::move(path)), file_name_(std::move(file_name)) {}
  void use(SpecialTokens special) { special_ = std::move(special); }
  bool adds_blank_ = false;
  double bytes_for_a_byte_ =
      130;  ///< measured with 24 MB of English: SentencePiece 110, BPE of whole texts 50

 private:
  SpecialTokens special_;
  std::string path_, file_name_;
};

/// Throws InputError unless each token has a row in a table of `rows`: models may have more rows than their
/// tokenizer has tokens, never fewer than a text uses. `whose` begins the message.
void expect_rows(std::span<const std::int32_t> tokens, std::int64_t rows, const std::string& whose);

/// Throws InputError when the tokenizer's learnt pieces are more than a model's `rows`: it is another
/// model's.
void expect_fits(const Tokenizer& tokenizer, std::int64_t rows);

/// A SentencePiece model (*.model), a Hugging Face tokenizer.json of BPE (*.json), llama2.c's *.bin, or a
/// folder with one of them. Throws InputError: not there, damaged, of a kind that is not supported.
std::unique_ptr<Tokenizer> read_tokenizer(const std::string& path);

/// The folder with a model's other files: itself, of *.h5 the one that it lies in, "" of others.
std::string folder_of_model(const std::string& model);

/// The tokenizer in folder_of_model(model): tokenizer.model, else
/// tokenizer.json, else tokenizer.bin; "" when there is none.
std::string tokenizer_beside(const std::string& model);

/// Text out of tokens as they come: whole UTF-8 characters only, bytes that make none as U+FFFD, without the
/// blank that the tokenizer puts before a text.
class TextStream {
 public:
  explicit TextStream(const Tokenizer& tokenizer)
      : tokenizer_(tokenizer), drop_blank_(tokenizer.adds_blank()) {}
  /// What can be said after this token; the rest waits for the next.
  std::string next(std::int32_t token);
  /// What still waits.
  std::string finish();

 private:
  const Tokenizer& tokenizer_;
  bool drop_blank_;
  std::string waiting_;
};

/// The text of all tokens at once.
std::string decode_text(const Tokenizer& tokenizer, std::span<const std::int32_t> tokens);

}  // namespace wafermark::llama

#include "sparse_llama/model/tokenizer.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "common/errors.hpp"
#include "sparse_llama/model/tokenizer_kinds.hpp"
#include "sparse_llama/model/utf8.hpp"

namespace wafermark::llama {

namespace fs = std::filesystem;

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, bool with_bos) const {
  std::vector<std::int32_t> tokens = encode(text);
  if (!with_bos) return tokens;
  if (bos_ < 0)
    throw InputError(
        fmt::format("{}: found no bos token, expected one (bos_token_id in config.json)", path_));
  tokens.insert(tokens.begin(), bos_);
  return tokens;
}

std::unique_ptr<Tokenizer> read_tokenizer(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    const std::string inside = tokenizer_beside(path);
    if (inside.empty())
      throw InputError(
          fmt::format("{}: found no tokenizer.model, tokenizer.json or tokenizer.bin, expected one", path));
    return read_tokenizer(inside);
  }
  const fs::path kind = fs::path(path).extension();
  if (kind == ".json") return read_byte_level_tokenizer(path);
  if (kind == ".bin") return read_llama2c_tokenizer(path);
  return read_sentencepiece_tokenizer(path);
}

std::string tokenizer_beside(const std::string& model) {
  std::error_code error;
  for (const char* name : {"tokenizer.model", "tokenizer.json", "tokenizer.bin"})
    if (fs::is_regular_file(model + "/" + name, error)) return model + "/" + name;
  return "";
}

std::string TextStream::next(std::int32_t token) {
  waiting_ += tokenizer_.decode(token);
  if (drop_blank_ && !waiting_.empty()) {
    if (waiting_[0] == ' ') waiting_.erase(0, 1);
    drop_blank_ = false;
  }
  std::string text;
  std::string_view rest = waiting_;
  while (!rest.empty()) {
    const Utf8Step step = utf8_step(rest);
    if (step.kind == Utf8Step::cut) break;
    text += step.kind == Utf8Step::character ? rest.substr(0, step.length) : "\ufffd";
    rest.remove_prefix(step.length);
  }
  waiting_ = std::string(rest);
  return text;
}

std::string TextStream::finish() {
  const bool cut = !waiting_.empty();
  waiting_.clear();
  return cut ? "\ufffd" : "";
}

std::string decode_text(const Tokenizer& tokenizer, std::span<const std::int32_t> tokens) {
  TextStream stream(tokenizer);
  std::string text;
  for (const std::int32_t token : tokens) text += stream.next(token);
  return text + stream.finish();
}

}  // namespace wafermark::llama

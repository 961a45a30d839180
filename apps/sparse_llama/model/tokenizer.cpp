#include "sparse_llama/model/tokenizer.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "common/errors.hpp"
#include "common/mapped_file.hpp"
#include "sparse_llama/model/json_text.hpp"
#include "sparse_llama/model/tokenizer_kinds.hpp"
#include "sparse_llama/model/utf8.hpp"

namespace wafermark::llama {

namespace fs = std::filesystem;

std::vector<std::int32_t> Tokenizer::prompt(std::string_view text) const {
  std::vector<std::int32_t> tokens = encode(text);
  if (special_.bos >= 0 && (tokens.empty() || tokens.front() != special_.bos))
    tokens.insert(tokens.begin(), special_.bos);
  if (special_.behind >= 0 && (tokens.empty() || tokens.back() != special_.behind))
    tokens.push_back(special_.behind);
  return tokens;
}

void expect_rows(std::span<const std::int32_t> tokens, std::int64_t rows, const std::string& whose) {
  for (const std::int32_t token : tokens)
    if (token < 0 || token >= rows)
      throw InputError(fmt::format("{}: found the token {}, expected 0 to {}, the rows of the model's table",
                                   whose, token, rows - 1));
}

void expect_fits(const Tokenizer& tokenizer, std::int64_t rows) {
  if (tokenizer.learnt_vocabulary() > rows)
    throw InputError(fmt::format("{}: found {} pieces, expected at most the model's vocabulary of {}",
                                 tokenizer.path(), tokenizer.learnt_vocabulary(), rows));
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
  if (kind == ".json") {
    const nlohmann::json file = parse_json(MappedFile(path).bytes(), path);
    const bool characters = member(member(file, "model"), "byte_fallback") == true;
    return characters ? read_marked_blank_tokenizer(path, file) : read_byte_level_tokenizer(path, file);
  }
  if (kind == ".bin") return read_llama2c_tokenizer(path);
  return read_sentencepiece_tokenizer(path);
}

std::string folder_of_model(const std::string& model) {
  std::error_code error;
  if (fs::is_directory(model, error)) return model;
  if (fs::path(model).extension() != ".h5") return "";
  const std::string parent = fs::path(model).parent_path().string();
  return parent.empty() ? "." : parent;
}

std::string tokenizer_beside(const std::string& model) {
  std::error_code error;
  const fs::path folder = folder_of_model(model);
  if (folder.empty()) return "";
  for (const char* name : {"tokenizer.model", "tokenizer.json", "tokenizer.bin"})
    if (fs::is_regular_file(folder / name, error)) return (folder / name).string();
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

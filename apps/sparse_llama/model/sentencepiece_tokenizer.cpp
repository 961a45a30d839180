#include <fmt/format.h>
#include <sentencepiece_processor.h>

#include <algorithm>
#include <filesystem>

#include "common/errors.hpp"
#include "common/mapped_file.hpp"
#include "sparse_llama/model/added_tokens.hpp"
#include "sparse_llama/model/blank_mark.hpp"
#include "sparse_llama/model/json_text.hpp"
#include "sparse_llama/model/tokenizer_kinds.hpp"

namespace wafermark::llama {
namespace {

class SentencePieceTokenizer final : public Tokenizer {
 public:
  explicit SentencePieceTokenizer(const std::string& path) : Tokenizer(path, "tokenizer.model") {
    if (!load(path) || processor_.GetPieceSize() < 1)
      throw InputError(fmt::format("{}: cannot be read, expected a SentencePiece model", path));
    const auto tokens = plain_tokens("a");
    adds_blank_ = !tokens.empty() && processor_.IdToPiece(tokens[0]).starts_with(blank_mark);
    const std::string folder = std::filesystem::path(path).parent_path().string();
    for (int token = 0; token < processor_.GetPieceSize(); ++token)  // the library never finds them in a text
      if (processor_.IsControl(token) || processor_.IsUnknown(token))
        added_.add({processor_.IdToPiece(token), token, true});
    add_tokens_beside(folder, added_);
    const auto names =
        read_object_if_there((std::filesystem::path(folder) / "tokenizer_config.json").string());
    blank_behind_added_ = member(names, "legacy") != false;
    OwnTokens own{{}, processor_.bos_id(), processor_.eos_id(), vocabulary(), {}};
    own.find = [this](const std::string& text) -> std::optional<std::int32_t> {
      if (const auto token = added_.find(text)) return token;
      const int token = processor_.PieceToId(text);
      return processor_.IdToPiece(token) == text ? std::optional(token) : std::nullopt;
    };
    use(read_special_tokens(folder, own));
  }

  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> tokens;
    added_.split(
        text,
        [&](std::string_view plain) {
          const auto more =
              tokens.empty() || blank_behind_added_ ? plain_tokens(plain) : continued_tokens(plain);
          tokens.insert(tokens.end(), more.begin(), more.end());
        },
        [&](std::int32_t token) { tokens.push_back(token); });
    return tokens;
  }

  std::string decode(std::int32_t token) const override {
    const bool learnt = token >= 0 && token < processor_.GetPieceSize();
    if (learnt && processor_.IsUnknown(token)) return " \u2047 ";  // as the library decodes it
    if (const auto text = added_.decoded(token)) return *text;
    if (!learnt) return "";
    const std::string piece = processor_.IdToPiece(token);
    if (processor_.IsByte(token)) return {char(std::stoi(piece.substr(3, 2), nullptr, 16))};
    return with_blanks(piece);
  }

  std::int64_t vocabulary() const override { return std::max(learnt_vocabulary(), added_.end()); }
  std::int64_t learnt_vocabulary() const override { return processor_.GetPieceSize(); }

 private:
  bool load(const std::string& path) {
    const MappedFile file(path);
    try {
      return !file.bytes().empty() && processor_.LoadFromSerializedProto(file.bytes()).ok();
    } catch (const std::exception&) {  // the library's own dictionary throws, the rest of it returns
      return false;
    }
  }

  std::vector<std::int32_t> plain_tokens(std::string_view text) const {
    std::vector<int> tokens;
    if (!processor_.Encode(text, &tokens).ok())
      throw InputError(fmt::format("{}: cannot encode the text", path()));
    return {tokens.begin(), tokens.end()};
  }

  /// Without the blank that the library puts before a text: what stands in front of it takes the blank
  /// (transformers' "legacy": false does the same).
  std::vector<std::int32_t> continued_tokens(std::string_view text) const {
    const std::string front = "\u27e8";  // a character that merges with none
    const auto alone = plain_tokens(front);
    auto tokens = plain_tokens(front + std::string(text));
    tokens.erase(tokens.begin(), tokens.begin() + std::ptrdiff_t(std::min(alone.size(), tokens.size())));
    return tokens;
  }

  AddedTokens added_;
  bool blank_behind_added_ = true;  // texts behind added tokens get a blank before them as well
  sentencepiece::SentencePieceProcessor processor_;
};

}  // namespace

std::unique_ptr<Tokenizer> read_sentencepiece_tokenizer(const std::string& path) {
  return std::make_unique<SentencePieceTokenizer>(path);
}

}  // namespace wafermark::llama

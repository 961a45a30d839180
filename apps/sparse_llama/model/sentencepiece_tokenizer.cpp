#include <fmt/format.h>
#include <sentencepiece_processor.h>

#include "common/errors.hpp"
#include "common/mapped_file.hpp"
#include "sparse_llama/model/tokenizer_kinds.hpp"

namespace wafermark::llama {
namespace {

constexpr std::string_view blank_mark = "\u2581";  // how pieces write a blank

class SentencePieceTokenizer final : public Tokenizer {
 public:
  explicit SentencePieceTokenizer(const std::string& path) : Tokenizer(path, "tokenizer.model") {
    const MappedFile file(path);
    if (file.bytes().empty() || !processor_.LoadFromSerializedProto(file.bytes()).ok() ||
        processor_.GetPieceSize() < 1)
      throw InputError(fmt::format("{}: cannot be read, expected a SentencePiece model", path));
    bos_ = processor_.bos_id();
    if (processor_.eos_id() >= 0) ends_ = {processor_.eos_id()};
    const auto tokens = encode("a");
    adds_blank_ = !tokens.empty() && processor_.IdToPiece(tokens[0]).starts_with(blank_mark);
  }

  using Tokenizer::encode;
  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<int> tokens;
    if (!processor_.Encode(text, &tokens).ok())
      throw InputError(fmt::format("{}: cannot encode the text", path()));
    return {tokens.begin(), tokens.end()};
  }

  std::string decode(std::int32_t token) const override {
    if (token < 0 || token >= processor_.GetPieceSize() || processor_.IsControl(token)) return "";
    if (processor_.IsUnknown(token)) return " \u2047 ";  // as the library decodes it
    std::string piece = processor_.IdToPiece(token);
    if (processor_.IsByte(token)) return {char(std::stoi(piece.substr(3, 2), nullptr, 16))};
    for (std::size_t at = 0; (at = piece.find(blank_mark, at)) != std::string::npos; ++at)
      piece.replace(at, blank_mark.size(), " ");
    return piece;
  }

  std::int64_t vocabulary() const override { return processor_.GetPieceSize(); }

 private:
  sentencepiece::SentencePieceProcessor processor_;
};

}  // namespace

std::unique_ptr<Tokenizer> read_sentencepiece_tokenizer(const std::string& path) {
  return std::make_unique<SentencePieceTokenizer>(path);
}

}  // namespace wafermark::llama

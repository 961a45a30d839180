#include <fmt/format.h>
#include <sentencepiece_processor.h>

#include "common/errors.hpp"
#include "sparse_llama/model/tokenizer.hpp"

namespace wafermark::llama {
namespace {

class SentencePieceTokenizer : public Tokenizer {
 public:
  explicit SentencePieceTokenizer(const std::string& path) {
    if (!processor_.Load(path).ok())
      throw InputError(fmt::format("{}: cannot be read, expected a SentencePiece model", path));
  }
  std::vector<std::int32_t> encode(const std::string& text) const override {
    std::vector<int> ids;
    processor_.Encode(text, &ids);
    return {ids.begin(), ids.end()};
  }
  std::string decode(std::int32_t token, std::int32_t previous) const override {
    if (processor_.IsControl(token)) return "";
    if (processor_.IsUnknown(token)) return " \u2047 ";
    const std::string& piece = processor_.IdToPiece(token);
    if (processor_.IsByte(token)) return std::string(1, char(std::stoi(piece.substr(3, 2), nullptr, 16)));
    std::string text;
    static const std::string space = "\u2581";
    for (std::size_t i = 0; i < piece.size();)
      if (piece.compare(i, space.size(), space) == 0) {
        text += ' ';
        i += space.size();
      } else {
        text += piece[i++];
      }
    // The first word's space is the tokenizer's own.
    return (previous < 0 || previous == bos()) && text.starts_with(' ') ? text.substr(1) : text;
  }
  std::int64_t vocabulary() const override { return processor_.GetPieceSize(); }
  std::int32_t bos() const override { return processor_.bos_id(); }
  std::int32_t eos() const override { return processor_.eos_id(); }

 private:
  sentencepiece::SentencePieceProcessor processor_;
};

}  // namespace

std::unique_ptr<Tokenizer> read_sentencepiece_tokenizer(const std::string& path) {
  return std::make_unique<SentencePieceTokenizer>(path);
}

}  // namespace wafermark::llama

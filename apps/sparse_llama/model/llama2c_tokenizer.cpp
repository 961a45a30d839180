#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <unordered_map>

#include "common/errors.hpp"
#include "common/mapped_file.hpp"
#include "sparse_llama/model/byte_pair_merging.hpp"
#include "sparse_llama/model/tokenizer_kinds.hpp"

namespace wafermark::llama {
namespace {

constexpr std::int32_t unknown = 0, begin = 1, end = 2;  // the format fixes them

/// The byte that a piece like "<0x0A>" stands for, else -1.
int byte_of(const std::string& piece) {
  unsigned byte = 0;
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return -1;
  const auto [stop, error] = std::from_chars(piece.data() + 3, piece.data() + 5, byte, 16);
  return error == std::errc() && stop == piece.data() + 5 ? int(byte) : -1;
}

class Llama2cTokenizer final : public Tokenizer {
 public:
  explicit Llama2cTokenizer(const std::string& path) : Tokenizer(path, "tokenizer.bin") {
    read_pieces();
    use({begin, -1, {end, begin}});  // models of llama2.c begin the next text when one is over
    adds_blank_ = true;
    byte_tokens_.assign(256, unknown);
    for (std::int32_t t = end + 1; t < std::int32_t(pieces_.size()); ++t) {
      const std::string& piece = pieces_[std::size_t(t)];
      if (const int byte = byte_of(piece); byte >= 0)
        byte_tokens_[std::size_t(byte)] = t;
      else if (!piece.empty())
        tokens_.emplace(piece, t);  // the first of equal ones
    }
  }

  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> tokens;
    if (text.empty()) return tokens;
    append(tokens, " ");
    for (std::size_t at = 0, length = 1; at < text.size(); at += length, length = 1) {
      const auto continues = [&](std::size_t i) { return i < text.size() && (text[i] & 0xc0) == 0x80; };
      while (length < 4 && continues(at + length)) ++length;
      append(tokens, text.substr(at, length));
    }
    std::string both;
    merge_pairs(tokens, [&](std::int32_t left, std::int32_t right) -> std::optional<Merge> {
      if (left == unknown || right == unknown) return std::nullopt;
      both = pieces_[std::size_t(left)];
      both += pieces_[std::size_t(right)];
      const auto found = tokens_.find(both);
      if (found == tokens_.end()) return std::nullopt;
      return Merge{-double(scores_[std::size_t(found->second)]), found->second};
    });
    return tokens;
  }

  std::string decode(std::int32_t token) const override {
    if (token == begin || token == end || token < 0 || token >= vocabulary()) return "";
    const std::string& piece = pieces_[std::size_t(token)];
    const int byte = byte_of(piece);
    return byte < 0 ? piece : std::string{char(byte)};
  }

  std::int64_t vocabulary() const override { return std::int64_t(pieces_.size()); }

 private:
  /// The token of one character, or those of its bytes. Unknown ones in a row count as one, as in
  /// SentencePiece.
  void append(std::vector<std::int32_t>& tokens, std::string_view character) const {
    const auto push = [&](std::int32_t token) {
      if (token != unknown || tokens.empty() || tokens.back() != unknown) tokens.push_back(token);
    };
    const auto found = tokens_.find(std::string(character));
    if (found != tokens_.end()) return push(found->second);
    for (const char byte : character) push(byte_tokens_[static_cast<unsigned char>(byte)]);
  }

  void read_pieces() {
    const MappedFile file(path());
    std::string_view rest = file.bytes();
    const auto fail = [&](const std::string& found, const std::string& expected) {
      throw InputError(fmt::format("{}: found {} at byte {}, expected {}", path(), found,
                                   file.bytes().size() - rest.size(), expected));
    };
    const auto take = [&]<class T>(T& value) {
      if (rest.size() < sizeof value) fail("the end of the file", "more pieces of a llama2.c tokenizer");
      std::memcpy(&value, rest.data(), sizeof value);
      rest.remove_prefix(sizeof value);
    };
    std::int32_t longest = 0;
    take(longest);
    if (longest < 1) fail(fmt::format("a longest piece of {}", longest), "a llama2.c tokenizer");
    while (!rest.empty()) {
      float score = 0;
      std::int32_t length = 0;
      take(score);
      take(length);
      if (!std::isfinite(score)) fail(fmt::format("the score {}", score), "a number");
      if (length < 0 || std::size_t(length) > rest.size())
        fail(fmt::format("a piece of {} bytes", length),
             fmt::format("at most the {} that are left", rest.size()));
      pieces_.emplace_back(rest.substr(0, std::size_t(length)));
      scores_.push_back(score);
      rest.remove_prefix(std::size_t(length));
    }
    if (pieces_.size() <= std::size_t(end))
      fail(fmt::format("{} pieces", pieces_.size()), "those for unknown, begin and end, and more");
  }

  std::vector<std::string> pieces_;
  std::vector<float> scores_;
  std::vector<std::int32_t> byte_tokens_;
  std::unordered_map<std::string, std::int32_t> tokens_;
};

}  // namespace

std::unique_ptr<Tokenizer> read_llama2c_tokenizer(const std::string& path) {
  return std::make_unique<Llama2cTokenizer>(path);
}

}  // namespace wafermark::llama

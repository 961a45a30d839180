#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <queue>
#include <unordered_map>

#include "common/errors.hpp"
#include "sparse_llama/model/tokenizer.hpp"

namespace wafermark::llama {
namespace {

constexpr std::int32_t unknown_token = 0, bos_token = 1, eos_token = 2, first_byte = 3;

/// Pieces with scores: characters, then the pair of neighbours whose piece scores best, until none is left.
class Llama2cTokenizer : public Tokenizer {
 public:
  explicit Llama2cTokenizer(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    if (!in.is_open() || bytes.size() < 4)
      throw InputError(fmt::format("{}: cannot be read, expected a llama2.c tokenizer", path));
    for (std::size_t at = 4; at < bytes.size();) {  // behind the longest piece's length, which nobody needs
      float score = 0;
      std::int32_t length = -1;
      if (bytes.size() - at >= 8) {
        std::memcpy(&score, bytes.data() + at, 4);
        std::memcpy(&length, bytes.data() + at + 4, 4);
      }
      if (length < 0 || std::size_t(length) > bytes.size() - at - 8)
        throw InputError(fmt::format("{}: found piece {} of {} bytes, expected one that ends inside the file",
                                     path, pieces_.size(), length));
      pieces_.push_back(bytes.substr(at + 8, std::size_t(length)));
      scores_.push_back(score);
      at += 8 + std::size_t(length);
    }
    if (pieces_.size() <= std::size_t(eos_token))
      throw InputError(fmt::format("{}: found {} pieces, expected more", path, pieces_.size()));
    has_bytes_ = pieces_.size() >= std::size_t(first_byte) + 256 && pieces_[first_byte] == "<0x00>";
    for (std::size_t i = 0; i < pieces_.size(); ++i) numbers_.emplace(pieces_[i], std::int32_t(i));
  }

  std::vector<std::int32_t> encode(const std::string& text) const override {
    if (text.empty()) return {};
    std::vector<std::int32_t> tokens;  // -1: merged into the one before
    const std::string spaced = " " + text;
    for (std::size_t at = 0; at < spaced.size();) {
      std::size_t length = 1;  // of a UTF-8 character
      while (length < 4 && at + length < spaced.size() && (spaced[at + length] & 0xc0) == 0x80) ++length;
      const auto found = numbers_.find(spaced.substr(at, length));
      if (found != numbers_.end())
        tokens.push_back(found->second);
      else
        for (std::size_t i = 0; i < (has_bytes_ ? length : 1); ++i)
          tokens.push_back(has_bytes_ ? first_byte + static_cast<unsigned char>(spaced[at + i])
                                      : unknown_token);
      at += length;
    }
    merge(tokens);
    return tokens;
  }

  std::string decode(std::int32_t token, std::int32_t previous) const override {
    if (token == bos_token || token == eos_token || token < 0 || std::size_t(token) >= pieces_.size())
      return "";
    if (has_bytes_ && token >= first_byte && token < first_byte + 256)
      return std::string(1, char(token - first_byte));
    const std::string& piece = pieces_[std::size_t(token)];
    return previous <= bos_token && piece.starts_with(' ') ? piece.substr(1) : piece;
  }
  std::int64_t vocabulary() const override { return std::int64_t(pieces_.size()); }
  std::int32_t bos() const override { return bos_token; }
  std::int32_t eos() const override { return eos_token; }

 private:
  struct Pair {
    float score;
    std::size_t left, right;
    std::int32_t from_left, from_right, merged;
    /// The best score on top; of equal ones the leftmost.
    bool operator<(const Pair& other) const {
      return score != other.score ? score < other.score : left > other.left;
    }
  };

  void merge(std::vector<std::int32_t>& tokens) const {
    const std::size_t none = tokens.size();
    std::vector<std::size_t> before(tokens.size()), after(tokens.size());
    std::priority_queue<Pair> pairs;
    const auto consider = [&](std::size_t left, std::size_t right) {
      if (left == none || right == none) return;
      const auto found =
          numbers_.find(pieces_[std::size_t(tokens[left])] + pieces_[std::size_t(tokens[right])]);
      if (found != numbers_.end())
        pairs.push(
            {scores_[std::size_t(found->second)], left, right, tokens[left], tokens[right], found->second});
    };
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      before[i] = i == 0 ? none : i - 1;
      after[i] = i + 1 < tokens.size() ? i + 1 : none;
      if (i > 0) consider(i - 1, i);
    }
    while (!pairs.empty()) {
      const Pair p = pairs.top();
      pairs.pop();
      if (tokens[p.left] != p.from_left || tokens[p.right] != p.from_right || after[p.left] != p.right)
        continue;
      tokens[p.left] = p.merged;
      tokens[p.right] = -1;
      after[p.left] = after[p.right];
      if (after[p.left] != none) before[after[p.left]] = p.left;
      consider(before[p.left], p.left);
      consider(p.left, after[p.left]);
    }
    std::erase(tokens, -1);
  }

  std::vector<std::string> pieces_;
  std::vector<float> scores_;
  std::unordered_map<std::string, std::int32_t> numbers_;
  bool has_bytes_ = false;  ///< a piece for each byte, for characters that have none
};

}  // namespace

std::unique_ptr<Tokenizer> read_llama2c_tokenizer(const std::string& path) {
  return std::make_unique<Llama2cTokenizer>(path);
}

}  // namespace wafermark::llama

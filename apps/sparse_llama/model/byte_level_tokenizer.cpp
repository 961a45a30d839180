#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "common/errors.hpp"
#include "sparse_llama/model/bpe_tokenizer.hpp"
#include "sparse_llama/model/byte_alphabet.hpp"
#include "sparse_llama/model/json_text.hpp"
#include "sparse_llama/model/pre_tokenizer.hpp"
#include "sparse_llama/model/tokenizer_kinds.hpp"

namespace wafermark::llama {
namespace {

using nlohmann::json;

/// "normalizer": null and sequences of nothing leave texts alone.
bool changes_nothing(const json& normalizer) {
  if (normalizer.is_null()) return true;
  const json list = member(normalizer, "normalizers");
  return member(normalizer, "type") == "Sequence" && list.is_array() &&
         std::all_of(list.begin(), list.end(), changes_nothing);
}

/// "decoder": ByteLevel, alone or in a sequence.
bool decodes_bytes(const json& decoder) {
  if (decoder.is_null() || member(decoder, "type") == "ByteLevel") return true;
  const json list = member(decoder, "decoders");
  return member(decoder, "type") == "Sequence" && list.is_array() &&
         std::all_of(list.begin(), list.end(), decodes_bytes);
}

class ByteLevelTokenizer final : public BpeTokenizer {
 public:
  ByteLevelTokenizer(const std::string& path, const json& file)
      : BpeTokenizer(path, file,
                     {[](unsigned char byte) { return to_byte_alphabet(std::string(1, char(byte))); },
                      [](const std::string& piece) { return from_byte_alphabet(piece).value_or(piece); }}),
        pre_tokenizer_(member(file, "pre_tokenizer"), path) {
    bytes_for_a_byte_ = 10;  // measured: 5.4; words are merged one at a time
    expect_unchanged_bytes(file);
    whole_words_ = member(member(file, "model"), "ignore_merges") == true;
  }

  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> tokens;
    std::unordered_map<std::string, std::vector<std::int32_t>> known;  // words of this text
    added().split(
        text,
        [&](std::string_view plain) {
          pre_tokenizer_.split(plain, [&](std::string_view word) {
            const auto [entry, is_new] = known.try_emplace(std::string(word));
            if (is_new) entry->second = encode_word(word);
            tokens.insert(tokens.end(), entry->second.begin(), entry->second.end());
          });
        },
        [&](std::int32_t token) { tokens.push_back(token); });
    return tokens;
  }

 private:
  /// Everything that would change tokens and is not done here is refused.
  void expect_unchanged_bytes(const json& file) const {
    const auto expect = [&](bool right, const char* key, const char* expected) {
      if (!right)
        throw InputError(
            fmt::format("{}: {} = {}: expected {}", path(), key, shown(member(file, key)), expected));
    };
    expect(changes_nothing(member(file, "normalizer")), "normalizer", "null or an empty Sequence");
    expect(decodes_bytes(member(file, "decoder")), "decoder", "ByteLevel");
  }

  std::vector<std::int32_t> encode_word(std::string_view word) const {
    if (whole_words_)
      if (const auto found = model().find(to_byte_alphabet(word))) return {*found};
    std::vector<std::int32_t> tokens;
    push_bytes(word, tokens);
    model().merge(tokens);
    return tokens;
  }

  PreTokenizer pre_tokenizer_;
  bool whole_words_ = false;  // a word that is a piece is that token, whatever the merges say
};

}  // namespace

std::unique_ptr<Tokenizer> read_byte_level_tokenizer(const std::string& path, const json& file) {
  return std::make_unique<ByteLevelTokenizer>(path, file);
}

}  // namespace wafermark::llama

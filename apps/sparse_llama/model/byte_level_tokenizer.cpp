#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <unordered_map>

#include "common/errors.hpp"
#include "common/mapped_file.hpp"
#include "sparse_llama/model/byte_alphabet.hpp"
#include "sparse_llama/model/byte_pair_merging.hpp"
#include "sparse_llama/model/json_text.hpp"
#include "sparse_llama/model/pre_tokenizer.hpp"
#include "sparse_llama/model/special_tokens.hpp"
#include "sparse_llama/model/tokenizer_kinds.hpp"

namespace wafermark::llama {
namespace {

using nlohmann::json;

json part(const json& object, const char* key) {
  return object.is_object() ? object.value(key, json()) : json();
}

/// A token that stands for a text as it is, found before anything is cut.
struct AddedToken {
  std::string text;
  std::int32_t token = 0;
  bool special = false;  ///< not shown when decoded
};

class ByteLevelTokenizer final : public Tokenizer {
 public:
  explicit ByteLevelTokenizer(const std::string& path) : Tokenizer(path, "tokenizer.json") {
    const json file = parse_json(MappedFile(path).bytes(), path);
    const json model = part(file, "model");
    if (!model.is_object())
      throw InputError(fmt::format("{}: found no object 'model', expected a Hugging Face tokenizer", path));
    expect_byte_level(file, model);
    read_vocabulary(part(model, "vocab"));
    read_merges(part(model, "merges"));
    whole_words_ = part(model, "ignore_merges") == true;
    read_added_tokens(part(file, "added_tokens"));
    pre_tokenizer_.emplace(part(file, "pre_tokenizer"), path);
    const auto find = [this](const std::string& text) -> std::optional<std::int32_t> {
      for (const AddedToken& added : added_)
        if (added.text == text) return added.token;
      const auto found = tokens_.find(text);
      return found == tokens_.end() ? std::nullopt : std::optional(found->second);
    };
    const SpecialTokens special =
        read_special_tokens(std::filesystem::path(path).parent_path().string(), file, vocabulary_, find);
    bos_ = special.bos;
    ends_ = special.ends;
  }

  using Tokenizer::encode;
  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> tokens;
    std::unordered_map<std::string, std::vector<std::int32_t>> known;  // words of this text
    std::size_t plain = 0;
    for (std::size_t at = 0; at < text.size();) {
      const AddedToken* added = added_at(text.substr(at));
      if (added == nullptr) {
        ++at;
        continue;
      }
      encode_plain(text.substr(plain, at - plain), known, tokens);
      tokens.push_back(added->token);
      plain = at += added->text.size();
    }
    encode_plain(text.substr(plain), known, tokens);
    return tokens;
  }

  std::string decode(std::int32_t token) const override {
    const auto found = bytes_.find(token);
    return found == bytes_.end() ? "" : found->second;
  }

  std::int64_t vocabulary() const override { return vocabulary_; }

 private:
  [[noreturn]] void fail(const std::string& key, const json& value, const std::string& expected) const {
    throw InputError(fmt::format("{}: {} = {}: expected {}", path(), key, shown(value), expected));
  }

  /// Everything that would change tokens and is not done here is refused.
  void expect_byte_level(const json& file, const json& model) const {
    const json type = part(model, "type");
    if (!type.is_null() && type != "BPE") fail("model.type", type, "\"BPE\"");
    if (part(model, "byte_fallback") == true)
      fail("model.byte_fallback", true,
           "byte-level BPE (take the SentencePiece tokenizer.model of such models)");
    if (!part(file, "normalizer").is_null()) fail("normalizer", part(file, "normalizer"), "null");
    for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"})
      if (const json value = part(model, affix); !value.is_null() && value != "")
        fail(fmt::format("model.{}", affix), value, "null");
    if (const json dropout = part(model, "dropout"); !dropout.is_null() && dropout != 0)
      fail("model.dropout", dropout, "null");
    const json decoder = part(file, "decoder");
    if (!decoder.is_null() && part(decoder, "type") != "ByteLevel")
      fail("decoder.type", part(decoder, "type"), "\"ByteLevel\"");
  }

  std::int32_t read_number(const std::string& key, const json& number) {
    constexpr std::int64_t most = 1 << 24;
    if (!number.is_number_integer() || !(number.get<double>() >= 0 && number.get<double>() < double(most)))
      fail(key, number, fmt::format("an integer from 0 to {}", most - 1));
    const auto token = number.get<std::int32_t>();
    vocabulary_ = std::max<std::int64_t>(vocabulary_, token + 1);
    return token;
  }

  void read_vocabulary(const json& vocab) {
    if (!vocab.is_object() || vocab.empty()) fail("model.vocab", vocab, "the number of each piece");
    for (const auto& [piece, number] : vocab.items()) {
      const std::int32_t token = read_number("model.vocab " + shown(json(piece)), number);
      if (!bytes_.emplace(token, from_byte_alphabet(piece).value_or(piece)).second)
        fail("model.vocab " + shown(json(piece)), number, "a number that no other piece has");
      tokens_.emplace(piece, token);
    }
    for (int byte = 0; byte < 256; ++byte) {
      const auto found = tokens_.find(to_byte_alphabet(std::string(1, char(byte))));
      if (found == tokens_.end())
        throw InputError(fmt::format(
            "{}: found no piece for the byte 0x{:02x} in model.vocab, expected all 256", path(), byte));
      byte_tokens_[std::size_t(byte)] = found->second;
    }
  }

  /// Pairs, as "a b" or ["a", "b"], the earliest first.
  void read_merges(const json& merges) {
    if (!merges.is_array()) fail("model.merges", merges, "a list");
    for (std::size_t order = 0; order < merges.size(); ++order) {
      const json& merge = merges[order];
      const std::string key = fmt::format("model.merges[{}]", order);
      std::string left, right;
      if (merge.is_string()) {
        const auto& both = merge.get_ref<const std::string&>();
        const std::size_t blank = both.find(' ');
        if (blank == std::string::npos || both.find(' ', blank + 1) != std::string::npos)
          fail(key, merge, "two pieces with a blank between");
        left = both.substr(0, blank), right = both.substr(blank + 1);
      } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
        left = merge[0], right = merge[1];
      } else {
        fail(key, merge, "a pair of pieces");
      }
      const auto number = [&](const std::string& piece) {
        const auto found = tokens_.find(piece);
        if (found == tokens_.end()) fail(key, merge, fmt::format("{} in model.vocab", shown(json(piece))));
        return found->second;
      };
      const std::uint64_t pair = pair_of(number(left), number(right));
      merges_.insert_or_assign(pair, Merge{double(order), number(left + right)});
    }
  }

  void read_added_tokens(const json& list) {
    if (list.is_null()) return;
    if (!list.is_array()) fail("added_tokens", list, "a list");
    for (const json& entry : list) {
      const json content = part(entry, "content");
      if (!content.is_string() || content == "") fail("added_tokens content", content, "a text");
      const std::string key = "added_tokens " + shown(content);
      for (const char* option : {"single_word", "lstrip", "rstrip"})
        if (part(entry, option) == true) fail(fmt::format("{} {}", key, option), true, "false");
      const AddedToken added{content, read_number(key + " id", part(entry, "id")),
                             part(entry, "special") == true};
      bytes_[added.token] = added.special ? "" : added.text;
      added_.push_back(added);
    }
    // the longest first, so that the first that fits is the longest
    std::stable_sort(added_.begin(), added_.end(),
                     [](const auto& a, const auto& b) { return a.text.size() > b.text.size(); });
    for (const AddedToken& added : added_) starts_[static_cast<unsigned char>(added.text[0])] = true;
  }

  const AddedToken* added_at(std::string_view text) const {
    if (!starts_[static_cast<unsigned char>(text[0])]) return nullptr;
    const auto found =
        std::find_if(added_.begin(), added_.end(), [&](const auto& a) { return text.starts_with(a.text); });
    return found == added_.end() ? nullptr : &*found;
  }

  void encode_plain(std::string_view text, std::unordered_map<std::string, std::vector<std::int32_t>>& known,
                    std::vector<std::int32_t>& tokens) const {
    if (text.empty()) return;
    pre_tokenizer_->split(text, [&](std::string_view word) {
      const auto [entry, is_new] = known.try_emplace(std::string(word));
      if (is_new) entry->second = encode_word(word);
      tokens.insert(tokens.end(), entry->second.begin(), entry->second.end());
    });
  }

  std::vector<std::int32_t> encode_word(std::string_view word) const {
    if (whole_words_)
      if (const auto found = tokens_.find(to_byte_alphabet(word)); found != tokens_.end())
        return {found->second};
    std::vector<std::int32_t> tokens;
    for (const char byte : word) tokens.push_back(byte_tokens_[static_cast<unsigned char>(byte)]);
    merge_pairs(tokens, [&](std::int32_t left, std::int32_t right) -> std::optional<Merge> {
      const auto found = merges_.find(pair_of(left, right));
      return found == merges_.end() ? std::nullopt : std::optional(found->second);
    });
    return tokens;
  }

  static std::uint64_t pair_of(std::int32_t left, std::int32_t right) {
    return std::uint64_t(std::uint32_t(left)) << 32 | std::uint32_t(right);
  }

  std::int64_t vocabulary_ = 0;
  std::unordered_map<std::string, std::int32_t> tokens_;  // in the byte alphabet
  std::unordered_map<std::int32_t, std::string> bytes_;   // what each token decodes to
  std::int32_t byte_tokens_[256] = {};
  std::unordered_map<std::uint64_t, Merge> merges_;
  bool whole_words_ = false;  // a word that is a piece is that token, whatever the merges say
  std::vector<AddedToken> added_;
  bool starts_[256] = {};  // bytes that added tokens begin with
  std::optional<PreTokenizer> pre_tokenizer_;
};

}  // namespace

std::unique_ptr<Tokenizer> read_byte_level_tokenizer(const std::string& path) {
  return std::make_unique<ByteLevelTokenizer>(path);
}

}  // namespace wafermark::llama

#include <fmt/format.h>

#include "common/errors.hpp"
#include "sparse_llama/model/blank_mark.hpp"
#include "sparse_llama/model/bpe_tokenizer.hpp"
#include "sparse_llama/model/json_text.hpp"
#include "sparse_llama/model/tokenizer_kinds.hpp"
#include "sparse_llama/model/utf8.hpp"

namespace wafermark::llama {
namespace {

using nlohmann::json;

/// Which stretches of a text get a blank before them: those that have none at the text's beginning, or
/// wherever they stand, or all.
enum class LeadingBlank { never, first, always, always_one_more };

/// What the "normalizer" or the "pre_tokenizer" does: blanks become marks, and one is put in front.
class Marking {
 public:
  Marking(const json& file, const std::string& path) : path_(path) {
    read(member(file, "normalizer"), "normalizer");
    read(member(file, "pre_tokenizer"), "pre_tokenizer");
    if (!marks_) fail("normalizer", member(file, "normalizer"), "blanks that become U+2581");
  }
  LeadingBlank leading() const { return leading_; }

 private:
  [[noreturn]] void fail(const std::string& key, const json& value, const std::string& expected) const {
    throw InputError(fmt::format("{}: {} = {}: expected {}", path_, key, shown(value), expected));
  }
  void read(const json& step, const std::string& key) {
    const json type = member(step, "type");
    if (step.is_null()) return;
    if (type == "Sequence") {
      for (const char* list : {"normalizers", "pretokenizers"})
        for (const json& one : member(step, list)) read(one, key);
    } else if (type == "Prepend" && member(step, "prepend") == blank_mark) {
      leading_ = LeadingBlank::always_one_more;
    } else if (type == "Replace" && member(member(step, "pattern"), "String") == " " &&
               member(step, "content") == blank_mark) {
      marks_ = true;
    } else if (type == "Metaspace" && member(step, "replacement") == blank_mark) {
      read_metaspace(step, key);
    } else {
      fail(key, step, "Prepend, Replace or Metaspace with U+2581");
    }
  }
  void read_metaspace(const json& step, const std::string& key) {
    if (member(step, "split") != false) fail(key, step, "split false");
    const json scheme = member(step, "prepend_scheme");
    if (scheme != "first" && scheme != "always" && scheme != "never")
      fail(key + " prepend_scheme", scheme, "first, always or never");
    leading_ = scheme == "first"    ? LeadingBlank::first
               : scheme == "always" ? LeadingBlank::always
                                    : LeadingBlank::never;
    marks_ = true;
  }

  const std::string& path_;
  bool marks_ = false;
  LeadingBlank leading_ = LeadingBlank::never;
};

class MarkedBlankTokenizer final : public BpeTokenizer {
 public:
  MarkedBlankTokenizer(const std::string& path, const json& file)
      : BpeTokenizer(path, file,
                     {[](unsigned char byte) { return fmt::format("<0x{:02X}>", byte); },
                      [](const std::string& piece) { return with_blanks(piece); }}),
        leading_(Marking(file, path).leading()) {
    adds_blank_ = leading_ != LeadingBlank::never;
    bytes_for_a_byte_ = 70;
  }

  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> tokens;
    bool first = true;
    added().split(
        text,
        [&](std::string_view plain) {
          const auto more = encode_marked(marked(plain, blank_before(plain, first)));
          tokens.insert(tokens.end(), more.begin(), more.end());
          first = false;
        },
        [&](std::int32_t token) {
          tokens.push_back(token);
          first = false;
        });
    return tokens;
  }

 private:
  std::string blank_before(std::string_view text, bool first) const {
    const bool one_more = leading_ == LeadingBlank::always_one_more,
               where_none = leading_ == LeadingBlank::always || (first && leading_ == LeadingBlank::first);
    return one_more || (where_none && !text.starts_with(' ')) ? std::string(blank_mark) : "";
  }

  /// `out` and the text with marks for blanks.
  static std::string marked(std::string_view text, std::string out) {
    for (const char c : text) c == ' ' ? out += blank_mark : out += c;
    return out;
  }

  /// Characters first, those without a piece as their bytes; then merges.
  std::vector<std::int32_t> encode_marked(std::string_view text) const {
    std::vector<std::int32_t> tokens;
    while (!text.empty()) {
      const Utf8Step step = utf8_step(text);
      const std::string character(text.substr(0, step.length));
      if (const auto token = model().find(character); token && step.kind == Utf8Step::character)
        tokens.push_back(*token);
      else
        push_bytes(character, tokens);
      text.remove_prefix(step.length);
    }
    model().merge(tokens);
    return tokens;
  }

  LeadingBlank leading_;
};

}  // namespace

std::unique_ptr<Tokenizer> read_marked_blank_tokenizer(const std::string& path, const json& file) {
  return std::make_unique<MarkedBlankTokenizer>(path, file);
}

}  // namespace wafermark::llama

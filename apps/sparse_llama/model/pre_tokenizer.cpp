#include "sparse_llama/model/pre_tokenizer.hpp"

#include <fmt/format.h>

#include "common/errors.hpp"
#include "sparse_llama/model/json_text.hpp"

namespace wafermark::llama {
namespace {

using nlohmann::json;

/// What ByteLevel cuts with where its use_regex says so (GPT-2).
constexpr const char* gpt2_words =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

[[noreturn]] void fail(const std::string& file, const std::string& key, const json& value,
                       const std::string& expected) {
  throw InputError(fmt::format("{}: pre_tokenizer {} = {}: expected {}", file, key, shown(value), expected));
}

bool flag(const std::string& file, const json& object, const char* key, bool fallback) {
  const json value = member(object, key);
  if (value.is_null()) return fallback;
  if (!value.is_boolean()) fail(file, key, value, "true or false");
  return value;
}

/// A text as a regular expression that matches it alone.
std::string quoted(const std::string& text) {
  std::string expression;
  for (const char c : text) {
    if (std::string_view(R"(\^$.[]|()?*+{}#-&~ )").find(c) != std::string_view::npos) expression += '\\';
    expression += c;
  }
  return expression;
}

std::string expression_of(const std::string& file, const json& split) {
  const json pattern = member(split, "pattern");
  if (member(split, "behavior") != "Isolated")
    fail(file, "behavior", member(split, "behavior"), "\"Isolated\"");
  if (flag(file, split, "invert", false)) fail(file, "invert", true, "false");
  if (member(pattern, "Regex").is_string()) return member(pattern, "Regex");
  if (member(pattern, "String").is_string()) return quoted(member(pattern, "String"));
  fail(file, "pattern", pattern, "a Regex or a String");
}

}  // namespace

PreTokenizer::Step PreTokenizer::read_step(const json& step, const std::string& file) const {
  const json type = member(step, "type");
  if (type == "Split") return {SplitPattern(expression_of(file, step), file), false};
  if (type == "Digits")
    return {SplitPattern(flag(file, step, "individual_digits", false) ? R"(\p{N})" : R"(\p{N}+)", file),
            false};
  if (type != "ByteLevel") fail(file, "type", type, "ByteLevel, Split, Digits or a Sequence of them");
  Step words;
  words.blank_before = flag(file, step, "add_prefix_space", true);
  if (flag(file, step, "use_regex", true)) words.pattern.emplace(gpt2_words, file);
  return words;
}

PreTokenizer::PreTokenizer(const json& pre_tokenizer, const std::string& file) {
  const bool sequence = member(pre_tokenizer, "type") == "Sequence";
  const json list = sequence ? member(pre_tokenizer, "pretokenizers") : json::array({pre_tokenizer});
  if (!list.is_array()) fail(file, "pretokenizers", list, "a list");
  for (std::size_t i = 0; i < list.size(); ++i) {
    if ((member(list[i], "type") == "ByteLevel") != (i + 1 == list.size()))
      fail(file, "type", member(list[i], "type"), "ByteLevel as the last one, and only there");
    steps_.push_back(read_step(list[i], file));
  }
  if (steps_.empty()) fail(file, "pretokenizers", list, "ByteLevel in it");
}

void PreTokenizer::split(std::string_view text, const std::function<void(std::string_view)>& visit) const {
  apply(0, text, visit);
}

void PreTokenizer::apply(std::size_t step, std::string_view text,
                         const std::function<void(std::string_view)>& visit) const {
  if (step == steps_.size()) return visit(text);
  const Step& s = steps_[step];
  std::string with_blank;
  if (s.blank_before && !text.starts_with(' ')) {
    with_blank = " ";
    with_blank += text;
    text = with_blank;
  }
  const auto next = [&](std::string_view word) { apply(step + 1, word, visit); };
  s.pattern ? s.pattern->split(text, next) : next(text);
}

}  // namespace wafermark::llama

#include "sparse_llama/model/added_tokens.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "common/errors.hpp"
#include "sparse_llama/model/json_text.hpp"

namespace wafermark::llama {
namespace {

using nlohmann::json;

constexpr std::string_view white_space = " \t\n\r\v\f";
constexpr std::int64_t most_tokens = 1 << 24;

[[noreturn]] void fail(const std::string& file, const std::string& key, const json& value,
                       const std::string& expected) {
  throw InputError(fmt::format("{}: {} = {}: expected {}", file, key, shown(value), expected));
}

}  // namespace

void AddedTokens::add(AddedToken token) {
  if (token.text.empty() || find(token.text)) return;
  starts_[static_cast<unsigned char>(token.text.at(0))] = true;
  const auto place = std::find_if(tokens_.begin(), tokens_.end(),
                                  [&](const AddedToken& t) { return t.text.size() < token.text.size(); });
  tokens_.insert(place, std::move(token));
}

void AddedTokens::split(std::string_view text, const std::function<void(std::string_view)>& plain,
                        const std::function<void(std::int32_t)>& token) const {
  std::size_t first = 0;  // of the stretch that no token has ended yet
  for (std::size_t i = 0; i < text.size();) {
    const AddedToken* found = at(text.substr(i));
    if (found == nullptr) {
      ++i;
      continue;
    }
    std::string_view before = text.substr(first, i - first);
    if (found->strips_left) {
      const std::size_t last = before.find_last_not_of(white_space);
      before = before.substr(0, last == std::string_view::npos ? 0 : last + 1);
    }
    if (!before.empty()) plain(before);
    token(found->token);
    i += found->text.size();
    if (found->strips_right) i = std::min(text.find_first_not_of(white_space, i), text.size());
    first = i;
  }
  if (first < text.size()) plain(text.substr(first));
}

const AddedToken* AddedTokens::at(std::string_view text) const {
  if (!starts_[static_cast<unsigned char>(text[0])]) return nullptr;
  const auto found = std::find_if(tokens_.begin(), tokens_.end(),
                                  [&](const AddedToken& t) { return text.starts_with(t.text); });
  return found == tokens_.end() ? nullptr : &*found;
}

std::optional<std::int32_t> AddedTokens::find(std::string_view text) const {
  const auto found =
      std::find_if(tokens_.begin(), tokens_.end(), [&](const AddedToken& t) { return t.text == text; });
  return found == tokens_.end() ? std::nullopt : std::optional(found->token);
}

std::optional<std::string> AddedTokens::decoded(std::int32_t token) const {
  const auto found =
      std::find_if(tokens_.begin(), tokens_.end(), [&](const AddedToken& t) { return t.token == token; });
  if (found == tokens_.end()) return std::nullopt;
  return found->special ? "" : found->text;
}

std::int64_t AddedTokens::end() const {
  std::int64_t last = -1;
  for (const AddedToken& t : tokens_) last = std::max<std::int64_t>(last, t.token);
  return last + 1;
}

AddedToken added_token(const json& entry, const json& number, const std::string& file,
                       const std::string& key) {
  const json content = member(entry, "content");
  if (!content.is_string() || content == "") fail(file, key + " content", content, "a text");
  const std::string name = key + " " + shown(content);
  if (member(entry, "single_word") == true) fail(file, name + " single_word", true, "false");
  const bool right =
      number.is_number_integer() && number.get<double>() >= 0 && number.get<double>() < double(most_tokens);
  if (!right) fail(file, name + " id", number, fmt::format("an integer from 0 to {}", most_tokens - 1));
  return {content, number.get<std::int32_t>(), member(entry, "special") == true,
          member(entry, "lstrip") == true, member(entry, "rstrip") == true};
}

void add_tokens_beside(const std::string& folder, AddedTokens& tokens) {
  const std::filesystem::path in(folder);
  const std::string names_file = (in / "tokenizer_config.json").string(),
                    numbers_file = (in / "added_tokens.json").string();
  const json decoder = member(read_object_if_there(names_file), "added_tokens_decoder");
  if (!decoder.is_null() && !decoder.is_object())
    fail(names_file, "added_tokens_decoder", decoder, "an object");
  for (const auto& [number, entry] : decoder.items()) {
    const bool digits =
        !number.empty() && number.size() < 9 && number.find_first_not_of("0123456789") == std::string::npos;
    if (!digits) fail(names_file, "added_tokens_decoder", number, "the number of a token");
    tokens.add(added_token(entry, std::stoi(number), names_file, "added_tokens_decoder"));
  }
  const json numbers = read_object_if_there(numbers_file);
  for (const auto& [text, number] : numbers.items())
    tokens.add(added_token({{"content", text}, {"special", true}}, number, numbers_file, "token"));
}

}  // namespace wafermark::llama

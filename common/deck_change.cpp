#include "common/deck_change.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <sstream>

#include "common/errors.hpp"
#include "common/printable.hpp"

namespace wafermark {
namespace {

[[noreturn]] void refuse(const std::string& option, const std::string& text, const std::string& expected) {
  throw InputError(fmt::format("{} {}: expected {}", option, excerpt(text), expected));
}

bool is_bare(const std::string& word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '-';
  });
}

/// The place of the '=' behind the key, whose words may be strings; npos without one.
std::size_t end_of_key(std::string_view text) {
  char quote = 0;
  for (std::size_t k = 0; k < text.size(); ++k) {
    if (quote != 0 && text[k] == quote)
      quote = 0;
    else if (quote == 0 && (text[k] == '"' || text[k] == '\''))
      quote = text[k];
    else if (quote == 0 && text[k] == '=')
      return k;
  }
  return std::string_view::npos;
}

/// The words of a key; empty when TOML has no such key.
std::vector<std::string> words_of(const std::string& key) {
  toml::table parsed;
  try {
    parsed = toml::parse(key + " = 0");
  } catch (const toml::parse_error&) {
    return {};
  }
  std::vector<std::string> words;
  const toml::table* at = &parsed;
  while (at != nullptr && at->size() == 1) {
    words.emplace_back(at->begin()->first.str());
    at = at->begin()->second.as_table();
  }
  return words;
}

/// A value of TOML; none for anything else, also for a value with more behind it.
std::optional<toml::table> toml_value(const std::string& text) {
  try {
    toml::table parsed = toml::parse("v = [" + text + "]");  // a comment would hide the bracket
    toml::array* list = parsed["v"].as_array();
    if (list == nullptr || list->size() != 1 || text.find_last_not_of(' ') == std::string::npos ||
        text[text.find_last_not_of(' ')] == ',')
      return std::nullopt;
    toml::table holder;
    list->get(0)->visit([&](auto& v) { holder.insert("v", std::move(v)); });
    return holder;
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

/// Index into an array of tables, below its size.
std::size_t index_of(const DeckChange& change, std::size_t k, std::size_t size) {
  const std::string& word = change.path[k];
  const bool number = std::all_of(word.begin(), word.end(), [](unsigned char c) { return std::isdigit(c); });
  if (!number)
    throw InputError(fmt::format("{}: expected a number after '{}', an array of tables", change.text(),
                                 change.path[k - 1]));
  const std::size_t index = word.size() < 9 ? std::stoul(word) : std::string::npos;
  if (index >= size)
    throw InputError(fmt::format("{}: expected an index below {}, the number of '{}' tables", change.text(),
                                 size, change.path[k - 1]));
  return index;
}

}  // namespace

std::vector<std::string> split_key(std::string_view key) {
  std::vector<std::string> parts;
  std::istringstream in{std::string(key)};
  for (std::string part; std::getline(in, part, '.');) parts.push_back(part);
  return parts;
}

std::string join_key(const std::vector<std::string>& path) {
  std::string key;
  for (const std::string& word : path)
    key += (key.empty() ? "" : ".") + (is_bare(word) ? word : '"' + excerpt(word) + '"');
  return key;
}

DeckChange parse_change(const std::string& option, const std::string& text) {
  if (printable(text) != text) refuse(option, text, "one line of printable text (UTF-8)");
  const auto equals = end_of_key(text);
  if (equals == std::string::npos || text.find_first_not_of(' ') == equals)
    refuse(option, text, "key=value, for example run.steps=100");
  DeckChange change{option, text.substr(equals + 1), words_of(text.substr(0, equals)), {}};
  if (change.path.empty()) refuse(option, text, "a key of words joined by dots");
  if (change.written.find_first_not_of(' ') == std::string::npos) refuse(option, text, "a value after '='");
  if (auto value = toml_value(change.written)) {
    change.holder = std::move(*value);
    return change;
  }
  // A bare word is a string: --set run.precision=mixed.
  if (change.written.find_first_of("\"[]{}") != std::string::npos)
    refuse(option, text, "a TOML value or a bare word");
  change.holder.insert("v", change.written);
  return change;
}

std::string DeckChange::text() const {
  return fmt::format("{} {}={}", option, join_key(path), excerpt(written));
}

void DeckChange::apply(toml::table& root) const {
  toml::node* at = &root;
  for (std::size_t k = 0; k < path.size(); ++k) {
    const bool last = k + 1 == path.size();
    if (toml::array* array = at->as_array()) {
      const std::size_t index = index_of(*this, k, array->size());
      if (last) throw InputError(fmt::format("{}: expected a key below the table", text()));
      at = array->get(index);
      continue;
    }
    toml::table* table = at->as_table();
    if (table == nullptr)
      throw InputError(fmt::format("{}: expected '{}' to be a table", text(), path[k - 1]));
    if (last) {
      holder.get("v")->visit([&](const auto& v) { table->insert_or_assign(path[k], v); });
      return;
    }
    if (!table->contains(path[k])) table->insert(path[k], toml::table{});
    at = table->get(path[k]);
  }
}

bool DeckChange::overlaps(const DeckChange& other) const { return covers(other.path) || other.covers(path); }

bool DeckChange::covers(const std::vector<std::string>& key) const {
  return path.size() <= key.size() && std::equal(path.begin(), path.end(), key.begin());
}

}  // namespace wafermark

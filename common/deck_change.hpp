// A change to a deck: "a.b=value", as users write it after --set. Of deck.cpp alone: toml++ stays out of
// other files.
#pragma once

#include <toml++/toml.h>

#include <string>
#include <string_view>
#include <vector>

namespace wafermark {

struct DeckChange {
  std::string option;             ///< that asks for it, "--set"
  std::string written;            ///< its value, as the user wrote it
  std::vector<std::string> path;  ///< the words of its key
  toml::table holder;             ///< the value, under "v"

  /// "--set a.b=value" for messages.
  std::string text() const;
  /// Puts the value into the tree. Throws InputError where the key leads through something that is no table.
  void apply(toml::table& root) const;
  /// Whether one's key is the other's or lies below it.
  bool overlaps(const DeckChange& other) const;
  /// Whether it sets the key or a table around it.
  bool covers(const std::vector<std::string>& key) const;
};

/// Reads "a.b=value": the key as TOML has it (words, or strings, with dots), the value as TOML, or a bare
/// word, which is a string. Throws InputError.
DeckChange parse_change(const std::string& option, const std::string& text);

/// "a.b" as its words, and the reverse, words with quotation marks where TOML wants them.
std::vector<std::string> split_key(std::string_view key);
std::string join_key(const std::vector<std::string>& path);

}  // namespace wafermark

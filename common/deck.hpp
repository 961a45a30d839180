// A deck: one TOML file that describes a case, read key by key.
// Each key is asked for once with its default and meaning, so that the reader of a deck is also its
// documentation (describe()) and its grammar (finish() rejects every key that nobody asked for).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/number_range.hpp"

namespace wafermark {

/// Keys are dotted paths from the table they are asked of ("run.timestep_ps"). Every getter throws InputError
/// "FILE:LINE: key 'a.b' = <found, as it is written there>: expected <type, range or choices>", with the
/// option instead of file and line where one set the key. A getter without fallback is required. No number is
/// infinite or NaN; a whole number may be written as 1e3.
class Deck {
 public:
  /// Reads `path` and applies `overrides` ("a.b=value", value in TOML syntax; a bare word is a string;
  /// "pka.0.energy_ev=5000" reaches into an array of tables), of one key the last. `option`: where they come
  /// from, for messages. Throws InputError (file, line) for bad TOML.
  static Deck read(const std::string& path, const std::vector<std::string>& overrides = {},
                   const std::string& option = "--set");
  /// The same from text, for tests; `name` stands for the file in messages.
  static Deck parse(std::string_view text, const std::string& name,
                    const std::vector<std::string>& overrides = {}, const std::string& option = "--set");

  using Value = std::variant<std::int64_t, std::string, std::vector<std::int64_t>, std::vector<std::string>>;
  /// Sets a key for an option that stands for it: ("--machine", "wse3", "wafer.machine", "wse3"); `written`:
  /// what the user gave it. Throws InputError when another option, --set included, has set the key: which one
  /// counts would be anyone's guess.
  void set(const std::string& option, const std::string& written, const std::string& key, const Value& value);

  const std::string& file() const;
  /// Folder of the deck file: relative paths in a deck are relative to it.
  std::string resolve_path(const std::string& path) const;

  bool has(std::string_view key) const;
  double number(std::string_view key, std::optional<double> fallback, std::string_view meaning,
                Range range = {});
  std::int64_t integer(std::string_view key, std::optional<std::int64_t> fallback, std::string_view meaning,
                       Range range = {});
  /// A number (a whole one), or a word that stands for one that is not known yet: then nothing.
  std::optional<double> number_or(std::string_view word, std::string_view key, double fallback,
                                  std::string_view meaning, Range range = {});
  std::optional<std::int64_t> integer_or(std::string_view word, std::string_view key, std::int64_t fallback,
                                         std::string_view meaning, Range range = {});
  bool flag(std::string_view key, std::optional<bool> fallback, std::string_view meaning);
  std::string text(std::string_view key, std::optional<std::string> fallback, std::string_view meaning);
  std::string choice(std::string_view key, std::optional<std::string> fallback,
                     const std::vector<std::string>& choices, std::string_view meaning);
  std::array<double, 3> vector3(std::string_view key, std::optional<std::array<double, 3>> fallback,
                                std::string_view meaning);
  std::vector<double> numbers(std::string_view key, std::optional<std::vector<double>> fallback,
                              std::string_view meaning);
  std::vector<std::string> texts(std::string_view key, std::optional<std::vector<std::string>> fallback,
                                 std::string_view meaning);
  /// The tables of the array of tables [[key]]; empty when absent. Keys below it are asked of each one, and
  /// finish() of the parent checks them too.
  std::vector<Deck> tables(std::string_view key, std::string_view meaning);

  /// InputError at a key's place in the file, for conditions that involve several keys.
  [[noreturn]] void reject(std::string_view key, const std::string& expected) const;

  /// Throws InputError for the first key that no getter asked for, naming the nearest known key.
  void finish() const;
  /// One line per key that was asked for: key, default, meaning.
  std::string describe() const;
  /// The deck with overrides, as TOML, for the result record.
  std::string to_toml() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace wafermark

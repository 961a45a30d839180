#include "common/deck.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "common/deck_change.hpp"
#include "common/errors.hpp"
#include "common/printable.hpp"

namespace wafermark {
namespace {

/// How many letters to insert, delete, replace or swap with a neighbour (Damerau-Levenshtein, restricted).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

/// What the file says between two places, lines and columns (characters, not bytes) counted from 1.
std::string_view cut(std::string_view text, const toml::source_region& place) {
  const auto offset = [&](const toml::source_position& at) {
    std::size_t begin = 0;
    for (std::uint32_t line = 1; line < at.line && begin < text.size(); ++line)
      begin = text.find('\n', begin) + 1;
    for (std::uint32_t column = 1; column < at.column && begin < text.size(); ++column) do
        ++begin;
      while (begin < text.size() && (text[begin] & '\xc0') == '\x80');
    return std::min(begin, text.size());
  };
  const std::size_t begin = offset(place.begin);
  return text.substr(begin, std::max(begin, offset(place.end)) - begin);
}

/// The text of a deck. Throws InputError.
std::string read_text(const std::string& path) {
  constexpr std::size_t most_bytes = 16 << 20;
  const std::string name = printable(path);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw InputError(fmt::format("{}: found a folder, expected a deck (a TOML file)", name));
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored))
    throw InputError(fmt::format("{}: found a pipe or a device, expected a deck (a TOML file)", name));
  std::ifstream in(path, std::ios::binary);
  std::string text(most_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad())
    throw InputError(fmt::format("{}: cannot be read, expected a deck (a TOML file)", name));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > most_bytes)
    throw InputError(
        fmt::format("{}: found more than {} MB, expected a deck (a TOML file)", name, most_bytes >> 20));
  if (text.find_first_not_of(" \t\r\n") == std::string::npos)
    throw InputError(fmt::format("{}: found an empty file, expected a deck (a TOML file)", name));
  return text;
}

bool is_word(const toml::node& node, std::string_view word) {
  return node.is_string() && node.as_string()->get() == word;
}

/// Nothing where the value is no whole number; 1e3 is one.
std::optional<std::int64_t> whole_number_of(const toml::node& node) {
  if (node.is_integer()) return node.as_integer()->get();
  if (node.is_floating_point()) return whole_number(node.as_floating_point()->get());
  return std::nullopt;
}

}  // namespace

/// One tree for a deck and the tables handed out of it.
struct Deck::State {
  struct Known {
    std::string fallback, meaning;
  };
  /// What all tables of a deck share.
  struct Tree {
    std::string file, text;
    toml::table root;
    std::vector<DeckChange> changes;  ///< applied, in their order; what a later one replaces is gone
  };
  std::shared_ptr<Tree> tree;
  toml::table* table = nullptr;    ///< the table that keys are asked of
  std::vector<std::string> place;  ///< its path, {} or {"pka", "0"}
  std::map<std::string, Known> known;
  std::vector<std::string> order;
  std::vector<std::shared_ptr<State>> parts;  ///< tables handed out
  std::vector<std::string> handed_out;        ///< their keys

  std::vector<std::string> path_of(std::string_view key) const {
    auto path = place;
    for (auto& word : split_key(key)) path.push_back(std::move(word));
    return path;
  }
  std::string name_of(std::string_view key) const { return join_key(path_of(key)); }

  const toml::node* find(std::string_view key) const {
    const toml::node* at = table;
    for (const auto& part : split_key(key)) {
      const toml::table* t = at->as_table();
      if (t == nullptr) return nullptr;
      at = t->get(part);
      if (at == nullptr) return nullptr;
    }
    return at;
  }

  /// The change that a value comes from; null when the file says it.
  const DeckChange* change_of(const std::vector<std::string>& path) const {
    const DeckChange* found = nullptr;
    for (const DeckChange& c : tree->changes)
      if (c.covers(path) && (found == nullptr || c.path.size() > found->path.size())) found = &c;
    return found;
  }

  void apply(DeckChange&& change) {
    for (const DeckChange& c : tree->changes)
      if (c.option != change.option && c.overlaps(change))
        throw InputError(
            fmt::format("{} and {}: found both, expected one of the two", c.text(), change.text()));
    change.apply(tree->root);
    std::erase_if(tree->changes, [&](const DeckChange& c) { return change.covers(c.path); });
    tree->changes.push_back(std::move(change));
  }

  std::string where(const toml::node* node, const std::vector<std::string>& path) const {
    if (const DeckChange* change = change_of(path)) return change->option;
    const auto line = node == nullptr ? 0 : node->source().begin.line;
    const std::string file = printable(tree->file);
    return line == 0 ? file : fmt::format("{}:{}", file, line);
  }

  /// As the user wrote it.
  std::string found(const toml::node& node, const std::vector<std::string>& path) const {
    if (node.is_table()) return "a table";
    if (const DeckChange* change = change_of(path); change != nullptr && change->path == path)
      return excerpt(change->written);
    if (node.is_array_of_tables()) return "an array of tables";
    if (node.source().begin.line > 0) return excerpt(cut(tree->text, node.source()));
    std::ostringstream out;  // part of a table that an option gave
    node.visit([&](const auto& n) { out << n; });
    return excerpt(out.str());
  }

  [[noreturn]] void reject(std::string_view key, const std::string& expected) const {
    const toml::node* node = find(key);
    const auto path = path_of(key);
    if (node == nullptr)
      throw InputError(fmt::format("{}: key '{}' is missing: expected {}", printable(tree->file),
                                   join_key(path), expected));
    throw InputError(fmt::format("{}: key '{}' = {}: expected {}", where(node, path), join_key(path),
                                 found(*node, path), expected));
  }

  /// The node, or null where the fallback stands; remembers the key.
  const toml::node* ask(std::string_view key, bool required, const std::string& fallback,
                        std::string_view meaning, const std::string& expected) {
    if (known.emplace(std::string(key), Known{required ? "(required)" : fallback, std::string(meaning)})
            .second)
      order.emplace_back(key);
    const toml::node* node = find(key);
    if (node == nullptr && required) reject(key, expected);
    return node;
  }

  struct Found {
    std::string key;
    std::vector<std::string> path;
    const toml::node* node;
  };
  /// All values below a table, and what was not asked for as the table that it is.
  void collect(const toml::table& t, const std::vector<std::string>& path, std::vector<Found>& out) const {
    for (const auto& [k, v] : t) {
      auto full = path;
      full.emplace_back(k.str());
      const std::string key = join_key(full);
      if (std::find(handed_out.begin(), handed_out.end(), key) != handed_out.end()) continue;
      const toml::table* below = v.as_table();
      if (below != nullptr && !known.contains(key) && (!below->empty() || is_asked_below(key)))
        collect(*below, full, out);
      else
        out.push_back({key, full, &v});
    }
  }
  bool is_asked_below(const std::string& key) const {
    return std::any_of(order.begin(), order.end(), [&](const auto& k) { return k.starts_with(key + '.'); });
  }
};

namespace {

template <class T>
std::string show(const std::optional<T>& fallback) {
  return fallback ? fmt::format("{}", *fallback) : "";
}

std::string join(const std::vector<std::string>& words, const char* between = ", ") {
  return fmt::format("{}", fmt::join(words, between));
}

}  // namespace

Deck Deck::read(const std::string& path, const std::vector<std::string>& overrides,
                const std::string& option) {
  return parse(read_text(path), path, overrides, option);
}

Deck Deck::parse(std::string_view text, const std::string& name, const std::vector<std::string>& overrides,
                 const std::string& option) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte-order mark
  Deck deck;
  deck.state_ = std::make_shared<State>();
  auto tree = std::make_shared<State::Tree>(State::Tree{name, std::string(text), {}, {}});
  try {
    tree->root = toml::parse(tree->text);
  } catch (const toml::parse_error& e) {
    throw InputError(fmt::format("{}:{}: not TOML: {}", printable(name), e.source().begin.line,
                                 printable(e.description())));
  }
  deck.state_->tree = tree;
  deck.state_->table = &tree->root;
  for (const auto& o : overrides) deck.state_->apply(parse_change(option, o));
  return deck;
}

void Deck::set(const std::string& option, const std::string& written, const std::string& key,
               const Value& value) {
  DeckChange change{option, written, split_key(key), {}};
  const auto put = [&](const auto& v) {
    using Given = std::decay_t<decltype(v)>;
    if constexpr (std::is_same_v<Given, std::int64_t> || std::is_same_v<Given, std::string>) {
      change.holder.insert("v", v);
    } else {
      toml::array list;
      for (const auto& item : v) list.push_back(item);
      change.holder.insert("v", std::move(list));
    }
  };
  std::visit(put, value);
  state_->apply(std::move(change));
}

const std::string& Deck::file() const { return state_->tree->file; }

std::string Deck::resolve_path(const std::string& path) const {
  const std::filesystem::path p(path);
  if (p.is_absolute()) return path;
  return (std::filesystem::path(file()).parent_path() / p).string();
}

bool Deck::has(std::string_view key) const { return state_->find(key) != nullptr; }

double Deck::number(std::string_view key, std::optional<double> fallback, std::string_view meaning,
                    Range range) {
  const std::string expected = range.text("a number");
  const toml::node* node = state_->ask(key, !fallback, show(fallback), meaning, expected);
  if (node == nullptr) return *fallback;
  if (!node->is_number()) state_->reject(key, expected);
  const double x =
      node->is_integer() ? static_cast<double>(node->as_integer()->get()) : node->as_floating_point()->get();
  if (!range.holds(x)) state_->reject(key, expected);
  return x;
}

std::optional<double> Deck::number_or(std::string_view word, std::string_view key, double fallback,
                                      std::string_view meaning, Range range) {
  const std::string expected = fmt::format("{}, or \"{}\"", range.text("a number"), word);
  const toml::node* node = state_->ask(key, false, fmt::format("{}", fallback), meaning, expected);
  if (node == nullptr) return fallback;
  if (is_word(*node, word)) return std::nullopt;
  const auto x = node->is_number() ? node->value<double>() : std::nullopt;
  if (!x || !range.holds(*x)) state_->reject(key, expected);
  return x;
}

std::optional<std::int64_t> Deck::integer_or(std::string_view word, std::string_view key,
                                             std::int64_t fallback, std::string_view meaning, Range range) {
  const std::string expected = fmt::format("{}, or \"{}\"", range.text("a whole number"), word);
  const toml::node* node = state_->ask(key, false, fmt::format("{}", fallback), meaning, expected);
  if (node == nullptr) return fallback;
  if (is_word(*node, word)) return std::nullopt;
  const auto whole = whole_number_of(*node);
  if (!whole || !range.holds(static_cast<double>(*whole))) state_->reject(key, expected);
  return whole;
}

std::int64_t Deck::integer(std::string_view key, std::optional<std::int64_t> fallback,
                           std::string_view meaning, Range range) {
  const std::string expected = range.text("a whole number");
  const toml::node* node = state_->ask(key, !fallback, show(fallback), meaning, expected);
  if (node == nullptr) return *fallback;
  const std::optional<std::int64_t> whole = whole_number_of(*node);
  if (!whole || !range.holds(static_cast<double>(*whole))) state_->reject(key, expected);
  return *whole;
}

bool Deck::flag(std::string_view key, std::optional<bool> fallback, std::string_view meaning) {
  const toml::node* node = state_->ask(key, !fallback, show(fallback), meaning, "true or false");
  if (node == nullptr) return *fallback;
  if (!node->is_boolean()) state_->reject(key, "true or false");
  return node->as_boolean()->get();
}

std::string Deck::text(std::string_view key, std::optional<std::string> fallback, std::string_view meaning) {
  const toml::node* node =
      state_->ask(key, !fallback, fallback ? '"' + *fallback + '"' : "", meaning, "a string");
  if (node == nullptr) return *fallback;
  if (!node->is_string()) state_->reject(key, "a string");
  return node->as_string()->get();
}

std::string Deck::choice(std::string_view key, std::optional<std::string> fallback,
                         const std::vector<std::string>& choices, std::string_view meaning) {
  const std::string expected = "one of " + join(choices);
  const toml::node* node = state_->ask(key, !fallback, fallback ? '"' + *fallback + '"' : "",
                                       fmt::format("{} ({})", meaning, join(choices, " | ")), expected);
  if (node == nullptr) return *fallback;
  if (!node->is_string() ||
      std::find(choices.begin(), choices.end(), node->as_string()->get()) == choices.end())
    state_->reject(key, expected);
  return node->as_string()->get();
}

std::vector<double> Deck::numbers(std::string_view key, std::optional<std::vector<double>> fallback,
                                  std::string_view meaning) {
  const std::string shown = fallback ? fmt::format("[{}]", fmt::join(*fallback, ", ")) : "";
  const toml::node* node = state_->ask(key, !fallback, shown, meaning, "a list of numbers");
  if (node == nullptr) return *fallback;
  if (!node->is_array()) state_->reject(key, "a list of numbers");
  std::vector<double> result;
  for (const auto& item : *node->as_array()) {
    const auto x = item.value<double>();
    if (!x || !item.is_number() || !std::isfinite(*x)) state_->reject(key, "a list of numbers");
    result.push_back(*x);
  }
  return result;
}

std::array<double, 3> Deck::vector3(std::string_view key, std::optional<std::array<double, 3>> fallback,
                                    std::string_view meaning) {
  std::optional<std::vector<double>> as_list;
  if (fallback) as_list = std::vector<double>(fallback->begin(), fallback->end());
  const auto v = numbers(key, as_list, meaning);
  if (v.size() != 3) state_->reject(key, "three numbers");
  return {v[0], v[1], v[2]};
}

std::vector<std::string> Deck::texts(std::string_view key, std::optional<std::vector<std::string>> fallback,
                                     std::string_view meaning) {
  const std::string shown = fallback ? fmt::format("[{}]", join(*fallback)) : "";
  const toml::node* node = state_->ask(key, !fallback, shown, meaning, "a list of strings");
  if (node == nullptr) return *fallback;
  if (!node->is_array()) state_->reject(key, "a list of strings");
  std::vector<std::string> result;
  for (const auto& item : *node->as_array()) {
    if (!item.is_string()) state_->reject(key, "a list of strings");
    result.push_back(item.as_string()->get());
  }
  return result;
}

std::vector<Deck> Deck::tables(std::string_view key, std::string_view meaning) {
  const toml::node* node = state_->ask(key, false, "none", meaning, "");
  if (node == nullptr) return {};
  const toml::array* array = node->as_array();
  if (array == nullptr || !(array->is_array_of_tables() || array->empty()))
    state_->reject(key, fmt::format("an array of tables, [[{}]]", key));
  state_->handed_out.emplace_back(key);
  std::vector<Deck> result;
  for (std::size_t k = 0; k < array->size(); ++k) {
    Deck part;
    part.state_ = std::make_shared<State>();
    part.state_->tree = state_->tree;
    part.state_->table = const_cast<toml::table*>(array->get(k)->as_table());
    part.state_->place = state_->path_of(key);
    part.state_->place.push_back(std::to_string(k));
    state_->parts.push_back(part.state_);
    result.push_back(part);
  }
  return result;
}

void Deck::reject(std::string_view key, const std::string& expected) const { state_->reject(key, expected); }

void Deck::finish() const {
  std::vector<State::Found> found;
  state_->collect(*state_->table, {}, found);
  for (const auto& [key, path, node] : found) {
    if (state_->known.contains(key)) continue;
    std::string nearest;
    std::size_t least = std::string::npos;
    for (const auto& candidate : state_->order)
      if (const std::size_t d = edit_distance(std::string_view(key).substr(0, 100), candidate); d < least) {
        least = d;
        nearest = candidate;
      }
    auto whole = state_->place;
    whole.insert(whole.end(), path.begin(), path.end());
    throw InputError(fmt::format("{}: unknown key '{}': the nearest known key is '{}'",
                                 state_->where(node, whole), join_key(whole), state_->name_of(nearest)));
  }
  for (const auto& part : state_->parts) {
    Deck below;
    below.state_ = part;
    below.finish();
  }
}

std::string Deck::describe() const {
  std::size_t key_width = 0, fallback_width = 0;
  for (const auto& key : state_->order) {
    key_width = std::max(key_width, key.size());
    fallback_width =
        std::max(fallback_width, std::min<std::size_t>(state_->known.at(key).fallback.size(), 24));
  }
  std::string result;
  const std::string prefix = state_->place.empty() ? "" : join_key(state_->place) + '.';
  for (const auto& key : state_->order) {
    const State::Known& k = state_->known.at(key);
    result +=
        fmt::format("{}{:<{}}  {:<{}}  {}\n", prefix, key, key_width, k.fallback, fallback_width, k.meaning);
  }
  for (const auto& part : state_->parts) {
    Deck below;
    below.state_ = part;
    result += below.describe();
  }
  return result;
}

std::string Deck::to_toml() const {
  std::ostringstream out;
  out << state_->tree->root;
  return out.str();
}

}  // namespace wafermark

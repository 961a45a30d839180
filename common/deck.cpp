#include "common/deck.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "common/errors.hpp"

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

std::string as_toml(const toml::node& node) {
  std::ostringstream out;
  node.visit([&](const auto& n) {
    if constexpr (toml::is_table<decltype(n)>)
      out << "a table";
    else if constexpr (toml::is_floating_point<decltype(n)>)
      out << fmt::format("{}", n.get());  // the shortest text, as it was written
    else
      out << n;
  });
  return out.str();
}

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  std::istringstream in{std::string(path)};
  for (std::string part; std::getline(in, part, '.');) parts.push_back(part);
  return parts;
}

bool is_index(const std::string& s) {
  return !s.empty() && s.size() < 9 &&
         std::all_of(s.begin(), s.end(), [](unsigned char c) { return std::isdigit(c); });
}

/// Sets one "a.b=value" in the tree.
void apply_override(toml::table& root, const std::string& text) {
  const auto fail = [&](const std::string& expected) -> void {
    throw InputError(fmt::format("--set {}: expected {}", text, expected));
  };
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) fail("key=value, for example run.steps=100");
  const auto path = split_path(std::string_view(text).substr(0, equals));
  const std::string value = text.substr(equals + 1);
  if (value.empty()) fail("a value after '='");
  for (const auto& part : path)
    if (part.empty()) fail("a key of words joined by dots");

  toml::table parsed;
  try {
    parsed = toml::parse("v = " + value);
  } catch (const toml::parse_error&) {
    // A bare word is a string: --set run.precision=mixed.
    if (value.find_first_of("\"\n[]{}") != std::string::npos) fail("a TOML value or a bare word");
    parsed.insert("v", value);
  }

  toml::node* at = &root;
  for (std::size_t k = 0; k < path.size(); ++k) {
    const bool last = k + 1 == path.size();
    if (toml::array* array = at->as_array()) {
      if (!is_index(path[k])) fail(fmt::format("a number after '{}', an array of tables", path[k - 1]));
      const auto index = static_cast<std::size_t>(std::stoul(path[k]));
      if (index >= array->size())
        fail(fmt::format("an index below {}, the number of '{}' tables", array->size(), path[k - 1]));
      if (last) fail("a key below the table");
      at = array->get(index);
      continue;
    }
    toml::table* table = at->as_table();
    if (table == nullptr) fail(fmt::format("'{}' to be a table", path[k - 1]));
    if (last) {
      parsed["v"].node()->visit([&](auto& v) { table->insert_or_assign(path[k], v); });
      return;
    }
    if (!table->contains(path[k])) table->insert(path[k], toml::table{});
    at = table->get(path[k]);
  }
}

}  // namespace

/// One tree for a deck and the tables handed out of it.
struct Deck::State {
  struct Known {
    std::string fallback, meaning;
  };
  std::string file;
  std::shared_ptr<toml::table> root;
  toml::table* table = nullptr;  ///< the table that keys are asked of
  std::string prefix;            ///< its path, "" or "pka.0."
  std::map<std::string, Known> known;
  std::vector<std::string> order;
  std::vector<std::shared_ptr<State>> parts;  ///< tables handed out
  std::vector<std::string> handed_out;        ///< their keys

  const toml::node* find(std::string_view key) const {
    const toml::node* at = table;
    for (const auto& part : split_path(key)) {
      const toml::table* t = at->as_table();
      if (t == nullptr) return nullptr;
      at = t->get(part);
      if (at == nullptr) return nullptr;
    }
    return at;
  }

  std::string where(const toml::node* node) const {
    const auto line = node == nullptr ? 0 : node->source().begin.line;
    return line == 0 ? file : fmt::format("{}:{}", file, line);
  }

  [[noreturn]] void reject(std::string_view key, const std::string& expected) const {
    const toml::node* node = find(key);
    if (node == nullptr)
      throw InputError(fmt::format("{}: key '{}{}' is missing: expected {}", file, prefix, key, expected));
    throw InputError(
        fmt::format("{}: key '{}{}' = {}: expected {}", where(node), prefix, key, as_toml(*node), expected));
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

  void collect(const toml::table& t, const std::string& path,
               std::vector<std::pair<std::string, const toml::node*>>& out) const {
    for (const auto& [k, v] : t) {
      const std::string full = path + std::string(k.str());
      if (std::find(handed_out.begin(), handed_out.end(), full) != handed_out.end()) continue;
      if (const toml::table* below = v.as_table(); below != nullptr && !known.contains(full))
        collect(*below, full + ".", out);
      else
        out.emplace_back(full, &v);
    }
  }
};

namespace {

template <class T>
std::string show(const std::optional<T>& fallback) {
  return fallback ? fmt::format("{}", *fallback) : "";
}

std::string range_text(const char* kind, const Range& r) {
  if (std::isinf(r.low) && std::isinf(r.high)) return kind;
  if (std::isinf(r.high))
    return fmt::format("{} {} {:g}", kind, r.exclusive_low ? "above" : "of at least", r.low);
  if (std::isinf(r.low)) return fmt::format("{} of at most {:g}", kind, r.high);
  return fmt::format("{} from {:g} to {:g}", kind, r.low, r.high);
}

bool inside(const Range& r, double x) {
  return std::isfinite(x) && x <= r.high && (r.exclusive_low ? x > r.low : x >= r.low);
}

std::string join(const std::vector<std::string>& words, const char* between = ", ") {
  return fmt::format("{}", fmt::join(words, between));
}

}  // namespace

Deck Deck::read(const std::string& path, const std::vector<std::string>& overrides) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw InputError(fmt::format("{}: found a folder, expected a deck (a TOML file)", path));
  std::ifstream in(path);
  if (!in) throw InputError(fmt::format("{}: cannot be read, expected a deck (a TOML file)", path));
  std::ostringstream text;
  text << in.rdbuf();
  return parse(text.str(), path, overrides);
}

Deck Deck::parse(std::string_view text, const std::string& name, const std::vector<std::string>& overrides) {
  Deck deck;
  deck.state_ = std::make_shared<State>();
  deck.state_->file = name;
  try {
    deck.state_->root = std::make_shared<toml::table>(toml::parse(text, name));
  } catch (const toml::parse_error& e) {
    throw InputError(fmt::format("{}:{}: not TOML: {}", name, e.source().begin.line, e.description()));
  }
  for (const auto& o : overrides) apply_override(*deck.state_->root, o);
  deck.state_->table = deck.state_->root.get();
  return deck;
}

const std::string& Deck::file() const { return state_->file; }

std::string Deck::resolve_path(const std::string& path) const {
  const std::filesystem::path p(path);
  if (p.is_absolute()) return path;
  return (std::filesystem::path(state_->file).parent_path() / p).string();
}

bool Deck::has(std::string_view key) const { return state_->find(key) != nullptr; }

double Deck::number(std::string_view key, std::optional<double> fallback, std::string_view meaning,
                    Range range) {
  const std::string expected = range_text("a number", range);
  const toml::node* node = state_->ask(key, !fallback, show(fallback), meaning, expected);
  if (node == nullptr) return *fallback;
  if (!node->is_number()) state_->reject(key, expected);
  const double x =
      node->is_integer() ? static_cast<double>(node->as_integer()->get()) : node->as_floating_point()->get();
  if (!inside(range, x)) state_->reject(key, expected);
  return x;
}

std::int64_t Deck::integer(std::string_view key, std::optional<std::int64_t> fallback,
                           std::string_view meaning, Range range) {
  const std::string expected = range_text("a whole number", range);
  const toml::node* node = state_->ask(key, !fallback, show(fallback), meaning, expected);
  if (node == nullptr) return *fallback;
  if (!node->is_integer() || !inside(range, static_cast<double>(node->as_integer()->get())))
    state_->reject(key, expected);
  return node->as_integer()->get();
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
  if (array == nullptr || !array->is_array_of_tables())
    state_->reject(key, fmt::format("an array of tables, [[{}]]", key));
  state_->handed_out.emplace_back(key);
  std::vector<Deck> result;
  for (std::size_t k = 0; k < array->size(); ++k) {
    Deck part;
    part.state_ = std::make_shared<State>();
    part.state_->file = state_->file;
    part.state_->root = state_->root;
    part.state_->table = const_cast<toml::table*>(array->get(k)->as_table());
    part.state_->prefix = fmt::format("{}{}.{}.", state_->prefix, key, k);
    state_->parts.push_back(part.state_);
    result.push_back(part);
  }
  return result;
}

void Deck::reject(std::string_view key, const std::string& expected) const { state_->reject(key, expected); }

void Deck::finish() const {
  std::vector<std::pair<std::string, const toml::node*>> found;
  state_->collect(*state_->table, "", found);
  for (const auto& [key, node] : found) {
    if (state_->known.contains(key)) continue;
    std::string nearest;
    std::size_t least = std::string::npos;
    for (const auto& candidate : state_->order)
      if (const std::size_t d = edit_distance(key, candidate); d < least) {
        least = d;
        nearest = candidate;
      }
    throw InputError(fmt::format("{}: unknown key '{}{}': the nearest known key is '{}{}'",
                                 state_->where(node), state_->prefix, key, state_->prefix, nearest));
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
  for (const auto& key : state_->order) {
    const State::Known& k = state_->known.at(key);
    result += fmt::format("{}{:<{}}  {:<{}}  {}\n", state_->prefix, key, key_width, k.fallback,
                          fallback_width, k.meaning);
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
  out << *state_->root;
  return out.str();
}

}  // namespace wafermark

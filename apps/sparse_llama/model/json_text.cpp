#include "sparse_llama/model/json_text.hpp"

#include <fmt/format.h>

#include <cctype>
#include <filesystem>
#include <unordered_set>
#include <vector>

#include "common/errors.hpp"
#include "common/mapped_file.hpp"

namespace wafermark::llama {

using nlohmann::json;

namespace {

/// The word around byte `at`: Python's json module writes NaN and Infinity, which JSON does not have.
std::string_view word_at(std::string_view text, std::size_t at) {
  const auto letter = [&](std::size_t i) {
    return i < text.size() && std::isalpha(static_cast<unsigned char>(text[i])) != 0;
  };
  std::size_t first = std::min(at, text.size()), last = first;
  while (first > 0 && letter(first - 1)) --first;
  while (letter(last)) ++last;
  return text.substr(first, last - first);
}

}  // namespace

json parse_json(std::string_view text, const std::string& file) {
  constexpr std::size_t deepest = 32;
  std::size_t depth = 0;
  std::vector<std::unordered_set<std::string>> keys;  // of the objects that are open
  const auto watch = [&](int, json::parse_event_t event, json& parsed) {
    using Event = json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (++depth > deepest)
        throw InputError(
            fmt::format("{}: found values nested more than {} deep, expected fewer levels", file, deepest));
      if (event == Event::object_start) keys.emplace_back();
    } else if (event == Event::object_end || event == Event::array_end) {
      --depth;
      if (event == Event::object_end) keys.pop_back();
    } else if (event == Event::key && !keys.back().insert(parsed.get_ref<const std::string&>()).second) {
      throw InputError(fmt::format("{}: found the key {} twice, expected it once", file, shown(parsed)));
    }
    return true;
  };
  try {
    return json::parse(text.begin(), text.end(), watch);
  } catch (const json::parse_error& e) {
    const std::string_view word = word_at(text, e.byte);
    if (word == "NaN" || word == "Infinity")
      throw InputError(fmt::format("{}: found {} at byte {}, expected a number or null (JSON has no {})",
                                   file, word, e.byte, word));
    throw InputError(fmt::format("{}: found text that is not JSON at byte {}, expected JSON", file, e.byte));
  } catch (const json::exception&) {  // a number beyond what a double can hold
    throw InputError(fmt::format("{}: found a number out of range, expected JSON", file));
  }
}

json member(const json& value, const char* key) {
  return value.is_object() ? value.value(key, json()) : json();
}

json read_object_if_there(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return json::object();
  json object = parse_json(MappedFile(path).bytes(), path);
  if (!object.is_object()) throw InputError(fmt::format("{}: found no JSON object, expected one", path));
  return object;
}

std::string shown(const json& value) {
  constexpr std::size_t longest = 80;
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > longest) text = text.substr(0, longest) + "...";
  return text;
}

}  // namespace wafermark::llama

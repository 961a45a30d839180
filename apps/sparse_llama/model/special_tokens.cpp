#include "sparse_llama/model/special_tokens.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "common/errors.hpp"
#include "common/mapped_file.hpp"
#include "sparse_llama/model/json_text.hpp"

namespace wafermark::llama {
namespace {

using nlohmann::json;

/// An object in a file, or an empty one where there is no such file.
json read_object(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return json::object();
  json object = parse_json(MappedFile(path).bytes(), path);
  if (!object.is_object()) throw InputError(fmt::format("{}: found no JSON object, expected one", path));
  return object;
}

/// A number or a list of numbers under `key`.
std::vector<std::int32_t> numbers(const std::string& path, const json& object, const char* key,
                                  std::int64_t vocabulary) {
  const json value = object.value(key, json());
  std::vector<std::int32_t> tokens;
  for (const json& token : value.is_array()  ? value
                           : value.is_null() ? json::array()
                                             : json::array({value})) {
    const double number = token.is_number_integer() ? token.get<double>() : -1;
    if (!(number >= 0 && number < double(vocabulary)))
      throw InputError(fmt::format("{}: {} = {}: expected tokens below the tokenizer's {}", path, key,
                                   shown(value), vocabulary));
    tokens.push_back(token.get<std::int32_t>());
  }
  return tokens;
}

/// tokenizer_config.json: "<s>", or {"content": "<s>", ...}, or null.
std::string named(const json& object, const char* key) {
  json value = object.value(key, json());
  if (value.is_object()) value = value.value("content", json());
  return value.is_string() ? value.get<std::string>() : "";
}

/// The special token before the text in the template of the post-processor, or of one in its sequence.
std::string first_of_template(const json& processor) {
  if (!processor.is_object()) return "";
  if (processor.value("type", json()) == "Sequence") {
    for (const json& one : processor.value("processors", json::array()))
      if (const std::string name = first_of_template(one); !name.empty()) return name;
    return "";
  }
  const json single = processor.value("single", json());
  if (processor.value("type", json()) != "TemplateProcessing" || !single.is_array() || single.empty())
    return "";
  const json first = single[0].is_object() ? single[0].value("SpecialToken", json()) : json();
  const json name = first.is_object() ? first.value("id", json()) : json();
  return name.is_string() ? name.get<std::string>() : "";
}

}  // namespace

SpecialTokens read_special_tokens(
    const std::string& folder, const json& tokenizer, std::int64_t vocabulary,
    const std::function<std::optional<std::int32_t>(const std::string&)>& find) {
  const auto path = [&](const char* name) { return (std::filesystem::path(folder) / name).string(); };
  const auto lookup = [&](const std::string& file, const std::string& name) -> std::optional<std::int32_t> {
    if (name.empty()) return std::nullopt;
    const auto token = find(name);
    if (!token)
      throw InputError(fmt::format("{}: found the special token {}, expected one of the tokenizer's", file,
                                   shown(json(name))));
    return token;
  };
  SpecialTokens special;
  const auto add_end = [&](std::int32_t token) {
    if (std::find(special.ends.begin(), special.ends.end(), token) == special.ends.end())
      special.ends.push_back(token);
  };
  const json config = read_object(path("config.json"));
  const json names = read_object(path("tokenizer_config.json"));
  const json generation = read_object(path("generation_config.json"));
  for (const auto t : numbers(path("config.json"), config, "eos_token_id", vocabulary)) add_end(t);
  for (const auto t : numbers(path("generation_config.json"), generation, "eos_token_id", vocabulary))
    add_end(t);
  if (const auto t = lookup(path("tokenizer_config.json"), named(names, "eos_token"))) add_end(*t);

  const auto by_number = numbers(path("config.json"), config, "bos_token_id", vocabulary);
  const auto by_name = lookup(path("tokenizer_config.json"), named(names, "bos_token"));
  const auto by_template =
      lookup(path("tokenizer.json"), first_of_template(tokenizer.value("post_processor", json())));
  special.bos = !by_number.empty() ? by_number[0] : by_name ? *by_name : by_template.value_or(-1);
  return special;
}

}  // namespace wafermark::llama

#include "sparse_llama/model/special_tokens.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "common/errors.hpp"
#include "sparse_llama/model/json_text.hpp"

namespace wafermark::llama {
namespace {

using nlohmann::json;

std::string in(const std::string& folder, const char* name) {
  return (std::filesystem::path(folder) / name).string();
}

/// A number or a list of numbers under `key`; negative ones are how some writers say "none".
std::vector<std::int32_t> numbers(const std::string& path, const char* key) {
  const json value = member(read_object_if_there(path), key);
  std::vector<std::int32_t> tokens;
  for (const json& token : value.is_array()  ? value
                           : value.is_null() ? json::array()
                                             : json::array({value})) {
    if (!token.is_number_integer() || !(std::abs(token.get<double>()) < 0x1p31))
      throw InputError(
          fmt::format("{}: {} = {}: expected the number of a token, or a list", path, key, shown(value)));
    const auto number = token.get<std::int32_t>();
    if (number >= 0 && std::find(tokens.begin(), tokens.end(), number) == tokens.end())
      tokens.push_back(number);
  }
  return tokens;
}

/// tokenizer_config.json: "<s>", or {"content": "<s>", ...}, or null.
std::string named(const json& object, const char* key) {
  json value = member(object, key);
  if (value.is_object()) value = member(value, "content");
  return value.is_string() ? value.get<std::string>() : "";
}

/// The special tokens around the text in the template of a post-processor.
struct Template {
  bool found = false;
  std::string before, behind;
};

void read_template(const json& processor, Template& t) {
  constexpr const char* file = "tokenizer.json";
  const json type = member(processor, "type");
  if (type == "Sequence") {
    for (const json& one : member(processor, "processors")) read_template(one, t);
    return;
  }
  if (processor.is_null() || type == "ByteLevel") return;  // ByteLevel only moves offsets
  if (type != "TemplateProcessing")
    throw InputError(fmt::format("{}: post_processor type = {}: expected TemplateProcessing or ByteLevel",
                                 file, shown(type)));
  t.found = true;
  bool text = false;
  for (const json& part : member(processor, "single")) {
    const json special = member(part, "SpecialToken");
    if (special.is_null()) {
      text = true;
      continue;
    }
    std::string& place = text ? t.behind : t.before;
    const json id = member(special, "id");
    if (!id.is_string() || !place.empty())
      throw InputError(
          fmt::format("{}: post_processor single = {}: expected at most one special token on each side", file,
                      shown(member(processor, "single"))));
    place = id;
  }
}

/// tokenizer_config.json's switch, if it is there.
std::optional<bool> flag(const std::string& path, const json& names, const char* key) {
  const json value = member(names, key);
  if (value.is_null()) return std::nullopt;
  if (!value.is_boolean())
    throw InputError(fmt::format("{}: {} = {}: expected true or false", path, key, shown(value)));
  return value.get<bool>();
}

/// Whether tokenizers of this class put bos in front where no file says so.
bool class_puts_bos(const json& names, const OwnTokens& own) {
  if (own.tokenizer.is_null()) return true;  // SentencePiece, of Llama 1 and 2 and their descendants
  const json name = member(names, "tokenizer_class");
  return !name.is_string() || name.get<std::string>().find("Llama") != std::string::npos;
}

}  // namespace

std::vector<std::int32_t> end_tokens_of(const std::string& folder) {
  auto ends = numbers(in(folder, "generation_config.json"), "eos_token_id");
  return ends.empty() ? numbers(in(folder, "config.json"), "eos_token_id") : ends;
}

SpecialTokens read_special_tokens(const std::string& folder, const OwnTokens& own) {
  const std::string names_file = in(folder, "tokenizer_config.json"),
                    map_file = in(folder, "special_tokens_map.json"), config = in(folder, "config.json");
  const json names = read_object_if_there(names_file), map = read_object_if_there(map_file);
  const auto lookup = [&](const std::string& file, const std::string& name) {
    const auto token = own.find(name);
    if (!token)
      throw InputError(fmt::format("{}: found the special token {}, expected one of the tokenizer's", file,
                                   shown(json(name))));
    return *token;
  };
  /// The token that a file names under `key`, else the number `own_token`; -1: none.
  const auto by_name = [&](const char* key, std::int32_t otherwise) {
    if (const std::string name = named(names, key); !name.empty()) return lookup(names_file, name);
    if (const std::string name = named(map, key); !name.empty()) return lookup(map_file, name);
    return otherwise;
  };
  Template around;
  read_template(member(own.tokenizer, "post_processor"), around);

  SpecialTokens special;
  special.ends = end_tokens_of(folder);
  if (special.ends.empty())
    if (const std::int32_t eos = by_name("eos_token", own.eos); eos >= 0) special.ends = {eos};

  if (flag(names_file, names, "add_bos_token")
          .value_or(around.found ? !around.before.empty() : class_puts_bos(names, own))) {
    const auto given = numbers(config, "bos_token_id");
    special.bos = !around.before.empty() ? lookup(in(folder, "tokenizer.json"), around.before)
                                         : by_name("bos_token", given.empty() ? own.bos : given[0]);
    if (special.bos >= own.vocabulary)
      throw InputError(fmt::format("{}: bos_token_id = {}: expected a token below the tokenizer's {}", config,
                                   special.bos, own.vocabulary));
  }
  if (flag(names_file, names, "add_eos_token").value_or(!around.behind.empty()))
    special.behind = !around.behind.empty()
                         ? lookup(in(folder, "tokenizer.json"), around.behind)
                         : by_name("eos_token", special.ends.empty() ? -1 : special.ends[0]);
  return special;
}

}  // namespace wafermark::llama

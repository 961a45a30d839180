#include "sparse_llama/model/weight_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "common/errors.hpp"
#include "common/mapped_file.hpp"
#include "sparse_llama/model/json_text.hpp"

namespace wafermark::llama {
namespace {

namespace fs = std::filesystem;

constexpr const char* convert_pickles =
    "a Python pickle, expected safetensors (transformers: AutoModelForCausalLM.from_pretrained(OLD)"
    ".save_pretrained(NEW, safe_serialization=True))";

/// The files that the folder's index names.
std::set<std::string> indexed_files(const std::string& folder, const std::string& index) {
  const nlohmann::json tree = parse_json(MappedFile(index).bytes(), index);
  const nlohmann::json map = member(tree, "weight_map");
  if (!map.is_object())
    throw InputError(
        fmt::format("{}: found no object 'weight_map', expected the file of each tensor", index));
  std::set<std::string> paths;
  for (const auto& [tensor, file] : map.items()) {
    const std::string name = file.is_string() ? file.get<std::string>() : "";
    if (name.empty() || name.find('/') != std::string::npos || name.find('\0') != std::string::npos)
      throw InputError(fmt::format("{}: {} = {}: expected the name of a file beside it", index, shown(tensor),
                                   shown(file)));
    paths.insert(folder + "/" + name);
  }
  return paths;
}

std::set<std::string> names_in(const std::string& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    names.insert(entry->path().filename().string());
  if (error) throw InputError(fmt::format("{}: cannot be read: {}", folder, error.message()));
  return names;
}

/// "model-00001-of-00003.safetensors": its number and how many there are.
struct Part {
  std::int64_t number = 0, of = 0;
};
std::optional<Part> part_of(std::string_view name) {
  constexpr std::string_view before = "model-", between = "-of-", behind = ".safetensors";
  if (!name.starts_with(before) || !name.ends_with(behind)) return std::nullopt;
  name = name.substr(before.size(), name.size() - before.size() - behind.size());
  const std::size_t middle = name.find(between);
  if (middle == std::string_view::npos) return std::nullopt;
  const auto number = [](std::string_view text) {
    std::int64_t value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? value : -1;
  };
  const Part part{number(name.substr(0, middle)), number(name.substr(middle + between.size()))};
  return part.number < 1 || part.number > part.of ? std::nullopt : std::optional(part);
}

/// All parts, or none. Throws InputError where some are missing or two sets lie side by side.
std::set<std::string> parts_among(const std::string& folder, const std::set<std::string>& names) {
  std::set<std::string> paths;
  std::set<std::int64_t> numbers;
  std::int64_t of = 0;
  for (const std::string& name : names) {
    const auto part = part_of(name);
    if (!part) continue;
    if (of != 0 && part->of != of)
      throw InputError(fmt::format("{}: found parts of {} and of {} files, expected one set or an index",
                                   folder, of, part->of));
    of = part->of;
    numbers.insert(part->number);
    paths.insert(folder + "/" + name);
  }
  for (std::int64_t i = 1; i <= of; ++i)
    if (!numbers.contains(i))
      throw InputError(fmt::format("{}: found no model-{:05}-of-{:05}.safetensors, expected all {} parts",
                                   folder, i, of, of));
  return paths;
}

/// Says what lies in a folder without weights that are read.
[[noreturn]] void refuse(const std::string& folder, const std::set<std::string>& names) {
  for (const std::string& name : names) {
    const auto is = [&](std::string_view begin, std::string_view end) {
      return name.starts_with(begin) && name.ends_with(end);
    };
    const std::string path = folder + "/" + name;
    if (is("pytorch_model", ".bin") || is("pytorch_model", ".bin.index.json") || is("", ".pth") ||
        is("", ".pt"))
      throw InputError(fmt::format("{}: found {}", path, convert_pickles));
    if (is("", ".gguf"))
      throw InputError(fmt::format(
          "{}: found no *.safetensors, but the GGUF file {}, expected its path as the model", folder, name));
    if (is("tf_model", ".h5") || is("flax_model", ".msgpack"))
      throw InputError(fmt::format("{}: found weights of another framework, expected safetensors", path));
  }
  throw InputError(fmt::format("{}: found no *.safetensors, expected the weights of a model", folder));
}

}  // namespace

std::set<std::string> weight_files_of(const std::string& folder) {
  const std::set<std::string> names = names_in(folder);
  const std::string index = folder + "/model.safetensors.index.json", whole = "model.safetensors";
  if (names.contains("model.safetensors.index.json")) return indexed_files(folder, index);
  if (names.contains(whole)) return {folder + "/" + whole};
  if (const auto parts = parts_among(folder, names); !parts.empty()) return parts;
  std::vector<std::string> others;
  for (const std::string& name : names)
    if (name.ends_with(".safetensors")) others.push_back(name);
  if (others.empty()) refuse(folder, names);
  if (std::find(others.begin(), others.end(), "adapter_model.safetensors") != others.end())
    throw InputError(
        fmt::format("{}: found an adapter (adapter_model.safetensors), expected the whole model: "
                    "merge the two first",
                    folder));
  if (others.size() > 1)
    throw InputError(fmt::format("{}: found {}, expected model.safetensors, its numbered parts or an index",
                                 folder, fmt::join(others, ", ")));
  return {folder + "/" + others.front()};
}

std::string note_on_other_weights(const std::string& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) return "";
  const std::set<std::string> read = weight_files_of(folder);
  std::vector<std::string> others;
  for (const std::string& name : names_in(folder))
    if (name.ends_with(".safetensors") && !read.contains(folder + "/" + name)) others.push_back(name);
  return others.empty() ? ""
                        : fmt::format("note: {}: read {}, not {}\n", folder,
                                      fs::path(*read.begin()).filename().string(), fmt::join(others, ", "));
}

std::string foreign_kind(std::string_view bytes) {
  if (bytes.starts_with("PK\x03\x04") || bytes.starts_with("\x80\x02")) return convert_pickles;
  if (bytes.starts_with("GGUF")) return "GGUF of llama.cpp, expected safetensors";
  if (bytes.starts_with("\x89HDF\r\n")) return "an HDF5 file, expected a name that ends in .h5";
  return "";
}

}  // namespace wafermark::llama

#include "sparse_llama/model/companion_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "common/mapped_file.hpp"
#include "common/results/result.hpp"
#include "sparse_llama/model/tokenizer.hpp"

namespace wafermark::llama {
namespace {

namespace fs = std::filesystem;

constexpr const char* generation = "generation_config.json";
constexpr const char* vocabularies[] = {"tokenizer.model", "tokenizer.json", "tokenizer.bin", "vocab.json",
                                        "merges.txt"};
constexpr const char* settings[] = {"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
                                    "chat_template.jinja", "chat_template.json"};

void add_if_there(const fs::path& path, Companions& companions) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) companions.paths.push_back(path.string());
}

}  // namespace

Companions companions_of(const std::string& folder, const std::string& tokenizer) {
  Companions companions;
  const fs::path model(folder);
  std::error_code error;
  if (!folder.empty()) add_if_there(model / generation, companions);
  std::string vocabulary = tokenizer;
  if (!tokenizer.empty()) vocabulary = read_tokenizer(tokenizer)->path();  // a mistake shows here
  const fs::path home = tokenizer.empty() ? model : fs::path(vocabulary).parent_path();
  if (tokenizer.empty() && folder.empty()) return companions;
  if (tokenizer.empty() || fs::is_directory(tokenizer, error)) {
    for (const char* name : vocabularies) add_if_there(home / name, companions);
    companions.tokenizer = !tokenizer_beside(home.string()).empty();
  } else {
    companions.paths.push_back(vocabulary);
    companions.tokenizer = true;
  }
  for (const char* name : settings) add_if_there(home / name, companions);
  return companions;
}

bool is_companion(const std::string& name) {
  const auto known = [&](const auto& names) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
  };
  return known(vocabularies) || known(settings) || name == generation;
}

std::string note_without_tokenizer(const std::string& model, const std::string& folder) {
  return fmt::format("note: {} has no tokenizer, so {} has none: texts need --tokenizer\n", model, folder);
}

void copy_companions(const Companions& companions, const std::string& folder) {
  for (const std::string& path : companions.paths) {
    const std::string name = fs::path(path).filename().string();
    // A tokenizer of another name gets the one that readers look for.
    const std::string own = is_companion(name) ? name : read_tokenizer(path)->file_name();
    std::error_code error;
    const fs::path target = fs::path(folder) / own;
    if (fs::equivalent(path, target, error)) continue;
    write_text_file(target.string(), std::string(MappedFile(path).bytes()));
  }
}

}  // namespace wafermark::llama

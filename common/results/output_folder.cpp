#include "common/results/output_folder.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/errors.hpp"

namespace wafermark {

namespace fs = std::filesystem;

std::vector<std::string> OutputFolder::left() const {
  std::vector<std::string> found;
  std::error_code none;
  if (comm_.is_root())
    for (const std::string& name : names_)
      if (fs::exists(fs::path(path_) / name, none)) found.push_back(name);
  comm_.broadcast(found);
  return found;
}

void OutputFolder::clear() const {
  std::string problem;
  if (comm_.is_root())
    for (const std::string& name : names_) {
      std::error_code error;
      fs::remove(fs::path(path_) / name, error);
      fs::remove(fs::path(path_) / (name + ".tmp"), error);
      if (fs::exists(fs::path(path_) / name, error))
        problem = fmt::format("--overwrite: {}/{} cannot be removed", path_, name);
    }
  comm_.throw_together(!problem.empty(), problem);
}

std::optional<nlohmann::json> OutputFolder::result() const {
  std::string text;
  if (comm_.is_root()) {
    std::ifstream file(path_ + "/result.json", std::ios::binary);
    text.assign(std::istreambuf_iterator<char>(file), {});
  }
  comm_.broadcast(text);
  auto document = nlohmann::json::parse(text, nullptr, false);
  if (!document.is_object()) return std::nullopt;
  return document;
}

bool OutputFolder::holds(const std::string& file) const {
  int same = 0;
  std::error_code none;
  if (comm_.is_root()) {
    const fs::path folder = fs::path(file).parent_path();
    same = fs::equivalent(folder.empty() ? fs::path(".") : folder, path_, none) ? 1 : 0;
  }
  comm_.broadcast(same);
  return same == 1;
}

}  // namespace wafermark

#include "tungsten_md/commands/output_folder.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/errors.hpp"
#include "tungsten_md/io/checkpoint.hpp"

namespace wafermark::tungsten {

namespace fs = std::filesystem;

namespace {

/// All that `run` writes, in the order in which it is removed.
constexpr std::array names{"checkpoint.previous.h5",
                           "checkpoint.h5",
                           "result.json",
                           "thermo.csv",
                           "defects.json",
                           "defects.csv",
                           "trajectory.h5",
                           "trajectory.dump",
                           "trajectory.xyz",
                           "start.data",
                           "final.data",
                           "wafer.h5",
                           "trace.json"};

}  // namespace

std::vector<std::string> OutputFolder::left() const {
  std::vector<std::string> found;
  std::error_code none;
  if (comm_.is_root())
    for (const char* name : names)
      if (fs::exists(fs::path(path_) / name, none)) found.emplace_back(name);
  comm_.broadcast(found);
  return found;
}

std::vector<std::string> OutputFolder::checkpoints() const {
  std::vector<std::string> found;
  std::error_code none;
  if (comm_.is_root())
    for (const std::string& file : {checkpoint(), previous_checkpoint(checkpoint())})
      if (fs::exists(file, none)) found.push_back(file);
  comm_.broadcast(found);
  return found;
}

void OutputFolder::require_empty() const {
  const auto files = left();
  if (!files.empty())
    throw InputError(fmt::format(
        "--out {}: holds {} of an earlier run, expected another folder, --restart auto to go on with that "
        "run, or --overwrite to remove it",
        path_, fmt::join(files, ", ")));
}

void OutputFolder::clear() const {
  std::string problem;
  if (comm_.is_root())
    for (const char* name : names) {
      std::error_code error;
      fs::remove(fs::path(path_) / name, error);
      fs::remove(fs::path(path_) / (std::string(name) + ".tmp"), error);
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

}  // namespace wafermark::tungsten

#include "tungsten_md/commands/output_folder.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "common/errors.hpp"
#include "tungsten_md/io/checkpoint.hpp"

namespace wafermark::tungsten {

// All that `run` writes; checkpoints go first: from whatever is left no run goes on.
OutputFolder::OutputFolder(const Communicator& comm, std::string path)
    : wafermark::OutputFolder(
          comm, std::move(path),
          {"checkpoint.previous.h5", "checkpoint.h5", "result.json", "thermo.csv", "defects.json",
           "defects.csv", "trajectory.h5", "trajectory.dump", "trajectory.xyz", "start.data", "final.data",
           "electrons.csv", "wafer.h5", "trace.json"}) {}

std::vector<std::string> OutputFolder::checkpoints() const {
  std::vector<std::string> found;
  std::error_code none;
  if (comm().is_root())
    for (const std::string& file : {checkpoint(), previous_checkpoint(checkpoint())})
      if (std::filesystem::exists(file, none)) found.push_back(file);
  comm().broadcast(found);
  return found;
}

void OutputFolder::require_empty() const {
  const auto files = left();
  if (!files.empty())
    throw InputError(fmt::format(
        "--out {}: holds {} of an earlier run, expected another folder, --restart auto to go on with that "
        "run, or --overwrite to remove it",
        path(), fmt::join(files, ", ")));
}

}  // namespace wafermark::tungsten

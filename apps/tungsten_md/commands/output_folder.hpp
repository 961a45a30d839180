// The folder OUT of a run: what an earlier run left there, and what may be done about it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/communicator.hpp"

namespace wafermark::tungsten {

/// All calls are collective.
class OutputFolder {
 public:
  OutputFolder(const Communicator& comm, std::string path) : comm_(comm), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string checkpoint() const { return path_ + "/checkpoint.h5"; }
  /// The two checkpoints, as far as they are there, the newer first.
  std::vector<std::string> checkpoints() const;
  /// Names of the files of an earlier run that are there.
  std::vector<std::string> left() const;
  /// Throws InputError that names them when there are any.
  void require_empty() const;
  /// Removes them, checkpoints first: from whatever is left no run goes on.
  void clear() const;
  /// result.json; none when it is not there or cannot be read.
  std::optional<nlohmann::json> result() const;
  /// Whether `file` lies in it.
  bool holds(const std::string& file) const;

 private:
  const Communicator& comm_;
  std::string path_;
};

}  // namespace wafermark::tungsten

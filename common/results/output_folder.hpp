// The folder that a command writes into: what an earlier run left there, and what may be done about it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/communicator.hpp"

namespace wafermark {

/// All calls are collective.
class OutputFolder {
 public:
  /// `names`: of all files that may be there, in the order in which they are to be removed.
  OutputFolder(const Communicator& comm, std::string path, std::vector<std::string> names)
      : comm_(comm), path_(std::move(path)), names_(std::move(names)) {}

  const Communicator& comm() const { return comm_; }
  const std::string& path() const { return path_; }
  /// Names of the files of an earlier run that are there.
  std::vector<std::string> left() const;
  /// Removes them, and what was begun under their temporary names. Throws InputError.
  void clear() const;
  /// result.json; none when it is not there or cannot be read.
  std::optional<nlohmann::json> result() const;
  /// Whether `file` lies in it.
  bool holds(const std::string& file) const;

 private:
  const Communicator& comm_;
  std::string path_;
  std::vector<std::string> names_;
};

}  // namespace wafermark

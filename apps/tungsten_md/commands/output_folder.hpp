// The folder OUT of a run: what an earlier run left there, and what may be done about it.
#pragma once

#include "common/results/output_folder.hpp"

namespace wafermark::tungsten {

/// All calls are collective.
class OutputFolder : public wafermark::OutputFolder {
 public:
  OutputFolder(const Communicator& comm, std::string path);

  std::string checkpoint() const { return path() + "/checkpoint.h5"; }
  /// The two checkpoints, as far as they are there, the newer first.
  std::vector<std::string> checkpoints() const;
  /// Throws InputError that names the files of an earlier run when there are any.
  void require_empty() const;
};

}  // namespace wafermark::tungsten

// What a result was made with: the program, the build and the machine.
#pragma once

#include <string>
#include <vector>

#include "common/communicator.hpp"

namespace wafermark {

struct MachineRecord {
  std::string version, commit, compiler, build_flags;
  std::string kokkos_version, backend;  ///< backend: "OpenMP", "Cuda", ...
  std::string mpi_library, cpu_model;
  std::vector<std::string> hosts;  ///< each host once, in the order of ranks
  int ranks = 1, threads_per_rank = 1;

  /// Collective.
  static MachineRecord of(const Communicator& comm);
};

/// "wafermark 0.1.0 (commit)", for --version.
std::string version_line();

}  // namespace wafermark

// What a result was made with: the program, the build and the machine.
#pragma once

#include <string>
#include <vector>

#include "common/communicator.hpp"

namespace wafermark {

struct MachineRecord {
  std::string version, commit, compiler, build_flags;
  std::string cpu_level;  ///< of a portable build (cpu_levels.hpp): that of this program; else empty
  std::string kokkos_version, backend;  ///< backend: "OpenMP", "Cuda", ...
  std::string mpi_library, cpu_model;
  std::string highest_cpu_level;   ///< that the CPU of this rank runs; empty where none
  std::vector<std::string> hosts;  ///< each host once, in the order of ranks
  int ranks = 1, threads_per_rank = 1;
  std::string device;           ///< of rank 0: "NVIDIA H200"; empty on CPUs
  std::string device_messages;  ///< how MPI gets at device memory, and who said so (gpu_aware_mpi.hpp)

  /// Collective.
  static MachineRecord of(const Communicator& comm);
};

/// "wafermark 0.1.0 (commit)", for --version.
std::string version_line();

}  // namespace wafermark

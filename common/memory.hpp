// How much memory is left, so that what cannot fit is refused in one line before anything is built.
#pragma once

#include <string>

#include "common/communicator.hpp"

namespace wafermark {

struct FreeMemory {
  double bytes = 0.0;
  std::string bound;  ///< what sets the number: "free memory", "cgroup limit", "limit of address space"
};

/// What the processes of this node may still take together: the least of MemAvailable and of what the
/// memory cgroups (v1 or v2) above this process leave; page cache that can be dropped counts as free.
/// `root` stands before /proc and /sys, for tests. Infinite where nothing is known.
FreeMemory free_memory_of_node(const std::string& root = "");

/// What RLIMIT_AS and RLIMIT_DATA leave to this process; infinite without limits.
FreeMemory free_memory_of_process();

/// Bytes as "1.23 GB", of 10^9.
std::string in_gigabytes(double bytes);

/// Compares what the ranks of each node are about to take with what is left there. `bytes`: of this rank
/// (any double; counts of any size may be multiplied up to it); `what`: "1000000000 atoms". Throws InputError
/// "<what>: needs 1.2e+03 GB on a rank, 21 GB are available (free memory, 4 ranks on the node)" on all ranks.
/// Collective.
void require_memory(const Communicator& comm, double bytes, const std::string& what);

}  // namespace wafermark

// Whether the threads of a rank have cores of their own. `mpirun -np 1` and 2 bind each rank to one core
// unless told otherwise, and threads that wait for each other on one core make a program several times
// slower.
#pragma once

#include <optional>
#include <string>

namespace wafermark {

/// CPUs that this process may run on, and those of the machine; 0 where the system does not say.
struct UsableCpus {
  int allowed = 0, online = 0;
};
UsableCpus usable_cpus();

/// What to tell the user of a rank with so many threads; nothing where each has a CPU, or the machine has no
/// more.
std::optional<std::string> crowded_threads(int threads, const UsableCpus& cpus);

}  // namespace wafermark

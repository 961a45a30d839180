#include "common/thread_binding.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

namespace wafermark {

UsableCpus usable_cpus() {
  UsableCpus cpus;
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) cpus.allowed = CPU_COUNT(&set);
#endif
  cpus.online = int(sysconf(_SC_NPROCESSORS_ONLN));
  return cpus;
}

std::optional<std::string> crowded_threads(int threads, const UsableCpus& cpus) {
  if (cpus.allowed < 1 || threads <= cpus.allowed || cpus.allowed >= cpus.online) return std::nullopt;
  return fmt::format(
      "{} threads share {} of {} CPUs, to which the launcher bound the rank: expected a CPU for each "
      "(mpirun --bind-to none, or --map-by slot:PE={})",
      threads, cpus.allowed, cpus.online, threads);
}

}  // namespace wafermark

#include "common/machine_record.hpp"

#include <unistd.h>

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <fstream>
#include <sstream>

#include "common/cpu_level_check.hpp"
#include "common/cpu_levels.hpp"
#include "common/device.hpp"
#include "common/gpu_aware_mpi.hpp"
#include "common/version_text.hpp"
#include "wafermark_commit.hpp"

namespace wafermark {
namespace {

std::string read_cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown";
}

std::string compiler_name() {
#if defined(__clang__)
  return "clang " __clang_version__;
#elif defined(__GNUC__)
  return "gcc " __VERSION__;
#else
  return "unknown";
#endif
}

/// What the build alone decides.
MachineRecord of_build() {
  MachineRecord r;
  r.version = WAFERMARK_VERSION;
  r.commit = WAFERMARK_COMMIT;
  r.compiler = compiler_name();
  r.build_flags = WAFERMARK_FLAGS;
  r.cpu_level = cpu_level_of_build();
  r.kokkos_version = std::to_string(KOKKOS_VERSION_MAJOR) + '.' + std::to_string(KOKKOS_VERSION_MINOR) + '.' +
                     std::to_string(KOKKOS_VERSION_PATCH);
  r.backend = Kokkos::DefaultExecutionSpace::name();
  char library[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  MPI_Get_library_version(library, &length);
  r.mpi_library = std::string(library, static_cast<std::size_t>(length));
  r.mpi_library = r.mpi_library.substr(0, r.mpi_library.find(','));
  return r;
}

}  // namespace

MachineRecord MachineRecord::of(const Communicator& comm) {
  MachineRecord r = of_build();
  r.cpu_model = read_cpu_model();
  r.highest_cpu_level = wafermark::highest_cpu_level();
  r.ranks = comm.size();
  r.threads_per_rank = Kokkos::DefaultExecutionSpace().concurrency();
  r.device = device_name();
  r.device_messages = device_messages_text();

  char host[256] = "";
  gethostname(host, sizeof host - 1);
  const std::string mine = std::string(host) + '\n';
  const auto all = comm.all_gather(std::vector<char>(mine.begin(), mine.end()));
  std::istringstream lines(std::string(all.begin(), all.end()));
  for (std::string h; std::getline(lines, h);)
    if (std::find(r.hosts.begin(), r.hosts.end(), h) == r.hosts.end()) r.hosts.push_back(h);
  return r;
}

std::string version_text() {
  const MachineRecord r = of_build();
  std::string text = version_line();
  for (const auto& [key, value] : {std::pair<const char*, const std::string&>{"version", r.version},
                                   {"commit", r.commit},
                                   {"compiler", r.compiler},
                                   {"flags", r.build_flags},
                                   {"kokkos", r.kokkos_version},
                                   {"backend", r.backend},
                                   {"mpi", r.mpi_library}})
    text += std::string("\n") + key + ": " + value;
  if (!r.cpu_level.empty()) text += "\ncpu_level: " + r.cpu_level;
  return text;
}

std::string version_line() { return "wafermark " WAFERMARK_VERSION " (" WAFERMARK_COMMIT ")"; }

}  // namespace wafermark

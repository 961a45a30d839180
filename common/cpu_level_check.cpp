#include "common/cpu_level_check.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "common/cpu_levels.hpp"
#include "common/errors.hpp"
#include "common/printable.hpp"
#include "common/runtime.hpp"

namespace wafermark {
namespace {

/// "rank 3 on HOST runs LEVEL", known on all ranks. Collective.
std::string place_of(const Communicator& comm, int rank, const std::string& own) {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  std::string text =
      fmt::format("rank {} on {} runs a program for {}", rank, host, own.empty() ? "one CPU" : own);
  comm.broadcast(text, rank);
  return text;
}

}  // namespace

std::string cpu_level_of_build() { return WAFERMARK_CPU_LEVEL; }

void expect_one_cpu_level(const Communicator& comm, const std::string& own) {
  const std::vector<std::string> levels = cpu_levels();
  const auto found = std::find(levels.begin(), levels.end(), own);
  const int mine = own.empty() ? -1 : int(found - levels.begin());
  const int lowest = comm.min(mine), highest = comm.max(mine);
  if (lowest == highest) return;
  const std::vector<int> all = comm.all_gather(mine);
  const auto first_of = [&](int level) {
    return int(std::find(all.begin(), all.end(), level) - all.begin());
  };
  const std::string low = place_of(comm, first_of(lowest), own),
                    high = place_of(comm, first_of(highest), own);
  throw InputError(fmt::format("unlike CPU levels: {}, {}; expected {}", low, high,
                               lowest < 0 ? std::string("the same program on all ranks")
                                          : fmt::format("one level: {}={} on all ranks", cpu_level_variable,
                                                        levels[std::size_t(lowest)])));
}

void expect_wanted_cpu_level(const std::string& own, const std::string& wanted) {
  if (wanted.empty() || wanted == own) return;
  throw InputError(fmt::format(
      "{}: found '{}', expected {}", cpu_level_variable, excerpt(wanted),
      own.empty() ? "none: this program was built for one CPU (cmake --preset portable builds several levels)"
                  : fmt::format("{} or none: this is the program of that level alone", own)));
}

void check_cpu_level(const Communicator& comm) {
  if (runtime::charges_kernels()) return;  // all ranks are one process, whose calls would be charged
  const std::string own = cpu_level_of_build();
  expect_one_cpu_level(comm, own);
  const char* wanted = std::getenv(cpu_level_variable);
  expect_wanted_cpu_level(own, wanted == nullptr ? "" : wanted);
}

}  // namespace wafermark

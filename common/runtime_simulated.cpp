#include <dlfcn.h>
#include <mpi.h>

#include <Kokkos_Core.hpp>

#include "common/errors.hpp"
#include "common/kernel_clock.hpp"
#include "common/runtime.hpp"

namespace wafermark::runtime {
namespace {

/// Kokkos has loaded it for all to see.
const KernelClock& kernel_clock() {
  static const KernelClock* const found = [] {
    const auto find = reinterpret_cast<FindKernelClock>(dlsym(RTLD_DEFAULT, kernel_clock_symbol));
    if (find == nullptr)
      throw InputError(
          "found no kernel clock, so that no kernel would take time: start this build with "
          "jobscripts/cluster_sim.sh");
    return find();
  }();
  return *found;
}

}  // namespace

double seconds() { return MPI_Wtime(); }

// One Kokkos for all ranks, which SimGrid runs in turn. The first one starts it; nobody can know that he is
// the last to need it, so it ends with the process.
KokkosScope::KokkosScope(int& argc, char** argv) {
  if (Kokkos::is_initialized())
    argc = 1;
  else
    Kokkos::initialize(argc, argv);
  kernel_clock();
}
KokkosScope::~KokkosScope() = default;

bool charges_kernels() { return true; }
void announce_items(std::int64_t items) { kernel_clock().announce_items(items); }
void announce_candidates(std::int64_t entries) { kernel_clock().announce_candidates(entries); }

void note_message(const Message& message) { kernel_clock().note_message(message); }
void announce_grid(const std::array<int, 3>& ranks) { kernel_clock().announce_grid(ranks.data()); }
void begin_timed_steps() { kernel_clock().begin_timed_steps(); }
void end_timed_steps(std::int64_t steps) { kernel_clock().end_timed_steps(steps); }

nlohmann::json simulation() { return nlohmann::json::parse(kernel_clock().record()); }

nlohmann::json simulated_outcome() { return nlohmann::json::parse(kernel_clock().outcome()); }

}  // namespace wafermark::runtime

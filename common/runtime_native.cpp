#include <Kokkos_Core.hpp>
#include <chrono>

#include "common/runtime.hpp"

namespace wafermark::runtime {

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

KokkosScope::KokkosScope(int& argc, char** argv) { Kokkos::initialize(argc, argv); }
KokkosScope::~KokkosScope() { Kokkos::finalize(); }

bool charges_kernels() { return false; }
void announce_items(std::int64_t) {}
void announce_candidates(std::int64_t) {}
void note_message(const Message&) {}
void announce_grid(const std::array<int, 3>&) {}
void begin_timed_steps() {}
void end_timed_steps(std::int64_t) {}

nlohmann::json simulation() { return nullptr; }
nlohmann::json simulated_outcome() { return nullptr; }

}  // namespace wafermark::runtime

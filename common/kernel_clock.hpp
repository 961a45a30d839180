// What a program tells the kernel clock (tools/kernel_clock), the Kokkos Tools library that charges kernels
// to a simulated host. The library is loaded by Kokkos, not linked: simulated ranks are copies of the
// program, the clock is one for all of them.
#pragma once

#include <cstdint>

#include "common/runtime.hpp"

namespace wafermark {

/// All calls are about the simulated rank that makes them.
struct KernelClock {
  void (*announce_items)(std::int64_t);
  void (*announce_candidates)(std::int64_t);
  void (*announce_grid)(const int* ranks);  ///< three numbers
  void (*note_message)(const runtime::Message&);
  void (*begin_timed_steps)();
  void (*end_timed_steps)(std::int64_t steps);
  const char* (*record)();  ///< JSON: machine, platform, simulator
  /// JSON of the timed steps, when all ranks have ended them: bounds of the time within the machine's ranges,
  /// in parts of it, what it hangs on, and watts.
  const char* (*outcome)();
};

inline constexpr const char* kernel_clock_symbol = "wafermark_kernel_clock";
/// The function of that name.
using FindKernelClock = const KernelClock* (*)();

}  // namespace wafermark

// Where the time goes: named regions of a run, on this rank and over all ranks. Regions also reach Kokkos
// Tools.
#pragma once

#include <Kokkos_Core.hpp>
#include <string>
#include <vector>

#include "common/communicator.hpp"
#include "common/runtime.hpp"

namespace wafermark {

/// Accumulated times of one run; owned by the run and passed to whatever is timed.
class RegionTimes {
 public:
  struct Summary {
    std::string name;
    std::int64_t calls;                             ///< largest over ranks
    double min_seconds, mean_seconds, max_seconds;  ///< over ranks
  };

  /// Names are string literals: the address finds the entry, so that a region costs two clock reads.
  void add(const char* name, double seconds);
  /// Collective. In the order of first use on rank 0, regions that only other ranks saw last.
  std::vector<Summary> reduce(const Communicator& comm) const;
  void clear() { entries_.clear(); }

 private:
  struct Entry {
    const char* name;
    double seconds;
    std::int64_t calls;
  };
  std::vector<Entry> entries_;
};

/// Times its own lifetime. The work of a device is not waited for, which would cost every step a few fences:
/// it counts to the region in which the host waits next.
class Region {
 public:
  Region(RegionTimes& times, const char* name) : times_(times), name_(name) {
    Kokkos::Profiling::pushRegion(name);
    start_ = runtime::seconds();
  }
  ~Region() {
    times_.add(name_, runtime::seconds() - start_);
    Kokkos::Profiling::popRegion();
  }
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

 private:
  RegionTimes& times_;
  const char* name_;
  double start_ = 0.0;
};

}  // namespace wafermark

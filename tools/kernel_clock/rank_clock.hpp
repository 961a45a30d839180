// The two clocks of a simulated rank between its fences: the host's, who starts kernels, and the worker's,
// who carries them out; and what the operating system takes from the host meanwhile.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "tools/kernel_clock/cluster_machine.hpp"

namespace wafermark {

class RankClock {
 public:
  /// Interruptions are drawn from the rank's number: the same in every run, and of no two ranks together.
  explicit RankClock(int rank) : random_(static_cast<std::uint64_t>(rank) << 32), to_next_(exponential()) {}

  /// A kernel or a copy of so many seconds on the worker. The host goes on after the launch.
  void start(const ClusterMachine& m, double seconds) {
    host_ += m.launch;
    worker_ = std::max(worker_, host_) + seconds;
    started_ = true;
  }
  bool started() const { return started_; }
  /// The host waits for the worker: how long that is since the last time it did, with what `waiting` costs
  /// and with the interruptions of that time.
  double drain(const ClusterMachine& m, double waiting) {
    const double until = std::max(host_, worker_) + waiting;
    host_ = worker_ = 0.0;
    started_ = false;
    return until + interruptions(m, until);
  }

 private:
  /// They come as a Poisson process of `interruption_rate`, each of a length drawn from an exponential
  /// distribution: the long one that some rank of thousands always meets is part of it.
  double interruptions(const ClusterMachine& m, double seconds) {
    double taken = 0.0;
    for (to_next_ -= seconds * m.interruption_rate; to_next_ < 0.0; to_next_ += exponential())
      taken += m.interruption * exponential();
    return taken;
  }
  double exponential() {
    // splitmix64 (Steele, Lea and Flood 2014, https://doi.org/10.1145/2660193.2660195)
    std::uint64_t z = random_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    z ^= z >> 31;
    return -std::log((static_cast<double>(z >> 11) + 0.5) * 0x1p-53);
  }

  double host_ = 0.0, worker_ = 0.0;
  bool started_ = false;
  std::uint64_t random_;
  double to_next_;  ///< in mean times between interruptions
};

}  // namespace wafermark

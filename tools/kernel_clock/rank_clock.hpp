// The two clocks of a simulated rank between its fences: the host's, who starts kernels, and the worker's,
// who carries them out.
#pragma once

#include <algorithm>

#include "tools/kernel_clock/cluster_machine.hpp"

namespace wafermark {

class RankClock {
 public:
  /// A kernel or a copy of so many seconds on the worker. The host goes on after the launch.
  void start(const ClusterMachine& m, double seconds) {
    host_ += m.launch;
    worker_ = std::max(worker_, host_) + seconds;
    started_ = true;
  }
  bool started() const { return started_; }
  /// The host waits for the worker: how long that is since the last time it did, with what `waiting` costs.
  double drain(double waiting) {
    const double until = std::max(host_, worker_) + waiting;
    host_ = worker_ = 0.0;
    started_ = false;
    return until;
  }

 private:
  double host_ = 0.0, worker_ = 0.0;
  bool started_ = false;
};

}  // namespace wafermark

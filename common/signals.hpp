// Asking a run to end: SIGTERM (Slurm's time limit, batch systems), SIGUSR1 (sbatch --signal, passed on by
// mpirun), SIGINT (a terminal), SIGHUP (a lost one) and SIGXCPU (a CPU limit) set a flag that the run polls.
#pragma once

#include <array>
#include <cstdint>

#include "common/communicator.hpp"

namespace wafermark {

/// Catches the signals while it lives and puts the former handlers back afterwards; one that was ignored
/// (nohup) stays ignored. A second signal, more than a second after the first (batch systems and mpirun both
/// send it), ends the process at once. One at a time.
class StopRequest {
 public:
  StopRequest();
  ~StopRequest();
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  /// Whether any rank has been asked to stop. Collective: poll at the same step on all ranks.
  bool requested(const Communicator& comm) const;
  /// Whether this rank has been asked.
  bool requested_here() const;

 private:
  std::array<void (*)(int), 5> former_{};
};

/// Asks about every half second of the run's clock, whatever a step takes. Ranks agree at each question when
/// the next one comes, so that they ask after the same step: between two questions a step costs a
/// subtraction.
class StopPoll {
 public:
  StopPoll(const StopRequest& request, const Communicator& comm);
  /// Call it after every step on all ranks. Whether any rank has been asked to stop.
  bool stop();

 private:
  const StopRequest& request_;
  const Communicator& comm_;
  std::int64_t interval_ = 1, left_ = 1;
  double last_;
};

}  // namespace wafermark

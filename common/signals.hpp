// Asking a run to end: SIGTERM (Slurm's time limit) and SIGUSR1 (sbatch --signal) set a flag that the run
// polls.
#pragma once

#include "common/communicator.hpp"

namespace wafermark {

/// Catches the two signals while it lives and puts the former handlers back afterwards. One at a time.
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
  void (*former_term_)(int);
  void (*former_usr1_)(int);
};

}  // namespace wafermark

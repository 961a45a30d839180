#include "common/signals.hpp"

#include <csignal>

namespace wafermark {
namespace {
// A signal handler can reach nothing but a global.
volatile std::sig_atomic_t stop_flag = 0;
void raise_flag(int) { stop_flag = 1; }
}  // namespace

StopRequest::StopRequest()
    : former_term_(std::signal(SIGTERM, raise_flag)), former_usr1_(std::signal(SIGUSR1, raise_flag)) {
  stop_flag = 0;
}

StopRequest::~StopRequest() {
  std::signal(SIGTERM, former_term_);
  std::signal(SIGUSR1, former_usr1_);
}

bool StopRequest::requested_here() const { return stop_flag != 0; }

bool StopRequest::requested(const Communicator& comm) const { return comm.max(stop_flag != 0 ? 1 : 0) != 0; }

}  // namespace wafermark

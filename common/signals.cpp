#include "common/signals.hpp"

#include <algorithm>
#include <csignal>
#include <ctime>

#include "common/runtime.hpp"

namespace wafermark {
namespace {

constexpr std::array stop_signals{SIGTERM, SIGUSR1, SIGINT, SIGHUP, SIGXCPU};

// A signal handler can reach nothing but globals.
volatile std::sig_atomic_t stop_flag = 0, first_second = 0;

void raise_flag(int number) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto second = static_cast<std::sig_atomic_t>(now.tv_sec);
  if (stop_flag == 0) {
    stop_flag = 1;
    first_second = second;
  } else if (second - first_second > 1) {
    std::signal(number, SIG_DFL);
    std::raise(number);
  }
}

constexpr double seconds_between = 0.5;
constexpr std::int64_t longest_interval = 1 << 20;

}  // namespace

StopRequest::StopRequest() {
  stop_flag = 0;
  for (std::size_t k = 0; k < stop_signals.size(); ++k) {
    former_[k] = std::signal(stop_signals[k], raise_flag);
    if (former_[k] == SIG_IGN) std::signal(stop_signals[k], SIG_IGN);
  }
}

StopRequest::~StopRequest() {
  for (std::size_t k = 0; k < stop_signals.size(); ++k) std::signal(stop_signals[k], former_[k]);
}

bool StopRequest::requested_here() const { return stop_flag != 0; }

bool StopRequest::requested(const Communicator& comm) const { return comm.max(stop_flag != 0 ? 1 : 0) != 0; }

StopPoll::StopPoll(const StopRequest& request, const Communicator& comm)
    : request_(request), comm_(comm), last_(runtime::seconds()) {}

bool StopPoll::stop() {
  if (--left_ > 0) return false;
  const double now = runtime::seconds(), seconds = now - last_;
  last_ = now;
  // Growing slowly, as steps may become slower (a cascade, a checkpoint).
  const double fitting = seconds > 0 ? static_cast<double>(interval_) * seconds_between / seconds : 1e9;
  const double most = std::min(2.0 * static_cast<double>(interval_), static_cast<double>(longest_interval));
  const auto mine = static_cast<std::int64_t>(std::clamp(fitting, 1.0, most));
  // One number tells both: the shortest interval of all ranks, or that one of them has been asked to stop.
  const std::int64_t asked = longest_interval + 1;
  const std::int64_t answer = comm_.max(request_.requested_here() ? asked : longest_interval - mine);
  if (answer == asked) {
    left_ = 1;
    return true;
  }
  interval_ = longest_interval - answer;
  left_ = interval_;
  return false;
}

}  // namespace wafermark

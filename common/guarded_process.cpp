#include "common/guarded_process.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace wafermark {
namespace {

constexpr std::size_t most_bytes = std::size_t{1} << 26;

[[noreturn]] void run_child(const std::function<int(int)>& work, int to, rlim_t cpu_seconds) {
  // The parent's handlers print, or wait for other ranks.
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU}) std::signal(signal, SIG_DFL);
  // What asks the job to end is the parent's business: the work must not pass for one that crashed.
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) std::signal(signal, SIG_IGN);
  const rlimit none{0, 0}, processor{cpu_seconds, cpu_seconds + 1};
  setrlimit(RLIMIT_CORE, &none);
  setrlimit(RLIMIT_CPU, &processor);
  _exit(work(to));
}

std::string read_to_end(int from) {
  std::string bytes;
  char block[4096];
  for (;;) {
    const ssize_t n = ::read(from, block, sizeof block);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0 || bytes.size() > most_bytes) return bytes;
    bytes.append(block, static_cast<std::size_t>(n));
  }
}

struct Ended {
  int status = 1;  ///< as waitpid gives it
  rusage used{};
  std::string bytes;
};

Ended run_once(const std::function<int(int)>& work, unsigned long cpu_seconds) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "no pipe");
  const pid_t child = ::fork();
  if (child < 0) {
    const int error = errno;
    for (const int end : ends) ::close(end);
    throw std::system_error(error, std::generic_category(), "no process can be started");
  }
  if (child == 0) run_child(work, ends[1], cpu_seconds);
  ::close(ends[1]);
  Ended ended;
  ended.bytes = read_to_end(ends[0]);
  ::close(ends[0]);
  while (::wait4(child, &ended.status, 0, &ended.used) < 0 && errno == EINTR) {
  }
  return ended;
}

/// Whether a signal ended it that work does not bring upon itself, by a crash or by its limit.
bool is_killed_from_outside(const Ended& ended, unsigned long cpu_seconds) {
  if (!WIFSIGNALED(ended.status)) return false;
  const int signal = WTERMSIG(ended.status);
  const auto seconds = static_cast<unsigned long>(ended.used.ru_utime.tv_sec + ended.used.ru_stime.tv_sec);
  if (signal == SIGXCPU || signal == SIGKILL) return seconds + 1 < cpu_seconds;
  for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP})
    if (signal == own) return false;
  return true;
}

}  // namespace

std::optional<std::string> run_guarded(const std::function<int(int)>& work, unsigned long cpu_seconds) {
  constexpr int tries = 3;
  for (int k = 1;; ++k) {
    Ended ended = run_once(work, cpu_seconds);
    if (k < tries && is_killed_from_outside(ended, cpu_seconds)) continue;
    if (!WIFEXITED(ended.status) || WEXITSTATUS(ended.status) != 0) return std::nullopt;
    return std::move(ended.bytes);
  }
}

}  // namespace wafermark

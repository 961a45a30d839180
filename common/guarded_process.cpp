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
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU, SIGTERM, SIGINT, SIGHUP})
    std::signal(signal, SIG_DFL);
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

}  // namespace

std::optional<std::string> run_guarded(const std::function<int(int)>& work, unsigned long cpu_seconds) {
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
  const std::string bytes = read_to_end(ends[0]);
  ::close(ends[0]);
  int status = 1;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
  return bytes;
}

}  // namespace wafermark

// A library for LD_PRELOAD in whose programs WAFERMARK_KILL_AT_RENAME=N kills the process at its Nth rename,
// before
// ("N") or right after it ("+N"), as a crash of the node would.
#include <dlfcn.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>

extern "C" int rename(const char* from, const char* to) {
  using Rename = int (*)(const char*, const char*);
  static const auto real = reinterpret_cast<Rename>(dlsym(RTLD_NEXT, "rename"));
  static const char* wanted = std::getenv("WAFERMARK_KILL_AT_RENAME");
  static const long number = wanted == nullptr ? 0 : std::labs(std::atol(wanted));
  static long calls = 0;
  const bool this_one = ++calls == number, after = wanted != nullptr && wanted[0] == '+';
  if (this_one && !after) kill(getpid(), SIGKILL);
  const int code = real(from, to);
  if (this_one) kill(getpid(), SIGKILL);
  return code;
}

// Work that may crash or never come to an end, in a process of its own.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace wafermark {

/// What `work`, called in a child process, writes to the descriptor that it is given; none when it does not
/// return 0, crashes, or uses more than so many seconds of processor time. Requests to end (SIGTERM to a
/// whole process group) it ignores; killed from outside it is begun again, twice. The child must call no MPI.
/// Throws std::system_error when no process can be started.
std::optional<std::string> run_guarded(const std::function<int(int to)>& work, unsigned long cpu_seconds);

}  // namespace wafermark

// What --version says.
#pragma once

#include <string>

namespace wafermark {

/// "wafermark 0.1.0 (commit)", then all that a result says of its build, one "key: value" a line. Needs
/// neither MPI nor Kokkos to be initialised.
std::string version_text();

}  // namespace wafermark

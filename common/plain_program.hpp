// The end of programs that start neither MPI nor Kokkos by themselves: tools beside the apps.
#pragma once

#include <functional>
#include <string>

namespace wafermark {

/// The exit code of `body`, whose exceptions of any type become one printable line on stderr, "NAME: ...",
/// and their exit code (errors.hpp).
int run_plain_program(const std::string& name, const std::function<int()>& body);

}  // namespace wafermark

// The three ways a program ends badly, each with its exit code.
//   2  InputError    the user's input is wrong; one line says where, what was found, what was expected
//   3  CheckFailure  the run finished, but a validation check did not pass
//   1  anything else a defect or the machine
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

namespace wafermark {

/// Bad input (file, key, value, environment). The message is one line: "FILE:LINE: found X, expected Y".
/// Thrown collectively or by one rank: run_program prints it once and ends all ranks with exit code 2.
class InputError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A finished run whose checks failed; the result is written. Exit code 3.
class CheckFailure : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What an exception of any kind says, in one line; of a lack of memory in words, which what() of the
/// standard library and of Kokkos are not. For messages that are passed on.
std::string message_of(const std::exception& e);

/// Starts MPI and Kokkos, calls `body`, and turns exceptions of any type into one printable line on stderr
/// (printable.hpp) and an exit code. An exception on any rank ends every rank within seconds (MPI_Abort) with
/// that code; when all ranks throw, one of them prints. `body` returns the exit code of a good run (0). Words
/// "--kokkos-..." go to Kokkos and not to `body`; Kokkos sees no others.
int run_program(int argc, char** argv, const std::function<int(int argc, char** argv)>& body);

}  // namespace wafermark

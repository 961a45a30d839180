// What MPI returns, as an exception. Of common/'s own MPI calls; no other folder needs it.
#pragma once

#include <mpi.h>

#include <string>

namespace wafermark {

/// MPI's text for an error code.
std::string mpi_text(int code);

/// Throws std::runtime_error "rank R of N: <call>: <MPI's text>" unless `code` is MPI_SUCCESS.
void check(MPI_Comm comm, int code, const char* call);

}  // namespace wafermark

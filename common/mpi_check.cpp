#include "common/mpi_check.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace wafermark {

std::string mpi_text(int code) {
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  return std::string(text, static_cast<std::size_t>(length));
}

void check(MPI_Comm comm, int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  int rank = 0, size = 1;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  throw std::runtime_error(fmt::format("rank {} of {}: {}: {}", rank, size, call, mpi_text(code)));
}

}  // namespace wafermark

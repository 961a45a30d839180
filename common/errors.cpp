#include "common/errors.hpp"

#include <mpi.h>

#include <Kokkos_Core.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

namespace wafermark {
namespace {

struct Outcome {
  int code = 0;
  std::string message;
};

Outcome attempt(int argc, char** argv, const std::function<int(int, char**)>& body) {
  try {
    return {body(argc, argv), ""};
  } catch (const InputError& e) {
    return {2, e.what()};
  } catch (const CheckFailure& e) {
    return {3, e.what()};
  } catch (const std::exception& e) {
    return {1, e.what()};
  }
}

/// Waits a moment for the other ranks to fail too. True when all have: then the program may end in good
/// order. A rank that does not come is still computing or waiting for this one, and must be aborted.
bool all_ranks_failed() {
  MPI_Request request;
  if (MPI_Ibarrier(MPI_COMM_WORLD, &request) != MPI_SUCCESS) return false;
  const double patience_seconds = 2.0, start = MPI_Wtime();
  for (int done = 0; MPI_Wtime() - start < patience_seconds;) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (done) return true;
  }
  return false;
}

}  // namespace

int run_program(int argc, char** argv, const std::function<int(int argc, char** argv)>& body) {
  MPI_Init(&argc, &argv);
  // Kokkos' advice on binding and oversubscription is for interactive use; it would repeat on every rank.
  setenv("KOKKOS_DISABLE_WARNINGS", "1", 0);
  int rank = 0, size = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  Outcome outcome;
  {
    Kokkos::ScopeGuard kokkos(argc, argv);
    outcome = attempt(argc, argv, body);
  }
  if (outcome.message.empty()) {
    MPI_Finalize();
    return outcome.code;
  }
  const std::string_view program = argc > 0 ? argv[0] : "wafermark";
  const std::string name(program.substr(program.find_last_of('/') + 1));
  if (all_ranks_failed()) {
    // Rank 0 speaks for all; ranks may have failed in different ways, so the highest code wins.
    int code = outcome.code;
    MPI_Allreduce(MPI_IN_PLACE, &code, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    if (rank == 0) std::fprintf(stderr, "%s: %s\n", name.c_str(), outcome.message.c_str());
    MPI_Finalize();
    return code;
  }
  std::fprintf(stderr, "%s: rank %d of %d: %s\n", name.c_str(), rank, size, outcome.message.c_str());
  std::fflush(stderr);
  MPI_Abort(MPI_COMM_WORLD, outcome.code);
  return outcome.code;
}

}  // namespace wafermark

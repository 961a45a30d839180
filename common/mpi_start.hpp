// Starts MPI as every program and test here needs it.
#pragma once

namespace wafermark {

/// MPI_Init, with what an MPI library must be told beforehand so that it writes files right. What the user
/// has set in the environment stays.
void start_mpi(int* argc, char*** argv);

}  // namespace wafermark

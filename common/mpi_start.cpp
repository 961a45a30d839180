#include "common/mpi_start.hpp"

#include <mpi.h>

#include <cstdlib>

namespace wafermark {

void start_mpi(int* argc, char*** argv) {
  // Open MPI 4.1 (to 4.1.6) and 5.0 (to 5.0.5) fill the gaps of a write by reading them and writing them
  // back: where several ranks write one file together, they overwrite each other's new bytes with old ones
  // (open-mpi/ompi issue 12718; 9 of 200 writes of 40 ranks here). HDF5 and our own texts write that way.
  setenv("OMPI_MCA_fbtl_posix_write_datasieving", "0", 0);
  MPI_Init(argc, argv);
}

}  // namespace wafermark

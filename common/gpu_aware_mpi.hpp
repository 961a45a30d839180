// Whether MPI may be handed pointers to device memory.
#pragma once

namespace wafermark {

/// True when buffers of Kokkos' default device go to MPI without a copy: host memory, or
/// WAFERMARK_GPU_AWARE_MPI=1 in the environment (the site knows; there is no portable way to ask).
bool mpi_reads_device_memory();

}  // namespace wafermark

// Whether MPI may be handed pointers to device memory.
#pragma once

#include <string>

namespace wafermark {

/// How messages of device memory travel.
enum class DeviceMessages {
  host_memory,  ///< there is no other: the devices are CPUs
  direct,       ///< MPI reads and writes device memory
  staged        ///< by way of host memory
};

/// Asks WAFERMARK_GPU_AWARE_MPI (1 or 0: the site knows best), then the MPI library itself, where it can say:
/// Open MPI and its kin by MPIX_Query_cuda_support and MPIX_Query_rocm_support, MPICH by
/// MPIX_GPU_query_support, Cray MPICH by MPICH_GPU_SUPPORT_ENABLED=1. Staged where nobody says yes. Call
/// after MPI_Init. Throws InputError for another value of the variable.
DeviceMessages device_messages();

/// True when buffers of Kokkos' default device go to MPI as they are.
bool mpi_reads_device_memory();

/// "host memory", "direct" or "staged", and who said so, for results.
std::string device_messages_text();

}  // namespace wafermark

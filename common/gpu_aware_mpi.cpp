#include "common/gpu_aware_mpi.hpp"

#include <Kokkos_Core.hpp>
#include <cstdlib>
#include <cstring>

namespace wafermark {

bool mpi_reads_device_memory() {
  using Space = Kokkos::DefaultExecutionSpace::memory_space;
  if (Kokkos::SpaceAccessibility<Kokkos::HostSpace, Space>::accessible) return true;
  const char* aware = std::getenv("WAFERMARK_GPU_AWARE_MPI");
  return aware != nullptr && std::strcmp(aware, "1") == 0;
}

}  // namespace wafermark

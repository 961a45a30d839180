#include "tungsten_md/cluster/many_steps.hpp"

#include <algorithm>

namespace wafermark::tungsten {
namespace {

/// Each runs one team of any size at the same time as the others do. A back end that does not say how many
/// there are has one.
int multiprocessors() {
#if defined(KOKKOS_ENABLE_CUDA)
  return ExecSpace().cuda_device_prop().multiProcessorCount;
#elif defined(KOKKOS_ENABLE_HIP)
  return ExecSpace::hip_device_prop().multiProcessorCount;
#else
  return on_cpu ? ExecSpace().concurrency() : 1;
#endif
}

}  // namespace

LeagueShape LeagueShape::of(int atoms, int most_threads, int lanes) {
  // Threads of a whole number of a GPU's warps.
  const int wave = on_cpu ? 1 : std::max(1, Kokkos::TeamPolicy<ExecSpace>::vector_length_max() / lanes);
  const int places = std::max(1, multiprocessors());
  const int needed = std::max(1, (atoms + places - 1) / places);
  const int threads = std::clamp((needed + wave - 1) / wave * wave, 1, on_cpu ? 1 : most_threads);
  return {std::clamp((atoms + threads - 1) / threads, 1, places), threads};
}

}  // namespace wafermark::tungsten

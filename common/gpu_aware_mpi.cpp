#include "common/gpu_aware_mpi.hpp"

#include <mpi.h>
#if __has_include(<mpi-ext.h>)
#include <mpi-ext.h>
#endif

#include <cstdlib>
#include <optional>

#include "common/environment.hpp"
#include "common/spaces.hpp"

namespace wafermark {
namespace {

struct Answer {
  bool aware;
  const char* by;
};

std::optional<Answer> answer_of_site() {
  constexpr const char* variable = "WAFERMARK_GPU_AWARE_MPI";
  const std::optional<bool> said = yes_or_no(variable, environment_value(variable));
  return said ? std::optional(Answer{*said, variable}) : std::nullopt;
}

/// Of the library, for the kind of devices that this program was built for.
std::optional<Answer> answer_of_library() {
#if defined(KOKKOS_ENABLE_CUDA) && defined(MPIX_GPU_SUPPORT_CUDA)
  int aware = 0;
  if (MPIX_GPU_query_support(MPIX_GPU_SUPPORT_CUDA, &aware) == MPI_SUCCESS)
    return Answer{aware != 0, "MPIX_GPU_query_support"};
#elif defined(KOKKOS_ENABLE_HIP) && defined(MPIX_GPU_SUPPORT_HIP)
  int aware = 0;
  if (MPIX_GPU_query_support(MPIX_GPU_SUPPORT_HIP, &aware) == MPI_SUCCESS)
    return Answer{aware != 0, "MPIX_GPU_query_support"};
#elif defined(KOKKOS_ENABLE_SYCL) && defined(MPIX_GPU_SUPPORT_ZE)
  int aware = 0;
  if (MPIX_GPU_query_support(MPIX_GPU_SUPPORT_ZE, &aware) == MPI_SUCCESS)
    return Answer{aware != 0, "MPIX_GPU_query_support"};
#elif defined(KOKKOS_ENABLE_CUDA) && defined(OMPI_HAVE_MPI_EXT_CUDA)
  return Answer{MPIX_Query_cuda_support() == 1, "MPIX_Query_cuda_support"};
#elif defined(KOKKOS_ENABLE_HIP) && defined(OMPI_HAVE_MPI_EXT_ROCM)
  return Answer{MPIX_Query_rocm_support() == 1, "MPIX_Query_rocm_support"};
#endif
  return std::nullopt;
}

std::optional<Answer> answer_of_cray() {
  const char* text = std::getenv("MPICH_GPU_SUPPORT_ENABLED");
  if (text == nullptr) return std::nullopt;
  return Answer{std::string(text) == "1", "MPICH_GPU_SUPPORT_ENABLED"};
}

struct Decision {
  DeviceMessages messages;
  std::string by;
};

Decision decide() {
  const std::optional<Answer> site = answer_of_site();  // looked at everywhere: a mistake shows on CPUs too
  if (host_reads_device) return {DeviceMessages::host_memory, ""};
  for (const auto& answer : {site, answer_of_library(), answer_of_cray()})
    if (answer) return {answer->aware ? DeviceMessages::direct : DeviceMessages::staged, answer->by};
  return {DeviceMessages::staged, "nobody says that MPI reads device memory"};
}

/// Asked once: neither the environment nor the library changes its mind.
const Decision& decision() {
  static const Decision made = decide();
  return made;
}

}  // namespace

DeviceMessages device_messages() { return decision().messages; }

bool mpi_reads_device_memory() { return device_messages() != DeviceMessages::staged; }

std::string device_messages_text() {
  switch (device_messages()) {
    case DeviceMessages::host_memory:
      return "host memory";
    case DeviceMessages::direct:
      return "direct (" + decision().by + ")";
    case DeviceMessages::staged:
      return "staged (" + decision().by + ")";
  }
  return {};
}

}  // namespace wafermark

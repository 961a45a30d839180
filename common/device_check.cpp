#include "common/device_check.hpp"

#include <fmt/format.h>

#include <Kokkos_Core.hpp>

#include "common/errors.hpp"

namespace wafermark {

Devices find_devices() {
  Devices devices;
#if defined(KOKKOS_ENABLE_CUDA)
  devices.expected = true;
  const cudaError_t status = cudaGetDeviceCount(&devices.count);
  if (status != cudaSuccess) devices = {true, 0, cudaGetErrorString(status)};
#elif defined(KOKKOS_ENABLE_HIP)
  devices.expected = true;
  const hipError_t status = hipGetDeviceCount(&devices.count);
  if (status != hipSuccess) devices = {true, 0, hipGetErrorString(status)};
#endif
  return devices;
}

void expect_devices(const Devices& devices) {
  if (!devices.expected || devices.count > 0) return;
  throw InputError(fmt::format("found no GPU ({}), expected one: this program was built for {}",
                               devices.said.empty() ? "the driver lists none" : devices.said,
                               Kokkos::DefaultExecutionSpace::name()));
}

}  // namespace wafermark

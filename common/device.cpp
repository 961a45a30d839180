#include "common/device.hpp"

#include <fmt/format.h>

#include <Kokkos_Core.hpp>

namespace wafermark {

#if defined(KOKKOS_ENABLE_CUDA) || defined(KOKKOS_ENABLE_HIP)

namespace {

const auto& properties() {
#if defined(KOKKOS_ENABLE_CUDA)
  return Kokkos::Cuda().cuda_device_prop();
#else
  return Kokkos::HIP().hip_device_prop();
#endif
}

}  // namespace

std::string device_name() { return properties().name; }

std::string device_address() {
  const auto& p = properties();
  return fmt::format("{:04x}:{:02x}:{:02x}", p.pciDomainID, p.pciBusID, p.pciDeviceID);
}

void* device_stream() {
#if defined(KOKKOS_ENABLE_CUDA)
  return Kokkos::Cuda().cuda_stream();
#else
  return Kokkos::HIP().hip_stream();
#endif
}

#else

std::string device_name() { return {}; }
std::string device_address() { return {}; }
void* device_stream() { return nullptr; }

#endif

}  // namespace wafermark

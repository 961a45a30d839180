// Whether kernels are those for the threads of a CPU or those for a device.
#pragma once

#include <Kokkos_Core.hpp>

#include "common/runtime.hpp"

namespace wafermark::llama {

using Space = Kokkos::DefaultExecutionSpace;
inline constexpr bool on_host =
    Kokkos::SpaceAccessibility<Kokkos::HostSpace, Space::memory_space>::accessible;

/// Which kernels a decoder starts.
enum class KernelForm {
  host,   ///< rows dealt to the threads of a CPU
  device  ///< few launches, whose teams of warps share rows
};
/// The one for this machine; a simulated worker is a device.
inline KernelForm native_form() {
  return on_host && !runtime::charges_kernels() ? KernelForm::host : KernelForm::device;
}

}  // namespace wafermark::llama

// Whether kernels are those for the threads of a CPU or those for a device.
#pragma once

#include "common/runtime.hpp"
#include "common/spaces.hpp"

namespace wafermark::llama {

/// Which kernels a decoder starts.
enum class KernelForm {
  host,   ///< rows dealt to the threads of a CPU
  device  ///< few launches, whose teams of warps share rows
};
/// The one for this machine; a simulated worker is a device.
inline KernelForm native_form() {
  return host_reads_device && !runtime::charges_kernels() ? KernelForm::host : KernelForm::device;
}

}  // namespace wafermark::llama

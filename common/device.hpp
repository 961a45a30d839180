// The accelerator that the kernels of this rank run on.
#pragma once

#include <string>

namespace wafermark {

/// "NVIDIA H200"; empty on CPUs.
std::string device_name();

/// Where it is on the PCI bus of its node, "0000:17:00", as no other device there; empty on CPUs. Parts of
/// one device (MIG) have the same.
std::string device_address();

/// The stream (cudaStream_t, hipStream_t) of the default execution space, for libraries that put work between
/// its kernels; null on CPUs.
void* device_stream();

}  // namespace wafermark

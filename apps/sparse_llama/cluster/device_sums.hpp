// Sums over ranks of values that lie on their devices: by MPI, before which the host waits for the kernels,
// or by NCCL or RCCL, which sum between two kernels while the host goes on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/communicator.hpp"
#include "common/device.hpp"

namespace wafermark::llama {

class DeviceSums {
 public:
  virtual ~DeviceSums() = default;
  /// Each of n values on the device becomes its sum over the ranks. Collective. Reads what the kernels
  /// started before have written; kernels started behind it read the sums.
  virtual void sum_in_place(float* values, std::int64_t n) = 0;
  /// What sums, for results: "NCCL 2.28.9 (libnccl.so.2)", "MPI (two ranks have one device)".
  virtual std::string by() const = 0;
};

/// The communicator must outlive it. `why`: not otherwise.
std::shared_ptr<DeviceSums> mpi_sums(const Communicator& comm, const std::string& why);

/// Of the back end's maker: "libnccl.so.2", "librccl.so.1"; empty where there is none.
std::string native_sums_library();

/// By that library, loaded now, so that a build needs none; by MPI on all ranks where one of them cannot: no
/// such library, two ranks on one `device`, an error while it starts. WAFERMARK_NCCL decides before: 0 is
/// MPI; with 1, what would be MPI throws InputError, as do other values. Collective. The communicator must
/// outlive it.
std::shared_ptr<DeviceSums> device_sums(const Communicator& comm,
                                        const std::string& library = native_sums_library(),
                                        const std::string& device = device_address());

}  // namespace wafermark::llama

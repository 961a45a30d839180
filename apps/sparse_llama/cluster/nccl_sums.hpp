// Sums over ranks by NCCL, or by RCCL, whose functions are the same.
#pragma once

#include "sparse_llama/cluster/device_sums.hpp"

namespace wafermark::llama {

/// By the library of this name, between the kernels of the default execution space. Null on all ranks, with
/// the reason of the first that has one, where a rank cannot load or start it or two of a node have the same
/// `device`, which NCCL refuses (an empty name is no device). An error later throws std::runtime_error "rank
/// R of N: <call>: <NCCL's text>". Collective. The communicator must outlive it.
std::shared_ptr<DeviceSums> nccl_sums(const Communicator& comm, const std::string& library,
                                      const std::string& device, std::string& why_not);

}  // namespace wafermark::llama

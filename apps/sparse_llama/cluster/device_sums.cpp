#include "sparse_llama/cluster/device_sums.hpp"

#include <fmt/format.h>

#include <optional>

#include "common/environment.hpp"
#include "common/errors.hpp"
#include "common/gpu_aware_mpi.hpp"
#include "sparse_llama/cluster/nccl_sums.hpp"
#include "sparse_llama/cluster/packed_rows.hpp"

namespace wafermark::llama {
namespace {

class MpiSums final : public DeviceSums {
 public:
  MpiSums(const Communicator& comm, const std::string& why) : comm_(comm), why_(why) {}

  void sum_in_place(float* values, std::int64_t n) override {
    const char* const reason = "before MPI reads partial sums";
    if (direct_) {
      Kokkos::fence(reason);
      return comm_.sum_in_place(values, n);
    }
    grow(staged_, n);
    const Kokkos::View<float*, MemSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>> part(values,
                                                                                       std::size_t(n));
    const auto host = Kokkos::subview(staged_, Kokkos::make_pair(std::int64_t(0), n));
    Kokkos::deep_copy(ExecSpace(), host, part);
    Kokkos::fence(reason);  // the only wait: the copies lie between kernels
    comm_.sum_in_place(host.data(), n);
    Kokkos::deep_copy(ExecSpace(), part, host);
  }
  std::string by() const override { return fmt::format("MPI ({})", why_); }

 private:
  const Communicator& comm_;
  std::string why_;
  bool direct_ = mpi_reads_device_memory();
  Kokkos::View<float*, SharedSpace> staged_;
};

}  // namespace

std::shared_ptr<DeviceSums> mpi_sums(const Communicator& comm, const std::string& why) {
  return std::make_shared<MpiSums>(comm, why);
}

std::string native_sums_library() {
#if defined(KOKKOS_ENABLE_CUDA)
  return "libnccl.so.2";
#elif defined(KOKKOS_ENABLE_HIP)
  return "librccl.so.1";
#else
  return {};
#endif
}

std::shared_ptr<DeviceSums> device_sums(const Communicator& comm, const std::string& library,
                                        const std::string& device) {
  constexpr const char* variable = "WAFERMARK_NCCL";
  const std::optional<bool> wish = yes_or_no(variable, environment_value(variable, comm));
  if (wish == false) return mpi_sums(comm, variable);
  std::string why_not;
  if (library.empty())
    why_not = fmt::format("{} has no NCCL", ExecSpace::name());
  else if (comm.size() == 1)
    return mpi_sums(comm, "one rank");  // and nothing to sum
  else if (auto sums = nccl_sums(comm, library, device, why_not))
    return sums;
  if (wish == true)
    throw InputError(fmt::format("WAFERMARK_NCCL = 1: found {}, expected NCCL or RCCL to sum", why_not));
  return mpi_sums(comm, why_not);
}

}  // namespace wafermark::llama

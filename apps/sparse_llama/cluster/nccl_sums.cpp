#include "sparse_llama/cluster/nccl_sums.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "sparse_llama/cluster/nccl_library.hpp"

namespace wafermark::llama {
namespace {

class NcclSums final : public DeviceSums {
 public:
  NcclSums(const Communicator& comm, const std::string& name) : comm_(comm), name_(name), nccl_(name) {}
  ~NcclSums() override {
    if (made_ == nullptr) return;
    // Behind an error others may not come, and to destroy is collective.
    if (!all_have_it_ || std::uncaught_exceptions() > exceptions_)
      nccl_.abort(made_);
    else
      nccl_.destroy(made_);
  }
  NcclSums(const NcclSums&) = delete;
  NcclSums& operator=(const NcclSums&) = delete;

  /// Makes the communicator; empty, or the reason of the first rank that has one. Collective.
  std::string start() {
    std::string error;
    if (!nccl_.open())
      error = "no " + name_;
    else if (!nccl_.complete())
      error = name_ + " lacks functions of NCCL";
    if (any_rank(error)) return error;
    NcclId id{};
    if (comm_.is_root()) error = nccl_.error_of("ncclGetUniqueId", nccl_.get_unique_id(&id));
    if (any_rank(error)) return error;
    std::vector<char> bytes(id.internal, id.internal + sizeof id.internal);
    comm_.broadcast(bytes);
    std::copy(bytes.begin(), bytes.end(), id.internal);
    error = nccl_.error_of("ncclCommInitRank", nccl_.init_rank(&made_, comm_.size(), id, comm_.rank()));
    if (!error.empty()) made_ = nullptr;
    all_have_it_ = !any_rank(error);
    return error;
  }

  void sum_in_place(float* values, std::int64_t n) override {
    const std::string error = nccl_.error_of(
        "ncclAllReduce",
        nccl_.all_reduce(values, values, std::size_t(n), Nccl::float32, Nccl::sum, made_, device_stream()));
    if (!error.empty())
      throw std::runtime_error(fmt::format("rank {} of {}: {}", comm_.rank(), comm_.size(), error));
  }
  std::string by() const override {
    int v = 0;
    nccl_.get_version(&v);
    if (v < 10000) v = v / 1000 * 10000 + v % 1000;  // before 2.9
    return fmt::format("NCCL {}.{}.{} ({})", v / 10000, v / 100 % 100, v % 100, name_);
  }

 private:
  /// Whether any rank has a text; then it becomes that of the first such rank.
  bool any_rank(std::string& text) const {
    const int first = comm_.min(text.empty() ? comm_.size() : comm_.rank());
    if (first < comm_.size()) comm_.broadcast(text, first);
    return first < comm_.size();
  }

  const Communicator& comm_;
  std::string name_;
  Nccl nccl_;
  NcclCommunicator made_ = nullptr;
  bool all_have_it_ = false;
  int exceptions_ = std::uncaught_exceptions();  ///< under way when it was made
};

/// Whether another rank of this node has the same. Collective.
bool shares_device(const Communicator& comm, const std::string& device) {
  const std::string line = device + '\n';
  const std::vector<char> all = comm.on_this_node().all_gather(std::vector<char>(line.begin(), line.end()));
  std::istringstream lines(std::string(all.begin(), all.end()));
  int same = 0;
  for (std::string other; std::getline(lines, other);) same += other == device;
  return !device.empty() && same > 1;
}

}  // namespace

std::shared_ptr<DeviceSums> nccl_sums(const Communicator& comm, const std::string& library,
                                      const std::string& device, std::string& why_not) {
  if (comm.max(int(shares_device(comm, device))) > 0) {
    why_not = "two ranks have one device";
    return nullptr;
  }
  auto sums = std::make_shared<NcclSums>(comm, library);
  why_not = sums->start();
  return why_not.empty() ? sums : nullptr;
}

}  // namespace wafermark::llama

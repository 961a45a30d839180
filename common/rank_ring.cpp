#include "common/rank_ring.hpp"

#include <vector>

namespace wafermark {
namespace {

/// What a rank sends to the next one in a step, while that from the one before comes in.
struct RingStep {
  Share out, in;
};

/// Calls visit(step) for the ranks - 1 steps after which each share has been everywhere once. `own`: whether
/// a rank's own share sets out first (then it is known to all in the end), or comes home last.
enum class Journey { sets_out, comes_home };
template <class Visit>
void go_round(const Communicator& comm, std::int64_t n, Journey own, const Visit& visit) {
  const int ranks = comm.size(), first = comm.rank() + ranks - (own == Journey::comes_home ? 1 : 0);
  for (int step = 0; step + 1 < ranks; ++step) {
    const int out = (first - step) % ranks, in = (first - step - 1 + ranks) % ranks;
    visit(RingStep{share_of(n, out, ranks), share_of(n, in, ranks)});
  }
}

int rank_ahead(const Communicator& comm) { return (comm.rank() + 1) % comm.size(); }
int rank_behind(const Communicator& comm) { return (comm.rank() + comm.size() - 1) % comm.size(); }

}  // namespace

template <class T>
void sum_to_shares(const Communicator& comm, T* values, std::int64_t n) {
  std::vector<T> received;
  go_round(comm, n, Journey::comes_home, [&](const RingStep& s) {
    received.resize(static_cast<std::size_t>(s.in.count));
    comm.send_receive(values + s.out.first, s.out.count, rank_ahead(comm), received.data(), s.in.count,
                      rank_behind(comm));
    T* const sums = values + s.in.first;
    for (std::int64_t i = 0; i < s.in.count; ++i) sums[i] += received[static_cast<std::size_t>(i)];
  });
}

template <class T>
void gather_shares(const Communicator& comm, T* values, std::int64_t n) {
  go_round(comm, n, Journey::sets_out, [&](const RingStep& s) {
    comm.send_receive(values + s.out.first, s.out.count, rank_ahead(comm), values + s.in.first, s.in.count,
                      rank_behind(comm));
  });
}

template void sum_to_shares(const Communicator&, float*, std::int64_t);
template void sum_to_shares(const Communicator&, double*, std::int64_t);
template void gather_shares(const Communicator&, float*, std::int64_t);
template void gather_shares(const Communicator&, double*, std::int64_t);

}  // namespace wafermark

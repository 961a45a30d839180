// Messages between ranks that are under way at once.
#pragma once

#include <cstdint>
#include <vector>

#include "common/communicator.hpp"

namespace wafermark {

/// Begins sends and receives; wait() ends them all. Make it after the arrays, which must outlive it: when an
/// exception ends it before wait(), receives are withdrawn so that nothing is written to arrays that are
/// gone. Errors throw as Communicator's do.
class PendingMessages {
 public:
  explicit PendingMessages(const Communicator& comm) : comm_(comm) {}
  ~PendingMessages();
  PendingMessages(const PendingMessages&) = delete;
  PendingMessages& operator=(const PendingMessages&) = delete;

  /// `n` values from rank `from`, which sends as many. Messages of one pair of ranks keep their order.
  template <class T>
  void receive(T* values, std::int64_t n, int from);
  template <class T>
  void send(const T* values, std::int64_t n, int to);
  void wait();

 private:
  const Communicator& comm_;
  std::vector<MPI_Request> receives_, sends_;
};

}  // namespace wafermark

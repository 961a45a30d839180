#include "common/pending_messages.hpp"

#include <algorithm>

#include "common/mpi_check.hpp"
#include "common/runtime.hpp"

namespace wafermark {
namespace {
constexpr int tag = 18;
}

template <class T>
void PendingMessages::receive(T* values, std::int64_t n, int from) {
  if (n > 0)
    runtime::note_message(
        {runtime::Message::Kind::receive, 0, MPI_PROC_NULL, n * static_cast<std::int64_t>(sizeof(T)), from});
  for (std::int64_t at = 0; at < n; at += comm_.largest_message()) {
    const auto count = static_cast<int>(std::min(comm_.largest_message(), n - at));
    MPI_Request request = MPI_REQUEST_NULL;
    check(comm_.raw(), MPI_Irecv(values + at, count, mpi_type<T>(), from, tag, comm_.raw(), &request),
          "MPI_Irecv");
    receives_.push_back(request);
  }
}

template <class T>
void PendingMessages::send(const T* values, std::int64_t n, int to) {
  if (n > 0)
    runtime::note_message(
        {runtime::Message::Kind::send, n * static_cast<std::int64_t>(sizeof(T)), to, 0, MPI_PROC_NULL});
  for (std::int64_t at = 0; at < n; at += comm_.largest_message()) {
    const auto count = static_cast<int>(std::min(comm_.largest_message(), n - at));
    MPI_Request request = MPI_REQUEST_NULL;
    check(comm_.raw(), MPI_Isend(values + at, count, mpi_type<T>(), to, tag, comm_.raw(), &request),
          "MPI_Isend");
    sends_.push_back(request);
  }
}

void PendingMessages::wait() {
  runtime::note_message({runtime::Message::Kind::wait});
  for (auto* requests : {&receives_, &sends_}) {
    check(comm_.raw(), MPI_Waitall(static_cast<int>(requests->size()), requests->data(), MPI_STATUSES_IGNORE),
          "MPI_Waitall");
    requests->clear();
  }
}

PendingMessages::~PendingMessages() {
  for (MPI_Request& request : receives_) {
    if (request == MPI_REQUEST_NULL) continue;
    MPI_Cancel(&request);
    MPI_Request_free(&request);
  }
  for (MPI_Request& request : sends_)
    if (request != MPI_REQUEST_NULL) MPI_Request_free(&request);
}

#define WAFERMARK_INSTANTIATE(T)                                 \
  template void PendingMessages::receive(T*, std::int64_t, int); \
  template void PendingMessages::send(const T*, std::int64_t, int)
WAFERMARK_INSTANTIATE(float);
WAFERMARK_INSTANTIATE(double);
WAFERMARK_INSTANTIATE(int);
WAFERMARK_INSTANTIATE(std::int64_t);
#undef WAFERMARK_INSTANTIATE

}  // namespace wafermark

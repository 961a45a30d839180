#include "tungsten_md/cluster/mpi_buffer.hpp"

#include <utility>

#include "common/gpu_aware_mpi.hpp"
#include "common/pending_messages.hpp"
#include "tungsten_md/cluster/kept_array.hpp"

namespace wafermark::tungsten {

void MpiBuffers::make_room(int out_size, int in_size) {
  static const bool direct = mpi_reads_device_memory();
  for (const auto& [buffer, size] : {std::pair{&out_, out_size}, std::pair{&in_, in_size}}) {
    if (direct)
      tungsten::make_room(buffer->device, size, "mpi_buffer");
    else
      tungsten::make_room(buffer->host, size, "mpi_buffer");
  }
}

double* MpiBuffers::out() const { return out_.data(); }
const double* MpiBuffers::in() const { return in_.data(); }

void MpiBuffers::exchange(const Communicator& comm, const std::vector<MessagePair>& pairs, int item_size) {
  Kokkos::fence("before MPI reads the packed buffer");
  PendingMessages messages(comm);
  double* in = in_.data();
  for (const MessagePair& m : pairs) {
    messages.receive(in, std::int64_t{item_size} * m.in, m.rank);
    in += static_cast<std::ptrdiff_t>(item_size) * m.in;
  }
  const double* out = out_.data();
  for (const MessagePair& m : pairs) {
    messages.send(out, std::int64_t{item_size} * m.out, m.rank);
    out += static_cast<std::ptrdiff_t>(item_size) * m.out;
  }
  messages.wait();
}

}  // namespace wafermark::tungsten

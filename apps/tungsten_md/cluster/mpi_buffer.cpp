#include "tungsten_md/cluster/mpi_buffer.hpp"

#include "common/gpu_aware_mpi.hpp"
#include "common/pending_messages.hpp"

namespace wafermark::tungsten {
namespace {

void grow(BufferView& buffer, int size) {
  if (buffer.extent_int(0) < size)
    buffer = BufferView(Kokkos::view_alloc(Kokkos::WithoutInitializing, "mpi_buffer"), size + size / 8);
}

void exchange_memory(const Communicator& comm, const double* out, const BufferParts& sends, double* in,
                     const BufferParts& receives) {
  PendingMessages messages(comm);
  for (const BufferPart& part : {receives.first, receives.second}) {
    if (part.rank != MPI_PROC_NULL) messages.receive(in, part.size, part.rank);
    in += part.size;
  }
  for (const BufferPart& part : {sends.first, sends.second}) {
    if (part.rank != MPI_PROC_NULL) messages.send(out, part.size, part.rank);
    out += part.size;
  }
  messages.wait();
}

}  // namespace

void MpiBuffers::make_room(int out_size, int in_size) {
  grow(out_, out_size);
  grow(in_, in_size);
}

void MpiBuffers::exchange(const Communicator& comm, const BufferParts& sends, const BufferParts& receives) {
  static const bool direct = mpi_reads_device_memory();
  Kokkos::fence("before MPI reads the packed buffer");
  if (direct) {
    exchange_memory(comm, out_.data(), sends, in_.data(), receives);
    return;
  }
  const auto host_out = Kokkos::create_mirror_view_and_copy(
      Kokkos::HostSpace(), Kokkos::subview(out_, Kokkos::make_pair(0, sends.size())));
  const auto device_in = Kokkos::subview(in_, Kokkos::make_pair(0, receives.size()));
  const auto host_in = Kokkos::create_mirror_view(Kokkos::HostSpace(), device_in);
  exchange_memory(comm, host_out.data(), sends, host_in.data(), receives);
  Kokkos::deep_copy(device_in, host_in);
}

}  // namespace wafermark::tungsten

#include "tungsten_md/cluster/mpi_buffer.hpp"

#include "common/gpu_aware_mpi.hpp"

namespace wafermark::tungsten {
namespace {

void grow(BufferView& buffer, int size) {
  if (buffer.extent_int(0) < size)
    buffer = BufferView(Kokkos::view_alloc(Kokkos::WithoutInitializing, "mpi_buffer"), size + size / 8);
}

}  // namespace

void exchange(const Communicator& comm, const BufferView& out, int out_size, int to, BufferView& in,
              int in_size, int from) {
  grow(in, in_size);
  if (to == comm.rank() && from == comm.rank()) {
    Kokkos::deep_copy(ExecSpace(), Kokkos::subview(in, Kokkos::make_pair(0, in_size)),
                      Kokkos::subview(out, Kokkos::make_pair(0, out_size)));
    return;
  }
  static const bool direct = mpi_reads_device_memory();
  Kokkos::fence("before MPI reads the packed buffer");
  if (direct) {
    comm.send_receive(out.data(), out_size, to, in.data(), in_size, from);
    return;
  }
  auto host_out = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(),
                                                      Kokkos::subview(out, Kokkos::make_pair(0, out_size)));
  auto device_in = Kokkos::subview(in, Kokkos::make_pair(0, in_size));
  auto host_in = Kokkos::create_mirror_view(Kokkos::HostSpace(), device_in);
  comm.send_receive(host_out.data(), out_size, to, host_in.data(), in_size, from);
  Kokkos::deep_copy(device_in, host_in);
}

}  // namespace wafermark::tungsten

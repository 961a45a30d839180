// Buffers that kernels pack and unpack and that MPI sends and receives: device memory where MPI reads that,
// pinned host memory otherwise, which kernels reach as well; so nothing is copied for MPI's sake.
#pragma once

#include <Kokkos_Core.hpp>
#include <vector>

#include "common/communicator.hpp"
#include "tungsten_md/dynamics/particles.hpp"

namespace wafermark::tungsten {

/// Items to a rank, and from it.
struct MessagePair {
  int rank;
  int out, in;
};

/// A buffer that is packed and one that is unpacked; they grow, and are used again for message after message.
class MpiBuffers {
 public:
  void make_room(int out_size, int in_size);
  double* out() const;
  const double* in() const;

  /// Sends the parts of out(), one after the other in it, and receives those of in(): all of them under way
  /// at once. `item_size`: doubles of an item. The host waits for the kernels before it begins.
  void exchange(const Communicator& comm, const std::vector<MessagePair>& messages, int item_size);

 private:
  struct Pair {
    Kokkos::View<double*, MemSpace> device;
    Kokkos::View<double*, SharedSpace> host;
    double* data() const { return device.extent(0) > 0 ? device.data() : host.data(); }
  };
  Pair out_, in_;
};

}  // namespace wafermark::tungsten

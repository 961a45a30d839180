// Device buffers through MPI: handed over as they are when MPI can read them, through host memory otherwise.
#pragma once

#include <Kokkos_Core.hpp>

#include "common/communicator.hpp"
#include "tungsten_md/dynamics/particles.hpp"

namespace wafermark::tungsten {

using BufferView = Kokkos::View<double*, MemSpace>;

/// Doubles to or from a rank; MPI_PROC_NULL is nobody.
struct BufferPart {
  int rank;
  int size;
};

/// One after the other in a buffer.
struct BufferParts {
  BufferPart first;
  BufferPart second{MPI_PROC_NULL, 0};

  int size() const { return first.size + second.size; }
};

/// A buffer that is packed and one that is unpacked; they grow, and are used again for message after message.
class MpiBuffers {
 public:
  void make_room(int out_size, int in_size);
  const BufferView& out() const { return out_; }
  const BufferView& in() const { return in_; }

  /// Sends the parts of out(), one after the other in it, and receives those of in(): all of them under way
  /// at once. Two messages between the same two ranks are matched in their order. A message to this rank
  /// itself is allowed.
  void exchange(const Communicator& comm, const BufferParts& sends, const BufferParts& receives);

 private:
  BufferView out_, in_;
};

}  // namespace wafermark::tungsten

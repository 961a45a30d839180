// Device buffers through MPI: handed over as they are when MPI can read them, through host memory otherwise.
#pragma once

#include <Kokkos_Core.hpp>

#include "common/communicator.hpp"
#include "tungsten_md/dynamics/particles.hpp"

namespace wafermark::tungsten {

using BufferView = Kokkos::View<double*, MemSpace>;

/// Sends `out` to rank `to` and receives `in_size` doubles from rank `from`; MPI_PROC_NULL on either side is
/// allowed, and a send to this rank itself is a copy. `in` grows when it is too small.
void exchange(const Communicator& comm, const BufferView& out, int out_size, int to, BufferView& in,
              int in_size, int from);

}  // namespace wafermark::tungsten

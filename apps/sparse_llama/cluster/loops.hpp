// How the loops of a forward pass are dealt to threads, on hosts and devices.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

#include "common/runtime.hpp"
#include "sparse_llama/cluster/kernel_form.hpp"

namespace wafermark::llama {

using IndexRange = Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<std::int64_t>>;
using Team = Kokkos::TeamPolicy<ExecSpace, Kokkos::IndexType<std::int64_t>>;
inline constexpr int row_lanes = 32;  // of a device that share a row

/// body(k) for k in [0, n). The threads of a host share them in contiguous parts; one that ends early takes
/// over from another's end. So each reads memory as one stream, and none waits long for the slowest.
template <class Body>
void stealing_loop(const char* name, std::int64_t n, const Body& body) {
  if constexpr (host_reads_device) {
    using Stealing =
        Kokkos::TeamPolicy<ExecSpace, Kokkos::IndexType<std::int64_t>, Kokkos::Schedule<Kokkos::Dynamic>>;
    // Pieces that can be taken over, sixteen of each thread's part: one k at a time would cost more than some
    // bodies.
    const std::int64_t pieces = Kokkos::min(n, std::int64_t(16) * ExecSpace().concurrency());
    Kokkos::parallel_for(name, Stealing(int(pieces), 1, 1), [&](const Stealing::member_type& team) {
      const std::int64_t piece = team.league_rank(), end = n * (piece + 1) / pieces;
      for (std::int64_t k = n * piece / pieces; k < end; ++k) body(k);
    });
  } else {
    Kokkos::parallel_for(name, IndexRange(0, n), body);
  }
}

/// Of the next loop: bytes that it reads and writes, from which a simulated worker's time follows.
inline void announce_bytes(double bytes) { runtime::announce_items(std::int64_t(bytes)); }

/// body(k) for k in [0, count). On hosts `little` work is left to the calling thread: starting the others
/// would take longer. A simulated worker starts a kernel for it, as a device does.
template <class Body>
void row_loop(const char* name, bool little, std::int64_t count, const Body& body) {
  if (host_reads_device && little && !runtime::charges_kernels())
    for (std::int64_t k = 0; k < count; ++k) body(k);
  else
    Kokkos::parallel_for(name, IndexRange(0, count), body);
}

}  // namespace wafermark::llama

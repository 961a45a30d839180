// What ghosts take from the atoms that they copy, and the loops that pack it for another rank, unpack it, or
// copy it where a rank is its own neighbour. Both directions of an axis go in one loop: on a GPU a step of
// few atoms is made of launches.
#pragma once

#include "tungsten_md/cluster/mpi_buffer.hpp"
#include "tungsten_md/dynamics/particles.hpp"

namespace wafermark::tungsten {

// A record has: `size`, doubles of an atom in a message; load(i, b) and store(i, b) between atom i and those
// doubles; `moves`: whether the first three are a position.

/// x, y, z, id, type: all that a ghost is made of.
struct AtomRecord {
  static constexpr int size = 5;
  static constexpr bool moves = true;
  static constexpr const char *pack = "pack_atoms", *unpack = "unpack_atoms", *copy = "copy_atoms";
  Vector3View x;
  IdView id;
  TypeView type;
  KOKKOS_FORCEINLINE_FUNCTION void load(int i, double* b) const {
    for (int d = 0; d < 3; ++d) b[d] = x(i, d);
    b[3] = Kokkos::bit_cast<double>(id(i));  // every bit of an id, which a double would round
    b[4] = type(i);
  }
  KOKKOS_FORCEINLINE_FUNCTION void store(int i, const double* b) const {
    for (int d = 0; d < 3; ++d) x(i, d) = b[d];
    id(i) = Kokkos::bit_cast<std::int64_t>(b[3]);
    type(i) = static_cast<int>(b[4]);
  }
};

struct PositionRecord {
  static constexpr int size = 3;
  static constexpr bool moves = true;
  static constexpr const char *pack = "pack_positions", *unpack = "unpack_positions",
                              *copy = "copy_positions";
  Vector3View x;
  KOKKOS_FORCEINLINE_FUNCTION void load(int i, double* b) const {
    for (int d = 0; d < 3; ++d) b[d] = x(i, d);
  }
  KOKKOS_FORCEINLINE_FUNCTION void store(int i, const double* b) const {
    for (int d = 0; d < 3; ++d) x(i, d) = b[d];
  }
};

/// F'(rho), the fourth value of an atom's site (pair_loop.hpp).
template <class Real>
struct SlopeRecord {
  static constexpr int size = 1;
  static constexpr bool moves = false;
  static constexpr const char *pack = "pack_slopes", *unpack = "unpack_slopes", *copy = "copy_slopes";
  Kokkos::View<Real*, MemSpace> quads;
  KOKKOS_FORCEINLINE_FUNCTION void load(int i, double* b) const {
    b[0] = static_cast<double>(quads(4 * i + 3));
  }
  KOKKOS_FORCEINLINE_FUNCTION void store(int i, const double* b) const {
    quads(4 * i + 3) = static_cast<Real>(b[0]);
  }
};

/// The atoms that leave for both neighbours along an axis: those near the lower face, then those near the
/// upper.
struct LeavingAtoms {
  Kokkos::View<int*, MemSpace> lower, upper;
  int n_lower = 0, n_upper = 0, axis = 0;
  double lower_shift = 0.0, upper_shift = 0.0;  ///< added along the axis: crosses a periodic boundary

  int size() const { return n_lower + n_upper; }
  template <class Record>
  KOKKOS_FORCEINLINE_FUNCTION void load(const Record& record, int k, double* b) const {
    const bool goes_down = k < n_lower;
    record.load(goes_down ? lower(k) : upper(k - n_lower), b);
    if constexpr (Record::moves) b[axis] += goes_down ? lower_shift : upper_shift;
  }
};

template <class Record>
struct PackGhosts {
  LeavingAtoms atoms;
  Record record;
  BufferView buffer;
  KOKKOS_FUNCTION void operator()(int k) const {
    atoms.load(record, k, buffer.data() + static_cast<std::ptrdiff_t>(Record::size) * k);
  }
};
template <class Record>
struct UnpackGhosts {
  BufferView buffer;
  int first;
  Record record;
  KOKKOS_FUNCTION void operator()(int k) const {
    record.store(first + k, buffer.data() + static_cast<std::ptrdiff_t>(Record::size) * k);
  }
};
/// Ghosts of a rank that is its own neighbour: what goes down comes in from above, and stands first there
/// too.
template <class Record>
struct CopyGhosts {
  LeavingAtoms atoms;
  int first;
  Record record;
  KOKKOS_FUNCTION void operator()(int k) const {
    double b[Record::size];
    atoms.load(record, k, b);
    record.store(first + k, b);
  }
};

}  // namespace wafermark::tungsten

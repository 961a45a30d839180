// What ghosts take from the atoms that they copy, and the two loops that bring it to them: one packs all that
// leaves for other ranks, one fills all ghosts, from messages and from this rank's own atoms. On a GPU a step
// of few atoms is made of launches.
#pragma once

#include "tungsten_md/cluster/ghost_sides.hpp"
#include "tungsten_md/cluster/site_placer.hpp"
#include "tungsten_md/dynamics/particles.hpp"

namespace wafermark::tungsten {

// A record has: `size`, doubles of an atom in a message; load(i, b) and store(i, b) between atom i and those
// doubles; `moves`: whether the first three are a position.

/// x, y, z, id, type: all that a ghost is made of.
struct AtomRecord {
  static constexpr int size = 5;
  static constexpr bool moves = true;
  static constexpr const char *pack = "pack_atoms", *fill = "ghost_atoms";
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

/// A position; the ghost's site follows it.
struct PositionRecord {
  static constexpr int size = 3;
  static constexpr bool moves = true;
  static constexpr const char *pack = "pack_positions", *fill = "ghost_positions";
  Vector3View x;
  SitePlacer sites;
  KOKKOS_FORCEINLINE_FUNCTION void load(int i, double* b) const {
    for (int d = 0; d < 3; ++d) b[d] = x(i, d);
  }
  KOKKOS_FORCEINLINE_FUNCTION void store(int i, const double* b) const {
    for (int d = 0; d < 3; ++d) x(i, d) = b[d];
    sites.place(i, b[0], b[1], b[2]);
  }
};

/// F'(rho), the fourth value of an atom's site (pair_loop.hpp).
template <class Real>
struct SlopeRecord {
  static constexpr int size = 1;
  static constexpr bool moves = false;
  static constexpr const char *pack = "pack_slopes", *fill = "ghost_slopes";
  Kokkos::View<Real*, MemSpace> quads;
  KOKKOS_FORCEINLINE_FUNCTION void load(int i, double* b) const {
    b[0] = static_cast<double>(quads(4 * i + 3));
  }
  KOKKOS_FORCEINLINE_FUNCTION void store(int i, const double* b) const {
    quads(4 * i + 3) = static_cast<Real>(b[0]);
  }
};

/// Which atoms leave, and where each ghost comes from; as long as a list is kept, so are they.
struct GhostRoutes {
  Kokkos::View<int*, MemSpace> leaving;  ///< [leaving] atoms, message after message
  Kokkos::View<int*, MemSpace>
      origin;  ///< [ghosts] an atom or an earlier ghost of this rank; or -1 - k, for the k-th arrival
  Kokkos::View<std::uint8_t*, MemSpace> leaving_side, origin_side;  ///< on which the copy stands

  /// What is added to the position of a copy on each side: it may lie across a periodic boundary.
  struct Shift {
    double of[ghost_sides][3]{};
  };
  template <class Record>
  KOKKOS_FORCEINLINE_FUNCTION static void load(const Record& record, int i, const double (&shift)[3],
                                               double* b) {
    record.load(i, b);
    if constexpr (Record::moves)
      for (int d = 0; d < 3; ++d) b[d] += shift[d];
  }
};

template <class Record>
struct PackGhosts {
  GhostRoutes routes;
  GhostRoutes::Shift shift;
  Record record;
  double* buffer;
  KOKKOS_FUNCTION void operator()(int k) const {
    GhostRoutes::load(record, routes.leaving(k), shift.of[routes.leaving_side(k)],
                      buffer + static_cast<std::ptrdiff_t>(Record::size) * k);
  }
};

template <class Record>
struct FillGhosts {
  GhostRoutes routes;
  GhostRoutes::Shift shift;
  Record record;
  const double* buffer;
  int first;  ///< ghost
  KOKKOS_FUNCTION void operator()(int g) const {
    const int from = routes.origin(g);
    if (from < 0) {
      record.store(first + g, buffer + static_cast<std::ptrdiff_t>(Record::size) * (-1 - from));
      return;
    }
    double b[Record::size];
    GhostRoutes::load(record, from, shift.of[routes.origin_side(g)], b);
    record.store(first + g, b);
  }
};

}  // namespace wafermark::tungsten

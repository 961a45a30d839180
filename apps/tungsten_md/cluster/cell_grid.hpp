// Cells of at least the list radius over a subdomain and its ghost margin: atoms within the list radius of
// each other lie in the same or in adjacent cells.
#pragma once

#include <Kokkos_Core.hpp>
#include <algorithm>

#include "tungsten_md/cluster/subdomain.hpp"
#include "tungsten_md/dynamics/particles.hpp"

namespace wafermark::tungsten {

/// z varies fastest, so the cells of a z-row are consecutive. Positions outside the margin (atoms that left
/// an open box) count to the outermost cell, which keeps neighbours in adjacent cells.
struct CellGrid {
  double lo[3];
  double inverse_size[3];
  int dims[3];

  CellGrid() = default;
  CellGrid(const Subdomain& s, double list_radius) {
    for (int d = 0; d < 3; ++d) {
      const double length = s.hi[d] - s.lo[d];
      const int inner = std::max(1, static_cast<int>(length / list_radius));
      const double size = std::max(length / inner, list_radius);
      lo[d] = s.lo[d] - size;
      inverse_size[d] = 1.0 / size;
      dims[d] = inner + 2;
    }
  }

  int size() const { return dims[0] * dims[1] * dims[2]; }

  KOKKOS_FUNCTION int slice(int d, double x) const {
    const double s = (x - lo[d]) * inverse_size[d];
    return s < 0.0 ? 0 : s >= dims[d] ? dims[d] - 1 : static_cast<int>(s);
  }
  KOKKOS_FUNCTION int cell_of(double x, double y, double z) const {
    return (slice(0, x) * dims[1] + slice(1, y)) * dims[2] + slice(2, z);
  }
};

/// Atoms of each cell: order(first(c)) ... order(first(c + 1) - 1) are its atoms.
struct CellOrder {
  Kokkos::View<int*, MemSpace> first;  ///< [cells + 1]
  Kokkos::View<int*, MemSpace> order;  ///< [atoms]
};

/// Bins the first n atoms of p. Within a cell atoms are ordered by id when `by_id`, else by index, so that
/// the result does not depend on how threads interleave.
CellOrder bin_atoms(const CellGrid& grid, const Particles& p, int n, bool by_id);

/// Reorders the local atoms by (cell, id): neighbours in space become neighbours in memory.
void sort_by_cell(const CellGrid& grid, Particles& p);

}  // namespace wafermark::tungsten

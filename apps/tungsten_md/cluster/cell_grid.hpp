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
  double lo[3]{};
  double inverse_size[3]{1.0, 1.0, 1.0};
  int dims[3]{1, 1, 1};

  CellGrid() = default;
  /// Over the whole subdomain where that takes a few cells an atom at most; else over the space that the
  /// first n_local atoms of p occupy, in cells as wide as it takes: memory goes by atoms, whatever the box.
  CellGrid(const Subdomain& s, double list_radius, const Particles& p);

  /// Half the longest edge: how far from their middle positions lie.
  double half_extent() const {
    double most = 0.0;
    for (int d = 0; d < 3; ++d) most = std::max(most, 0.5 * dims[d] / inverse_size[d]);
    return most;
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
  Kokkos::View<int*, MemSpace> order;  ///< [atoms + slack]
  static constexpr int slack = 8;      ///< that a pack at the end reads beyond it
};

/// What decides between two atoms of a cell, so that the result does not depend on how threads interleave.
enum class WithinCell { by_id, by_index };

/// Orders atoms by cells; its arrays are used again for list after list.
class CellSorter {
 public:
  /// Bins the first n atoms of p. The result is good until the next call.
  CellOrder bin(const CellGrid& grid, const Particles& p, int n, WithinCell order);
  /// Reorders the local atoms by (cell, id): neighbours in space become neighbours in memory. Forces are then
  /// out of date.
  void sort(const CellGrid& grid, Particles& p);
  std::size_t bytes() const;  ///< device memory held

 private:
  CellOrder result_;
  Kokkos::View<int*, MemSpace> cell_of_atom_;
  Kokkos::View<int*, MemSpace> count_;  ///< of each cell: zero between two calls
  Particles spare_;                     ///< the other copy of x, id and type
};

}  // namespace wafermark::tungsten

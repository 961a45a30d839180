// Verlet list: for each local atom the atoms within the list radius (cut-off + skin), kept until some atom
// has moved half the skin (Verlet, Phys. Rev. 159 (1967) 98).
#pragma once

#include "tungsten_md/cluster/cell_grid.hpp"
#include "tungsten_md/kernels/lanes.hpp"

namespace wafermark::tungsten {

/// full: each pair stands in both atoms' rows; no two threads write to one atom. For GPUs and threaded ranks.
/// half: a pair of local atoms stands once, at the lower index; local-ghost pairs stand at the local atom, so
/// that nothing has to be sent back. For one thread per rank: half the table look-ups.
enum class ListKind { full, half };

/// What making a list takes beside it, kept for the next.
struct ListWorkspace {
  CellSorter sorter;
  Kokkos::View<float*, MemSpace> x, y, z;           ///< positions in the order of cells
  Kokkos::View<std::int64_t, MemSpace> end{"end"};  ///< half: where the next row begins

  std::size_t bytes() const { return sorter.bytes() + sizeof(float) * (x.size() + y.size() + z.size()); }
};

/// Neighbour k of row i is entry(first(i) + k * stride). Half lists lie packed, row after row; full lists
/// have rows of equal room, on GPUs with one lane a row interleaved, so that neighbouring threads read
/// neighbouring memory.
struct VerletList {
  ListKind kind = ListKind::full;
  /// Lanes of the kernels that walk the list: rows are padded to a whole number of packs with the index of
  /// the dummy site (n_local + n_ghost). A row of a half list has one pack at least.
  int pack = 1;
  int lanes = 1;        ///< that share a row of a full list (row_lanes.hpp)
  double radius = 0.0;  ///< cut-off + skin, Angstrom
  int rows = 0;         ///< n_local when the list was built
  std::int64_t stride = 1;
  Kokkos::View<int*, MemSpace> entry;
  Kokkos::View<std::int64_t*, MemSpace> first;  ///< [rows]
  Kokkos::View<int*, MemSpace> count;           ///< [rows], without padding
  Kokkos::View<int*, MemSpace> owner;           ///< half: [packs], the row that a pack belongs to
  std::int64_t packs = 0;                       ///< half
  Vector3View x_at_build;                       ///< [rows] positions when the list was built

  /// Half: packs that one call of a loop works on, and how many such chunks there are.
  static constexpr int packs_of_a_chunk = 16;
  int chunks() const { return static_cast<int>((packs + packs_of_a_chunk - 1) / packs_of_a_chunk); }
  KOKKOS_FUNCTION std::int64_t first_pack(int chunk) const {
    const std::int64_t begin = std::int64_t{chunk} * packs_of_a_chunk;
    return begin < packs ? begin : packs;
  }

  /// Builds the list of p's local atoms. `grid` has cells of at least `radius`.
  void build(const CellGrid& grid, const Particles& p, ListWorkspace& work);
  /// Pairs in the list, for memory and statistics.
  std::int64_t entries() const;

 private:
  void reserve_rows(int n);
};

/// Largest squared displacement of a local atom since the list was built; infinite when a position is not
/// finite.
double max_displacement_squared(const VerletList& list, const Particles& p);

}  // namespace wafermark::tungsten

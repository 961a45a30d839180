// Crystals on the wafer: every column of cells along z is laid on its own small rectangle of tiles, one atom
// per tile, so that interacting atoms stay few tiles apart (Santos et al., SC24: b = 4 for Ta, 7 for Cu and
// W).
#pragma once

#include <array>
#include <vector>

#include "tungsten_md/model/crystal.hpp"

namespace wafermark::tungsten {

/// One column: one conventional cell in x and in y, all cells in z, n = cells[2] * sites_per_cell() atoms.
/// All columns of the crystal are laid out alike: cell column (ix, iy) has its rectangle at tile (p ix, q
/// iy).
struct ColumnPlacement {
  int p = 0;  ///< tiles of the rectangle along the crystal's x axis
  int q = 0;  ///< tiles of the rectangle along the crystal's y axis
  /// [n] tile inside the p x q rectangle of the column's atom k = iz * sites_per_cell + basis, 0 <= tile[0] <
  /// p, 0 <= tile[1] < q. Rectangles with p q > n keep tiles without an atom.
  std::vector<std::array<int, 2>> tile_of;
  int b = 0;  ///< largest Chebyshev tile distance of two interacting atoms, as reach_of() finds it
  /// False: the crystal's x axis runs along the wafer's width. True: along its height, so that tile (i, j)
  /// here is the wafer's tile (j, i). 174 x 192 columns of 24 atoms fit 769 x 1044 tiles only so: 174 * 6 =
  /// 1044.
  bool turned = false;
};

/// The largest Chebyshev tile distance max(|dx|, |dy|) over pairs of atoms nearer than `reach_angstrom` in
/// the perfect crystal. Pairs over a periodic z face count when `periodic_z`. Atoms of columns (cx, cy)
/// apart, |cx| < cells[0] and |cy| < cells[1], count with dx = tile_of[k'][0] + p cx - tile_of[k][0]: on a
/// periodic x or y axis this is the distance along the ring of tiles, before the ring is folded onto the
/// wafer (folded_ring.hpp). Throws InputError when tile_of does not have one entry per atom of a column.
int reach_of(const Lattice& lattice, bool periodic_z, const std::vector<std::array<int, 2>>& tile_of, int p,
             int q, double reach_angstrom);

/// The rectangle and the assignment with the least b, then the fewest pairs per column at that distance, then
/// the fewest tiles, then not turned; found by a search with a fixed seed, so equal arguments give equal
/// placements. The columns fit the wafer: p cells[0] <= max_width and q cells[1] <= max_height, or the other
/// way round when turned. Of `periodic` only the z axis matters here. Throws InputError when no rectangle
/// fits n atoms, n is above 2000, or the reach is not positive.
ColumnPlacement place_column(const Lattice& lattice, std::array<bool, 3> periodic, double reach_angstrom,
                             int max_width, int max_height);

/// A crystal cut along z into layers, one above the other, each laid on a panel of tiles of its own: all
/// panels alike, and a layer's beside that of the one before (wse_emulator/panels.hpp). Atoms at the same
/// place of two layers have the same tile of their panels, so that a thick sample needs no wider
/// neighbourhoods than a thin one.
struct LayeredPlacement {
  /// Of a layer's column: its tile_of has the atoms of the thickest layer, k = iz * sites_per_cell + basis
  /// with iz counted from the layer's first cell. One layer: the placement of place_column().
  ColumnPlacement column;
  std::vector<int> first_cell;             ///< [layers + 1] along z
  int each_side = 0;                       ///< an atom interacts with so many layers above and below its own
  std::vector<std::array<int, 2>> panels;  ///< [layer] place, across and down; empty: one layer

  int layers() const { return static_cast<int>(first_cell.size()) - 1; }
};

/// Layers of `cells` cells along z, one less where that does not divide them; one layer where `cells` is 0 or
/// at least the crystal's. On a periodic z axis layers are even in number (an odd number of cells that are a
/// layer each gives one of two cells), and the panels' path is a ring. Throws InputError as place_column(),
/// and where panels do not fit the wafer or a periodic axis has too few layers.
LayeredPlacement place_layers(const Lattice& lattice, std::array<bool, 3> periodic, double reach_angstrom,
                              int cells, int max_width, int max_height);

}  // namespace wafermark::tungsten

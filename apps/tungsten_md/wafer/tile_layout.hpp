// Which tile each atom begins on, and where the tiles lie in the crystal.
//
// Tiles come in columns, p x q of them, that stand for one column of cells of the crystal (placement/). A
// tile keeps its atom's x and y from the corner of its column and z from the middle of the box: small
// numbers, whose rounding in fp32 does not grow with the wafer.
#pragma once

#include <cstdint>
#include <vector>

#include "tungsten_md/model/case.hpp"
#include "tungsten_md/model/configuration.hpp"
#include "wse_emulator/machine.hpp"
#include "wse_emulator/tile_grid.hpp"

namespace wafermark::tungsten {

struct TileLayout {
  wse::TileGrid grid;                     ///< as the program sees it; rings where the box is periodic
  std::array<int, 2> axis{0, 1};          ///< the crystal's axis along the grid's width and height
  std::array<int, 2> tiles_per_column{};  ///< along the grid's width and height
  std::array<double, 2> column_length{};  ///< Angstrom, likewise
  std::array<double, 2> origin{};         ///< corner of column 0 along the grid's axes, Angstrom
  double middle_z = 0.0;                  ///< Angstrom
  int reach = 0;                          ///< b
  std::vector<std::int64_t> atom_on;      ///< [height][width] index of the atom that begins there, -1: none

  std::int64_t tile(int x, int y) const { return std::int64_t{y} * grid.width + x; }
  /// Corner of the column of the tile at `at` along a grid axis; beyond a ring's end it goes on.
  double corner(int grid_axis, int at) const {
    const int n = tiles_per_column[grid_axis];
    const int column = at >= 0 ? at / n : -((n - 1 - at) / n);
    return origin[grid_axis] + column * column_length[grid_axis];
  }
  int candidates() const { return (2 * reach + 1) * (2 * reach + 1) - 1; }
};

/// Lays the atoms of `start` (all of them, in the order of their ids) on `machine`'s tiles: a crystal by
/// columns, any other structure by sorting. Throws InputError when there are too few tiles, or when a
/// periodic box is so narrow that a neighbourhood would meet itself. Collective: one rank searches.
TileLayout lay_out(const Communicator& comm, const Case& what, const Configuration& start,
                   const wse::Machine& machine, double cutoff_angstrom);

}  // namespace wafermark::tungsten

// Which tile each atom begins on, and where the tiles lie in the crystal.
//
// Tiles come in columns, p x q of them, that stand for one column of cells of the crystal (placement/). A
// tile keeps its atom's x and y from the corner of its column and z from the middle of the box: small
// numbers, whose rounding in fp32 does not grow with the wafer. A structure that is no crystal (placement/
// structure_placement.hpp) is one column, whose tiles have corners of their own.
#pragma once

#include <cstdint>
#include <optional>
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
  /// [grid axis][place in a column] where tiles lie beyond their column's corner, Angstrom; empty: nowhere
  /// beyond.
  std::array<std::vector<double>, 2> within{};
  double middle_z = 0.0;         ///< Angstrom
  int reach = 0;                 ///< b
  std::array<int, 2> columns{};  ///< of the crystal, along its x and y
  std::int64_t atoms_per_column = 0;
  std::vector<std::int64_t>
      in_column;  ///< [tiles of a column, row by row] number of the atom there, -1: none
  /// Of a structure that was placed atom by atom.
  struct Structure {
    std::int64_t pairs_at_b = 0;  ///< pairs of atoms whose tiles are b apart
    double mean_distance = 0.0;   ///< of the tiles of two atoms that must know of each other
    int most_neighbours = 0;      ///< of an atom, within the cut-off
  };
  std::optional<Structure> structure;

  std::int64_t tile(int x, int y) const { return std::int64_t{y} * grid.width + x; }
  std::int64_t atoms() const { return std::int64_t{columns[0]} * columns[1] * atoms_per_column; }
  /// Index of the atom that begins on a tile, in the order of ids; -1: none.
  std::int64_t atom_on(int x, int y) const {
    const auto [p, q] = tiles_per_column;
    const std::int64_t k = in_column[static_cast<std::size_t>(std::int64_t{y % q} * p + x % p)];
    if (k < 0) return -1;
    const std::array<std::int64_t, 2> across_down{x / p, y / q};
    const std::int64_t cx = across_down[axis[0] == 0 ? 0 : 1], cy = across_down[axis[0] == 0 ? 1 : 0];
    return (cx * columns[1] + cy) * atoms_per_column + k;
  }
  /// From where the tile at `at` along a grid axis counts; beyond a ring's end it goes on.
  double corner(int grid_axis, int at) const {
    const int n = tiles_per_column[grid_axis];
    const int column = at >= 0 ? at / n : -((n - 1 - at) / n);
    const std::vector<double>& beyond = within[grid_axis];
    return origin[grid_axis] + column * column_length[grid_axis] +
           (beyond.empty() ? 0.0 : beyond[static_cast<std::size_t>(at - column * n)]);
  }
  int candidates() const { return (2 * reach + 1) * (2 * reach + 1) - 1; }
};

/// Lays the case's crystal on `machine`'s tiles, column by column; no atom is made for it. A case that begins
/// from a file is placed atom by atom: `structure` has all of them, in the order of their ids, on every rank.
/// Throws InputError when there are too few tiles, or when a periodic box is so narrow that a neighbourhood
/// would meet itself. Collective: one rank searches.
TileLayout lay_out(const Communicator& comm, const Case& what, const wse::Machine& machine,
                   double cutoff_angstrom, const Configuration* structure = nullptr);

}  // namespace wafermark::tungsten

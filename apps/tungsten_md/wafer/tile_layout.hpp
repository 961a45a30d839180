// Which tile each atom begins on, and where the tiles lie in the crystal.
//
// Tiles come in columns, p x q of them, that stand for one column of cells of the crystal (placement/). A
// tile keeps its atom's x and y from the corner of its column and z from the middle of the box: small
// numbers, whose rounding in fp32 does not grow with the wafer. A structure that is no crystal (placement/
// structure_placement.hpp) is one column, whose tiles have corners of their own.
//
// A thick crystal may be cut along z into layers, each on a grid of tiles of its own (place_layers()): all
// below is of one of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "tungsten_md/model/case.hpp"
#include "tungsten_md/model/configuration.hpp"
#include "wse_emulator/machine.hpp"
#include "wse_emulator/tile_grid.hpp"

namespace wafermark::tungsten {

struct TileLayout {
  wse::TileGrid grid;             ///< of a layer, as the program sees it; rings where the box is periodic
  std::array<int, 2> axis{0, 1};  ///< the crystal's axis along the grid's width and height
  std::array<int, 2> tiles_per_column{};  ///< along the grid's width and height
  std::array<double, 2> column_length{};  ///< Angstrom, likewise
  std::array<double, 2> origin{};         ///< corner of column 0 along the grid's axes, Angstrom
  /// [grid axis][place in a column] where tiles lie beyond their column's corner, Angstrom; empty: nowhere
  /// beyond.
  std::array<std::vector<double>, 2> within{};
  double middle_z = 0.0;              ///< Angstrom
  int reach = 0;                      ///< b
  std::array<int, 2> columns{};       ///< of the crystal, along its x and y
  std::int64_t atoms_per_column = 0;  ///< of all layers
  std::vector<std::int64_t>
      in_column;  ///< [tiles of a column, row by row] number of the atom there in its layer, -1: none
  std::vector<std::int64_t> first_in_layer{0};  ///< [layer] number of a column's first atom there
  std::vector<std::array<int, 2>> panels;       ///< of the layers (wse::TileGrid); one layer: none
  bool ring_of_layers = false;                  ///< z is periodic
  int layers_each_side = 0;                     ///< with whose atoms an atom interacts
  /// Of a structure that was placed atom by atom.
  struct Structure {
    std::int64_t pairs_at_b = 0;  ///< pairs of atoms whose tiles are b apart
    double mean_distance = 0.0;   ///< of the tiles of two atoms that must know of each other
    int most_neighbours = 0;      ///< of an atom, within the cut-off
  };
  std::optional<Structure> structure;

  int layers() const { return static_cast<int>(first_in_layer.size()); }
  /// Of the machine's tiles, or patches of them, with all layers: as wse::TileGrid numbers them.
  std::int64_t tile(int x, int y, int layer) const {
    return (std::int64_t{y} * layers() + layer) * grid.width + x;
  }
  std::int64_t tiles() const { return grid.tiles() * layers(); }
  /// Layers that an atom of this one sees, its own among them.
  int layers_seen(int layer) const {
    if (ring_of_layers) return 2 * layers_each_side + 1;
    return std::min(layers() - 1, layer + layers_each_side) - std::max(0, layer - layers_each_side) + 1;
  }
  std::int64_t atoms() const { return std::int64_t{columns[0]} * columns[1] * atoms_per_column; }
  /// Index of the atom that begins on a tile, in the order of ids; -1: none.
  std::int64_t atom_on(int x, int y, int layer) const {
    const auto [p, q] = tiles_per_column;
    const std::int64_t k = in_column[static_cast<std::size_t>(std::int64_t{y % q} * p + x % p)];
    const auto at = static_cast<std::size_t>(layer);
    const std::int64_t first = first_in_layer[at],
                       end = layer + 1 < layers() ? first_in_layer[at + 1] : atoms_per_column;
    if (k < 0 || first + k >= end) return -1;
    const std::array<std::int64_t, 2> across_down{x / p, y / q};
    const std::int64_t cx = across_down[axis[0] == 0 ? 0 : 1], cy = across_down[axis[0] == 0 ? 1 : 0];
    return (cx * columns[1] + cy) * atoms_per_column + first + k;
  }
  /// From where the tile at `at` along a grid axis counts; beyond a ring's end it goes on.
  double corner(int grid_axis, int at) const {
    const int n = tiles_per_column[grid_axis];
    const int column = at >= 0 ? at / n : -((n - 1 - at) / n);
    const std::vector<double>& beyond = within[grid_axis];
    return origin[grid_axis] + column * column_length[grid_axis] +
           (beyond.empty() ? 0.0 : beyond[static_cast<std::size_t>(at - column * n)]);
  }
  /// Atoms that a tile hears of from each tile of its neighbourhood: the tile's own and those of other
  /// layers.
  int records() const { return 2 * layers_each_side + 1; }
  int candidates() const { return records() * (2 * reach + 1) * (2 * reach + 1) - 1; }
};

/// Lays the case's crystal on `machine`'s tiles, column by column; no atom is made for it. `layer_cells`: of
/// its layers (place_layers()), whatever the case's wafer.layer_cells says. A case that begins
/// from a file is placed atom by atom: `structure` has all of them, in the order of their ids, on every rank.
/// Throws InputError when there are too few tiles, or when a periodic box is so narrow that a neighbourhood
/// would meet itself. Collective: one rank searches.
TileLayout lay_out(const Communicator& comm, const Case& what, const wse::Machine& machine, int layer_cells,
                   double cutoff_angstrom, const Configuration* structure = nullptr);

}  // namespace wafermark::tungsten

// Any structure on the wafer: grain boundaries, surfaces, voids, damaged crystals, gases of defects. Atoms
// are dealt to tiles by halving the plane again and again, so that neighbours in space are neighbours on the
// wafer, and then change tiles while that brings the farthest of them nearer.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

/// Where the atoms of a structure begin.
struct StructurePlacement {
  std::array<int, 2> tiles{};  ///< along the structure's x and y
  /// [atom, in the order given] its tile; no two atoms have the same.
  std::vector<std::array<int, 2>> tile_of;
  /// [x, y][place along that axis] where the tiles there lie on average, Angstrom; multiples of 1/64.
  std::array<std::vector<double>, 2> places;
  int b = 0;                    ///< largest Chebyshev distance, in tiles, of two atoms within the reach
  std::int64_t pairs_at_b = 0;  ///< so far apart, each pair counted once
  double mean_distance = 0.0;   ///< of such two atoms, in tiles
  int most_neighbours = 0;      ///< within the cut-off
  bool turned = false;          ///< the x axis runs along the wafer's height
};

/// A placement of atoms on at most max_width x max_height tiles whose b is small: several ways of halving are
/// tried, and the best one is improved by exchanges. Distances go round periodic axes. `reach`: within which
/// atoms must know of each other, Angstrom; `cutoff`: within which they act. Equal arguments give equal
/// placements. Throws InputError when there are no atoms, or more than tiles.
StructurePlacement place_structure(const Configuration& structure, double reach, double cutoff, int max_width,
                                   int max_height);

}  // namespace wafermark::tungsten

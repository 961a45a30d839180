// The tiles beyond a neighbourhood whose atoms could come within the cut-off.
#pragma once

#include <vector>

#include "tungsten_md/model/configuration.hpp"
#include "tungsten_md/wafer/tile_layout.hpp"

namespace wafermark::tungsten {

/// Atoms further than this from the site of their tile are strays, which the rim does not hold, Angstrom:
/// heat alone displaces atoms by less.
inline constexpr double stray_limit = 1.0;

/// A tile so many places and layers away whose site lies `gap` Angstrom beyond the cut-off.
struct RimTile {
  int dx, dy, layers_on;
  float gap;
};

/// Of every place in a column (layer by layer, row by row), nearest first: the tiles that are more than b or
/// too many layers away, whose site is nearer than the cut-off and twice stray_limit. `start`: the crystal.
/// Round a ring a tile is met once, the shorter way.
std::vector<std::vector<RimTile>> rim_of(const TileLayout& layout, const Configuration& start, double cutoff);

/// The same of a structure that was placed atom by atom, for the tiles of `mine`; those of others are left
/// out.
std::vector<std::vector<RimTile>> rim_of_structure(const TileLayout& layout, const Configuration& start,
                                                   double cutoff, const wse::Block& mine);

/// How many layers away rim tiles are at most: as many as atoms see where there are none.
int layers_with_rim(const TileLayout& layout, const std::vector<std::vector<RimTile>>& rim);

/// How far away rim tiles are at most: b where there are none.
int reach_with_rim(const TileLayout& layout, const std::vector<std::vector<RimTile>>& rim);

}  // namespace wafermark::tungsten

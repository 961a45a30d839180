// Which links and colors a tile program's patterns use, and whether they get into each other's way.
//
// Tiles run ahead of each other by at most one pattern (a pattern needs its neighbours' words), so a pattern
// can be under way at the same time as the one before and the one after it, the last and the first of a
// repeated program among them. Two patterns that may be under way together must not use the same color on the
// same link.
#pragma once

#include <string>
#include <vector>

#include "wse_emulator/fabric/fabric_timing.hpp"
#include "wse_emulator/tile_grid.hpp"

namespace wafermark::wse {

enum class Link { north, east, south, west };

/// A color on all links of these directions that leave the tiles of an area.
struct ColorUse {
  int color;
  std::vector<Link> links;
};
struct PatternUse {
  std::string pattern;
  Block area;
  std::vector<ColorUse> uses;
};

/// Colors `first` ... `first` + 3: the two streams along the rows, and the two along the columns.
PatternUse marching_multicast_use(const std::string& pattern, const Block& area, int first);
/// Color `first`: from the area's north-western corner down its first column and along all rows.
PatternUse broadcast_use(const std::string& pattern, const Block& area, int first);
/// Colors `first` and `first` + 1, by turns from link to link: every row (towards the west) or column
/// (north) to its first tile.
PatternUse chain_reduce_use(const std::string& pattern, const Block& area, int first,
                            Link towards = Link::west);
/// Colors `first` ... `first` + 3: the two of the groups' chains, and the two of the heads'.
PatternUse two_phase_reduce_use(const std::string& pattern, const Block& area, int first,
                                Link towards = Link::west);
/// A color for each of the tree's levels.
PatternUse tree_reduce_use(const std::string& pattern, const Block& area, int first,
                           Link towards = Link::west);
/// Colors `first` ... `first` + 2 `distance` - 1, by the tile's place.
PatternUse shift_use(const std::string& pattern, const Block& area, int first, int distance,
                     Link towards = Link::east);
/// Colors `first` ... `first` + 8: the two-phase reductions along the rows and along one column, from both
/// sides of their roots, and the broadcast back.
PatternUse all_reduce_use(const std::string& pattern, const Block& area, int first);
/// Colors `first` ... `first` + 3: one for each direction in which words leave a tile.
PatternUse point_to_point_use(const std::string& pattern, const Block& area, int first);

/// Checks a program that repeats its patterns in this order. Throws std::invalid_argument that names the
/// link, the color and both patterns, or the color that the fabric does not have.
void reject_collisions(const FabricTiming& fabric, const std::vector<PatternUse>& program);

}  // namespace wafermark::wse

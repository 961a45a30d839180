// Sums, or least values, of all tiles at all tiles.
//
// Along every row the tiles reduce to one of them, the row's root, by two-phase reductions from either side;
// then the roots, which stand in one column, do the same down that column, and the result goes back as a
// broadcast. Where few words go over many tiles the root is cheapest in the middle: no word goes further than
// half of the rectangle, there and back. Where many words go over few tiles it is cheapest at the end, since
// the middle takes the words of both sides one after the other.
#pragma once

#include <algorithm>
#include <vector>

#include "common/communicator.hpp"
#include "wse_emulator/fabric/pattern.hpp"

namespace wafermark::wse {

/// The two-phase reduction of a line to `root`: the tiles before it to the one beside it, which passes their
/// sum on, and those from the root on to it. Groups are the best of each side.
struct RootedLine {
  int tiles = 1, root = 0, words = 1;
  int group_before = 1, group_from = 1;

  /// With the root at the end or in the middle, whichever makes reduction and broadcast back take less.
  static RootedLine cheapest(const FabricTiming& fabric, int tiles, int words);
  /// With this root.
  static RootedLine at(const FabricTiming& fabric, int tiles, int root, int words);

  std::int64_t reduce_cycles(const FabricTiming& fabric) const;
  int farthest() const { return std::max(root, tiles - 1 - root); }  ///< hops from the root
  /// Words over the link from place `at` towards the root.
  std::int64_t words_from(int at) const;
  /// The fp32 sum in the order in which tiles add.
  float sum(const std::vector<float>& values) const;
};

/// Over a rectangle to all its tiles. Exact, or up to 10 cycles above router_reference (where groups are
/// unequal, or few words reach a group's head before its own sum), on grids of up to 32 x 32 tiles and 64
/// words.
std::int64_t all_reduce_cycles(const FabricTiming& fabric, int width, int height, int words);

/// all_reduce_cycles' pattern over the whole grid.
class AllReduce final : public Pattern {
 public:
  explicit AllReduce(int words) : words_(words) {}

  /// The least value of all tiles, of which each rank gives that of its own. One word. Collective.
  float least(const Communicator& comm, float of_tiles) const { return comm.min(of_tiles); }
  /// The fp32 sums over all tiles, in the order in which the pattern adds: the same bits on any number of
  /// ranks. `values`: `words` of each tile of this rank's block, row by row. Collective.
  std::vector<float> sums(const Communicator& comm, const Blocks& blocks, const FabricTiming& fabric,
                          const std::vector<float>& values) const;

  std::string text() const override;
  After after() const override { return After::everyone; }
  std::int64_t cycles(const FabricTiming& fabric, const TileGrid& grid) const override;
  std::vector<ColorUse> colors(const TileGrid& grid, int first) const override;
  void add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const override;

 private:
  int words_;
};

}  // namespace wafermark::wse

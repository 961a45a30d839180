// Sums, or least values, of all tiles at all tiles.
//
// Along every row the tiles reduce to one of them, the row's root, from either side; then the roots, which
// stand in one column, do the same down that column, and the result goes back as a broadcast. Where few words
// go over many tiles the root is cheapest in the middle: no word goes further than half of the rectangle,
// there and back. Where many words go over few tiles it is cheapest at the end, since the middle takes the
// words of both sides one after the other.
#pragma once

#include <algorithm>
#include <vector>

#include "common/communicator.hpp"
#include "wse_emulator/fabric/pattern.hpp"

namespace wafermark::wse {

/// The reduction of a line to `root`, from the tiles before it and from those behind it.
///
/// two_phase: either side by itself, the tiles before the root to the one beside it, which passes their sum
/// on, those from the root on to it. Groups are the best of each side. in_turn: chains in groups of S tiles
/// that count from the root outwards. Their heads' sums follow each other to the root, the nearest first, on
/// one color: a head's switch takes the head's own words, then a command behind them moves it on and it takes
/// what comes from further out. The root takes both sides' words as they come. S is the least with which
/// links and ramp keep up: 2 for one word. Command wavelets that follow the last head's words set the
/// switches back, as far as they reach.
///   cycles = chain of S + h + B + 2 T_R + 1, and 2 B + 1 where both sides come,
/// with h hops to the farthest head.
struct RootedLine {
  enum class Way { two_phase, in_turn };

  int tiles = 1, root = 0, words = 1;
  Way way = Way::two_phase;
  int group_before = 1, group_from = 1;

  /// In the way and with the root at the end or in the middle that make reduction and broadcast back take
  /// least.
  static RootedLine cheapest(const FabricTiming& fabric, int tiles, int words);
  /// With this root.
  static RootedLine at(const FabricTiming& fabric, int tiles, int root, int words, Way way);

  std::int64_t reduce_cycles(const FabricTiming& fabric) const;
  int farthest() const { return std::max(root, tiles - 1 - root); }  ///< hops from the root
  /// Words and commands over the link from place `at` towards the root.
  std::int64_t words_from(int at) const;
  /// The fp32 sum in the order in which tiles add.
  float sum(const std::vector<float>& values) const;
};

/// One side of a line's root in turn: its tiles are at distances 1 ... tiles.
struct SideInTurn {
  int tiles = 0, group = 1, words = 1;

  int heads() const { return (tiles + group - 1) / group; }
  int head(int number) const { return 1 + number * group; }  ///< distance from the root
  int last_in_group(int head) const { return std::min(head + group - 1, tiles); }
  /// Heads from one that sets switches back to the next one inwards: as far as a command wavelet reaches,
  /// four commands of 15 routers each. The last head does, and every so many heads.
  int heads_set_back() const { return (60 - 1) / group; }
  bool sets_back(int number) const { return (heads() - 1 - number) % heads_set_back() == 0; }
  std::int64_t cycles(const FabricTiming& fabric) const;
  std::int64_t words_from(int distance) const;
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

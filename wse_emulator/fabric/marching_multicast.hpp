// The marching multicast (Santos et al., SC24): every tile sends its words to all tiles at Chebyshev distance
// b.
//
// Two stages, along the rows and then, with what the rows brought, along the columns. In a stage the line is
// cut into strips of b + 1 tiles. In phase p the tile at position p of every strip is the head: its router
// sends east and west at once, on two colors; the b tiles beyond it pass on and keep a copy, the last only
// keeps. A command wavelet behind the words makes the next tile the head: it moves the switches of the head,
// the next tile and the strip's last one on in their round of three positions (body, head, tail) and leaves
// those between, which four commands of a wavelet say for b up to 17. So every link carries one head's
// words at a time, and after b + 1 phases every tile has the words of the b tiles on either side.
//
// Run backwards the pattern gathers: 2:1 sums flow from all tiles of the neighbourhood to each one.
#pragma once

#include <cstdint>

#include "wse_emulator/fabric/pattern.hpp"

namespace wafermark::wse {

/// Cycles of one stage when all tiles begin together, w words a tile:
///   (b + 1) (2 (w + 1) + hop) + b hop + 2 T_R - 4    where both streams' words share a tile's ramp,
///   (b + 1) (w + 1 + hop) + b hop + 2 T_R            where they do not meet: b = 1, or w = 1.
/// A phase passes the words and command wavelets of both streams, then the hop to the next head; the last
/// words travel b hops (of `hops` links each on a folded ring, whose links carry both halves and are no
/// busier than the ramp). Within 5 cycles of router_reference for 1 to 45 words, b up to 7 and hops of 1
/// cycle. Tiles that begin at different times are done no later than these cycles after the latest start
/// within 2 b, but for the same 5. `streams`: 1 where only one side's words are wanted, which then never meet
/// the other's.
std::int64_t marching_stage_cycles(const FabricTiming& fabric, int b, int words, int hops = 1,
                                   int streams = 2);

/// Both stages: `words` a tile along the rows, (2b + 1) `words` along the columns. Within 10 cycles of
/// router_reference on squares of up to 32 x 32 tiles.
std::int64_t marching_multicast_cycles(const FabricTiming& fabric, int b, int words, int hops_x = 1,
                                       int hops_y = 1);

/// `words` of every patch of tiles to all patches within Chebyshev distance b.
///
/// Patches of one tile: both stages with both streams. Patches of two by two: every tile of a patch hears a
/// quarter of the neighbourhood, by one stream of its row and, of its column, what b + 1 patches of the rows
/// sent; all four tiles know their patch's words. Streams run between tiles of the same place in their
/// patches, two tiles a hop.
class MarchingMulticast final : public Pattern {
 public:
  MarchingMulticast(int b, int words) : b_(b), words_(words) {}

  /// Values [first, first + words) of every record of `field` (one a patch) go round. The border may be wider
  /// than b: an emulator sees more than the machine. Collective.
  template <class T>
  void move(const BorderExchange& border, std::vector<T>& field, int record, int first) const {
    static_assert(sizeof(T) == 4, "a word");
    border.fill(field, record, first, words_);
  }
  int words() const { return words_; }

  std::string text() const override;
  After after() const override { return After::neighbourhood; }
  int reach() const override { return 2 * b_; }
  std::int64_t cycles(const FabricTiming& fabric, const TileGrid& grid) const override;
  int tasks() const override { return 2; }  // after each stage
  /// One for each stream of each stage.
  int reads(const TileGrid& grid) const override { return grid.patch == 1 ? 4 : 2; }
  std::vector<ColorUse> colors(const TileGrid& grid, int first) const override;
  void add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const override;

 private:
  int b_, words_;
};

/// Backwards, from one half of the neighbourhood, for patches of one tile: every tile gets the sums of
/// `words` that the tiles of b rows to the north, and of its own row, have for it.
class ReverseMulticast final : public Pattern {
 public:
  ReverseMulticast(int b, int words) : b_(b), words_(words) {}

  std::string text() const override;
  After after() const override { return After::neighbourhood; }
  int reach() const override { return 2 * b_; }
  std::int64_t cycles(const FabricTiming& fabric, const TileGrid& grid) const override;
  int tasks() const override { return 2; }
  int reads(const TileGrid&) const override { return 3; }  // from the north, and from both sides of the row
  std::vector<ColorUse> colors(const TileGrid& grid, int first) const override;
  void add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const override;

 private:
  int b_, words_;
};

}  // namespace wafermark::wse

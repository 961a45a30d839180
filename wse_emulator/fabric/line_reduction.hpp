// The sum over a line of tiles at one of them, with the clocks of all: the two-phase reduction of
// reduction.hpp from both sides of the root, for tiles that are not ready at the same time.
//
// Groups of S tiles count from the root outwards on either side. In the first phase every group's words flow
// as a chain to its tile nearest the root, its head; in the second the heads' sums flow as a chain, through
// the other tiles' routers. The root adds its own group's two chains, then the heads' two. One group: a chain
// from either side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "wse_emulator/fabric/fabric_timing.hpp"

namespace wafermark::wse {

struct LineReduction {
  int tiles = 1, root = 0, words = 0;
  int group = 1;  ///< tiles in a group; as many as the line has: chains

  /// With the group that is best when all tiles are ready together.
  static LineReduction best(const FabricTiming& fabric, int tiles, int root, int words);
};

/// sums[w] in the order in which the tiles add. Tile t's words begin at values + t * stride.
void line_sums(const LineReduction& line, const float* values, std::ptrdiff_t stride, float* sums);

/// Tile t's clock, clocks[t * stride], says when its words are ready; afterwards when it has passed on its
/// last word, and the root's when it has all sums. A core begins to pass sums on when its own words are ready
/// and the first one is there, and goes on a word a cycle:
///   chain        first[d] = max(ready[d], first[d + 1] + hop + 2 T_R + 1)
///   heads        first[h] = max(done[h], first[h + S] + S hop + 2 T_R + 1), done[h]: its group's sums, B
///                words after its chain's first
/// and the root takes up to four streams of B words in turn. With all ready together the chain to one end is
/// chain_reduce_cycles; within an eighth and 12 cycles of router_reference for any ready times.
void advance_clocks(const FabricTiming& fabric, const LineReduction& line, std::int64_t* clocks,
                    std::ptrdiff_t stride);

/// Words that cross links for it.
std::int64_t line_reduction_hops(const LineReduction& line);

/// Work of a tile shared by the tiles beside it on the line: it sends `words_in` words an item out, farthest
/// tile first, each does its items, and `words_out` an item come back, nearest tile first. A control wavelet
/// behind a tile's words moves the route on. Cycles for `helpers` tiles beside the first:
///   sum of words and control wavelets out + items of one tile * cycles_per_item
///   + words and control wavelets back + 2 (helpers hop + 2 T_R + 1),
/// at most as many more than router_reference as the tiles nearer than the farthest overlap.
struct SharedWork {
  int helpers = 0;
  std::int64_t cycles = 0, hops = 0;
};
SharedWork shared_work(const FabricTiming& fabric, int helpers, std::int64_t items, int words_in,
                       int words_out, double cycles_per_item);
/// With as many helpers of at most `most` as take the fewest cycles.
SharedWork best_shared_work(const FabricTiming& fabric, int most, std::int64_t items, int words_in,
                            int words_out, double cycles_per_item);

}  // namespace wafermark::wse

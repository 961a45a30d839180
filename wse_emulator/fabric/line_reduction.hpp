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

#include "wse_emulator/fabric/line_pattern.hpp"

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

/// The sums of lines at their roots. Eight colors: four for what flows towards the beginning of a line, two
/// of chains and two of heads, and four for what flows towards its end.
class LineReduce final : public LinePattern {
 public:
  using LinePattern::LinePattern;

  /// `parts`: [line][tile][word], of tiles of other ranks zero; `sums`: [line][word], on every rank, in the
  /// order in which the tiles add. Parts of all tiles are known afterwards. Collective.
  void sum(const Communicator& comm, const FabricTiming& fabric, std::vector<float>& parts,
           std::vector<float>& sums) const;
  /// The same of parts that every rank has.
  void sum(const FabricTiming& fabric, const std::vector<float>& parts, std::vector<float>& sums) const;

  std::string text() const override;
  std::vector<ColorUse> colors(const TileGrid& grid, int first) const override;

 protected:
  void advance_line(const FabricTiming& fabric, int words, std::int64_t* clocks, std::ptrdiff_t stride,
                    std::int64_t* moving) const override;
  void add_line_words(const FabricTiming& fabric, int line, std::int64_t times,
                      LinkWords& words) const override;

 private:
  const LineReduction& plan(const FabricTiming& fabric, int words) const;

  mutable LineReduction plan_;  ///< the last one asked for: neighbouring lines mostly have as many words
  mutable FabricTiming of_;
};

}  // namespace wafermark::wse

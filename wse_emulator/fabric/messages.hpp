// Words that go from single tiles to single tiles, as the data ask for; and the sum over a patch of tiles.
#pragma once

#include <array>
#include <map>

#include "common/communicator.hpp"
#include "wse_emulator/fabric/pattern.hpp"

namespace wafermark::wse {

/// Messages of `words` words to tiles at most `farthest` hops away, along the row and then along the column.
/// All tiles take the time of the longest.
class Messages final : public Pattern {
 public:
  Messages(int words, int farthest) : words_(words), farthest_(farthest) {}

  /// A message from tile (x, y) of the grid, of this rank, to the one of its layer that is
  /// (dx, dy) away.
  void sent(int x, int y, int dx, int dy) { ++sent_[{x, y, dx, dy}], ++count_; }
  /// Of this rank's tiles so far.
  std::int64_t count() const { return count_; }

  std::string text() const override;
  After after() const override { return After::itself; }
  std::int64_t cycles(const FabricTiming& fabric, const TileGrid& grid) const override;
  std::vector<ColorUse> colors(const TileGrid& grid, int first) const override;
  /// Of the messages that were sent, whatever `times`.
  void add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const override;

 private:
  int words_, farthest_;
  std::map<std::array<int, 4>, std::int64_t> sent_;  ///< how often, by x, y, dx, dy
  std::int64_t count_ = 0;
};

/// The tiles of each patch of two by two add up `words_in` words at the first of them, the north-western:
/// along the rows, then down the column; what it makes of them, `words_out` words, goes back to the others.
class PatchSum final : public Pattern {
 public:
  PatchSum(int words_in, int words_out) : words_in_(words_in), words_out_(words_out) {}

  std::string text() const override;
  After after() const override { return After::patch; }
  std::int64_t cycles(const FabricTiming& fabric, const TileGrid& grid) const override;
  int tasks() const override { return 3; }  // after each pairwise sum, and when the result comes back
  std::vector<ColorUse> colors(const TileGrid& grid, int first) const override;
  void add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const override;

 private:
  int words_in_, words_out_;
};

}  // namespace wafermark::wse

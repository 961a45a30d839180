// Work of a tile that the tiles beside it on its line share.
#pragma once

#include "wse_emulator/fabric/line_pattern.hpp"
#include "wse_emulator/work.hpp"

namespace wafermark::wse {

/// A tile's items among itself and `helpers` tiles on one side of it: it sends `words_in` words an item out,
/// farthest tile first, each does its items, and `words_out` an item come back, nearest tile first. A control
/// wavelet behind a tile's words moves the route on. Cycles:
///   sum of words and control wavelets out + items of one tile * cycles_per_item
///   + words and control wavelets back + 2 (helpers hop + 2 T_R + 1),
/// at most as many more than router_reference as the tiles nearer than the farthest overlap.
struct SharedWork {
  int helpers = 0;
  std::int64_t items = 0;  ///< of the tile itself; helpers' are as many as are left, the nearest's first
  std::int64_t sent = 0;   ///< items, to the helpers
  std::int64_t working = 0, moving = 0, cycles = 0;  ///< working on `items`; sending and taking words; in all

  /// Of the helper so many tiles away.
  std::int64_t items_of(int helper) const;
};
SharedWork shared_work(const FabricTiming& fabric, int helpers, std::int64_t items, int words_in,
                       int words_out, double cycles_per_item);
/// With as many helpers of at most `most` as take the fewest cycles.
SharedWork best_shared_work(const FabricTiming& fabric, int most, std::int64_t items, int words_in,
                            int words_out, double cycles_per_item);

/// The roots' work, shared with the tiles towards the beginning of their lines. Two colors: out, and back.
class LineShare final : public RegionPattern {
 public:
  /// `items`: of every line's root, by line. Lines are not cut into segments. Section and items must outlive
  /// the pattern.
  LineShare(const Lines& lines, const Section& section, const std::vector<int>& items, int words_in,
            int words_out)
      : lines_(lines), section_(&section), items_(&items), words_in_(words_in), words_out_(words_out) {}

  const Lines& lines() const { return lines_; }
  Work work() const { return {*section_, *items_}; }
  SharedWork of_line(const FabricTiming& fabric, int line) const;

  std::string text() const override;
  Block area(const TileGrid&) const override { return lines_.tiles; }
  std::int64_t cycles(const FabricTiming& fabric, const TileGrid& grid) const override;
  std::vector<ColorUse> colors(const TileGrid& grid, int first) const override;
  void advance(const FabricTiming& fabric, RegionClocks& clocks) const override;
  void add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const override;

 private:
  /// body(line, how its work is shared), of lines that have any.
  template <class Body>
  void for_each_line(const FabricTiming& fabric, const Body& body) const;

  Lines lines_;
  const Section* section_;
  const std::vector<int>* items_;
  int words_in_, words_out_;
};

}  // namespace wafermark::wse

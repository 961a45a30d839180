// Patterns on regions of tiles that go by clocks of their own (region.hpp), and those along lines of tiles.
#pragma once

#include <vector>

#include "wse_emulator/fabric/pattern.hpp"
#include "wse_emulator/region.hpp"

namespace wafermark::wse {

/// A pattern whose tiles wait only for the words on the way to them, each by its own clock. RegionExecutor
/// runs it.
class RegionPattern : public Pattern {
 public:
  After after() const final { return After::paths; }
  /// Moves the clocks of its tiles and books the cycles. What it does may depend on clocks and on lists that
  /// every rank has, so that every rank does the same.
  virtual void advance(const FabricTiming& fabric, RegionClocks& clocks) const = 0;
};

/// Lines of equal length, side by side: rows or columns of a rectangle of the grid, each cut into `segments`
/// lines one behind the other. A line has its root where words come from or go to.
struct Lines {
  Block tiles;
  bool along_rows = true;
  int length = 0;  ///< tiles of a line
  int root = 0;    ///< tile of a line, counted from its beginning
  int segments = 1;

  static Lines rows(const TileRegion& r) { return {r.area, true, r.area.width, r.root_column(), 1}; }
  static Lines columns(const TileRegion& r) { return {r.area, false, r.area.height, r.root_row(), 1}; }
  static Lines root_row(const TileRegion& r) {
    return {r.root_row_tiles(), true, r.area.width, r.root_column(), 1};
  }
  static Lines root_column(const TileRegion& r) {
    return {r.root_column_tiles(), false, r.area.height, r.root_row(), 1};
  }
  /// The columns cut into so many bands of `rows` rows each, with the root in the middle of each band; rows
  /// that are left over belong to none.
  static Lines bands(const TileRegion& r, int rows, int bands) {
    return {{r.area.x0, r.area.y0, r.area.width, rows * bands}, false, rows, rows / 2, bands};
  }

  /// Lines side by side.
  int across() const { return along_rows ? tiles.height : tiles.width; }
  int number() const { return across() * segments; }
  /// The grid's tile: t of a line. Lines are counted side by side, then segment by segment.
  int x(int line, int t) const {
    return tiles.x0 + (along_rows ? line / across() * length + t : line % across());
  }
  int y(int line, int t) const {
    return tiles.y0 + (along_rows ? line % across() : line / across() * length + t);
  }
  /// Of lines that are not cut.
  Block roots() const {
    return along_rows ? Block{tiles.x0 + root, tiles.y0, 1, tiles.height}
                      : Block{tiles.x0, tiles.y0 + root, tiles.width, 1};
  }
  Link towards_beginning() const { return along_rows ? Link::west : Link::north; }
  Link towards_end() const { return along_rows ? Link::east : Link::south; }
};

/// Words along lines, of each line as many as the list says; lines without words stay as they are. The list
/// is read when the pattern runs.
class LinePattern : public RegionPattern {
 public:
  LinePattern(const Lines& lines, const std::vector<int>& words) : lines_(lines), words_(&words) {}

  const Lines& lines() const { return lines_; }
  int words(int line) const { return (*words_)[static_cast<std::size_t>(line)]; }

  Block area(const TileGrid&) const final { return lines_.tiles; }
  /// Of the first line.
  std::int64_t cycles(const FabricTiming& fabric, const TileGrid& grid) const override;
  void advance(const FabricTiming& fabric, RegionClocks& clocks) const override;
  void add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const final;

 protected:
  /// A line's clocks, tile t's at t * stride, move on; moving[t]: cycles in which it passes words.
  virtual void advance_line(const FabricTiming& fabric, int words, std::int64_t* clocks,
                            std::ptrdiff_t stride, std::int64_t* moving) const = 0;
  /// Adds what crosses the links of a line.
  virtual void add_line_words(const FabricTiming& fabric, int line, std::int64_t times,
                              LinkWords& words) const = 0;
  /// Tiles [from, to) of a line send so many words each by this link.
  void add_run(int line, int from, int to, Link link, std::int64_t count, LinkWords& words) const;

 private:
  Lines lines_;
  const std::vector<int>* words_;
};

}  // namespace wafermark::wse

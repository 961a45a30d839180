// Words from a row of tiles to another row of tiles, and from a single tile to another.
#pragma once

#include "wse_emulator/fabric/line_pattern.hpp"

namespace wafermark::wse {

/// From the tiles of a row of a region to the tiles of the root row of a region as wide, each to the one in
/// its place. Colors `first` ... `first` + 3, one for each direction in which words leave their tile.
///
/// Straight along its column a segment has the links to itself. To a region beside it, segment x takes row x
/// of those around the root row where it begins, as far as both regions have rows ("lanes"): then a lane's
/// links carry so many segments, which wait for each other, and the way is up to as many hops longer.
class RowStream final : public RegionPattern {
 public:
  /// `words`: of every segment. From the root row of `from`.
  RowStream(const TileRegion& from, const TileRegion& to, const std::vector<int>& words)
      : from_(from), to_(to), words_(&words) {}
  /// From whatever row of a region `row` says when the pattern runs, counted from the region's first.
  RowStream(const TileRegion& region, const int& row, const std::vector<int>& words)
      : from_(region), to_(region), row_(&row), words_(&words) {}

  std::string text() const override;
  Block area(const TileGrid& grid) const override;
  std::int64_t cycles(const FabricTiming& fabric, const TileGrid& grid) const override;
  std::vector<ColorUse> colors(const TileGrid& grid, int first) const override;
  void advance(const FabricTiming& fabric, RegionClocks& clocks) const override;
  void add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const override;

 private:
  int first_row() const { return from_.area.y0 + (row_ != nullptr ? *row_ : from_.root_row()); }
  int last_row() const { return to_.area.y0 + to_.root_row(); }
  int across() const;
  int lanes() const;
  std::int64_t segment_cycles(const FabricTiming& fabric, int words) const;

  TileRegion from_, to_;
  const int* row_ = nullptr;
  const std::vector<int>* words_;
};

/// From a tile to another; the sender goes on when the last word is there. Along its row first. Colors as
/// RowStream's.
class TileMessage final : public RegionPattern {
 public:
  TileMessage(const Block& from, const Block& to, const std::vector<int>& words)
      : from_(from), to_(to), words_(&words) {}

  std::string text() const override;
  Block area(const TileGrid& grid) const override;
  std::int64_t cycles(const FabricTiming& fabric, const TileGrid& grid) const override;
  std::vector<ColorUse> colors(const TileGrid& grid, int first) const override;
  void advance(const FabricTiming& fabric, RegionClocks& clocks) const override;
  void add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const override;

 private:
  int distance() const;

  Block from_, to_;  ///< a tile each
  const std::vector<int>* words_;
};

}  // namespace wafermark::wse

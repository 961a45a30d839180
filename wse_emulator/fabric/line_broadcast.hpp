// From the root of a line to all its tiles, on one color.
#pragma once

#include "wse_emulator/fabric/line_pattern.hpp"

namespace wafermark::wse {

/// The root's words leave it one after the other, both ways; a tile goes on when it has the last one:
///   clock[t] = max(clock[t], clock[root] + broadcast_cycles(distance + 1 tiles, words))
/// or works on the words as they come (Program::stream). The root does not wait. What it sends, every rank of
/// an emulation has: nothing to move.
class LineBroadcast final : public LinePattern {
 public:
  using LinePattern::LinePattern;

  /// When the first word is at the tile `distance` hops from a root that begins at `start`.
  static std::int64_t first_word(const FabricTiming& fabric, std::int64_t start, int distance);

  std::string text() const override;
  /// Until the first word is at the farthest tile.
  std::int64_t first_word_cycles(const FabricTiming& fabric, const TileGrid& grid) const override;
  std::vector<ColorUse> colors(const TileGrid& grid, int first) const override;

 protected:
  void advance_line(const FabricTiming& fabric, int words, std::int64_t* clocks, std::ptrdiff_t stride,
                    std::int64_t* moving) const override;
  void add_line_words(const FabricTiming& fabric, int line, std::int64_t times,
                      LinkWords& words) const override;
};

}  // namespace wafermark::wse

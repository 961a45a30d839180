// Words for the same place of the layers before and after one's own (panels.hpp).
#pragma once

#include "wse_emulator/fabric/pattern.hpp"

namespace wafermark::wse {

/// Every tile's words to the tile of its place in the next layer, and in the one before, both at once. A
/// panel away is D tiles along a row or a column. Heads march as in the marching multicast, but bodies only
/// pass on: in phase p the tile at position p of every strip of d + 1 tiles sends to the one d tiles on. d is
/// at most longest_leg, so that the way is cut into legs, from core to core: D = legs d.
///   cycles = legs ((d + 1) (words + 1 + hop) + d hop + 2 T_R),
/// along rows and columns at once, whichever takes longer. Up to 10 cycles a leg more than in
/// router_reference, where legs overlap.
///
/// The emulator keeps a place's layers on one rank: there is nothing to move.
class LayerShift final : public Pattern {
 public:
  LayerShift(const TileGrid& grid, int words);

  std::string text() const override;
  After after() const override { return After::layers; }
  std::int64_t cycles(const FabricTiming& fabric, const TileGrid& grid) const override;
  /// After each leg, one for each of the two streams.
  int tasks() const override { return 2 * legs_; }
  std::vector<ColorUse> colors(const TileGrid& grid, int first) const override;
  void add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const override;

 private:
  /// What goes to the next layer or (`back`) to the one before, by layer: the way of its tiles' words, and
  /// that of those that come; panels of the same line before it.
  struct Stream {
    std::vector<std::array<int, 2>> to, from;
    std::vector<int> before;
  };
  Stream stream(const TileGrid& grid, bool back) const;
  void add_words(const Stream& stream, std::array<int, 2> way, std::int64_t times, LinkWords& words) const;

  int words_, legs_ = 0;
  std::array<bool, 2> along_{false, false};  ///< some panels lie side by side along rows, along columns
};

}  // namespace wafermark::wse

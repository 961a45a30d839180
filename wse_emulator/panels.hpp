// Where the layers of a program lie on the wafer: in panels of equal size, those that follow each other side
// by side, so that a tile's words for the same place of the next layer go straight along a row or a column.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace wafermark::wse {

/// Words go from panel to panel in legs of equal length, at most this many tiles each: the command wavelet of
/// a marching head tells its own router, the next one and that at the other end of a leg from those between,
/// for which four commands of at most 15 routers do (fabric/layer_shift.hpp).
inline constexpr int longest_leg = 32;

inline int legs_between_panels(int tiles) { return (tiles + longest_leg - 1) / longest_leg; }
/// Tiles from one panel to the next of `tiles` tiles each: legs are equal, so that some may stay idle
/// between.
inline int panel_pitch(int tiles) {
  const int legs = legs_between_panels(tiles);
  return (tiles + legs - 1) / legs * legs;
}

/// Places (across, down) for so many panels, on `across` x `down` of them, each beside the one before.
/// `ring`: the last beside the first. None where that cannot be: an odd ring, or too few places.
std::optional<std::vector<std::array<int, 2>>> path_of_panels(int panels, int across, int down, bool ring);

}  // namespace wafermark::wse

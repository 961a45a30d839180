#include "wse_emulator/fabric/shift.hpp"

#include <fmt/format.h>

#include "wse_emulator/fabric/reduction.hpp"
#include "wse_emulator/link_words.hpp"

namespace wafermark::wse {

std::string Shift::text() const {
  constexpr const char* names[] = {"north", "east", "south", "west"};
  return fmt::format("{} words to the tile in the {}", words_, names[static_cast<int>(direction_)]);
}

std::int64_t Shift::cycles(const FabricTiming& f, const TileGrid& grid) const {
  return point_to_point_cycles(f, grid.hops(along_row() ? 0 : 1), words_);
}

std::vector<ColorUse> Shift::colors(const TileGrid& grid, int first) const {
  return shift_use("", {0, 0, grid.width, grid.height}, first, 1, direction_).uses;
}

void Shift::add_words(const FabricTiming&, std::int64_t times, LinkWords& words) const {
  const TileGrid& grid = words.grid();
  const int axis = along_row() ? 0 : 1, tiles = axis == 0 ? grid.width : grid.height;
  const int last = direction_ == Link::east || direction_ == Link::south ? tiles - 1 : 0;
  words.add(direction_, [&](int x, int y) {
    return !grid.ring[axis] && (axis == 0 ? x : y) == last ? 0 : times * words_;
  });
}

}  // namespace wafermark::wse

#include "wse_emulator/fabric/layer_shift.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wse_emulator/fabric/marching_multicast.hpp"
#include "wse_emulator/link_words.hpp"
#include "wse_emulator/panels.hpp"

namespace wafermark::wse {
namespace {

using Way = std::array<int, 2>;  // to the panel beside; {0, 0}: nowhere
constexpr Way nowhere{0, 0};

struct Direction {
  Link link;
  Way way;
};
constexpr Direction directions[] = {
    {Link::east, {1, 0}}, {Link::west, {-1, 0}}, {Link::south, {0, 1}}, {Link::north, {0, -1}}};

/// From a layer to the next, or to the one before.
Way way_on(const TileGrid& grid, int layer, bool back) {
  const int layers = grid.layers();
  int other = layer + (back ? -1 : 1);
  if (grid.ring_of_layers) other = (other + layers) % layers;
  if (layers == 1 || other < 0 || other >= layers) return nowhere;
  const auto &a = grid.panels[static_cast<std::size_t>(layer)],
             &b = grid.panels[static_cast<std::size_t>(other)];
  return {b[0] - a[0], b[1] - a[1]};
}

/// Tiles of a panel along one axis of the grid.
int tiles_along(const TileGrid& grid, std::size_t axis) {
  return axis == 0 ? grid.width : grid.height / grid.layers();
}

}  // namespace

LayerShift::LayerShift(const TileGrid& grid, int words) : words_(words) {
  for (int layer = 0; layer < grid.layers(); ++layer) {
    const Way way = way_on(grid, layer, false);
    for (std::size_t axis = 0; axis < 2; ++axis) along_[axis] = along_[axis] || way[axis] != 0;
  }
  for (std::size_t axis = 0; axis < 2; ++axis)
    if (along_[axis]) legs_ = std::max(legs_, legs_between_panels(tiles_along(grid, axis)));
}

std::string LayerShift::text() const {
  return fmt::format("{} word{} to the layers before and after, in {} leg{}", words_, words_ == 1 ? "" : "s",
                     legs_, legs_ == 1 ? "" : "s");
}

std::int64_t LayerShift::cycles(const FabricTiming& f, const TileGrid& grid) const {
  std::int64_t most = 0;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    if (!along_[axis]) continue;
    const int tiles = tiles_along(grid, axis), legs = legs_between_panels(tiles);
    most = std::max(most, legs * marching_stage_cycles(f, panel_pitch(tiles) / legs, words_, 1, 1));
  }
  return most;
}

std::vector<ColorUse> LayerShift::colors(const TileGrid&, int first) const {
  return marching_multicast_use("", {}, first).uses;
}

LayerShift::Stream LayerShift::stream(const TileGrid& grid, bool back) const {
  const int layers = grid.layers();
  Stream s;
  for (int layer = 0; layer < layers; ++layer) {
    s.to.push_back(way_on(grid, layer, back));
    const Way came = way_on(grid, layer, !back);  // from where the others' words come
    s.from.push_back({-came[0], -came[1]});
  }
  for (int layer = 0; layer < layers; ++layer) {
    const Way way = s.from[static_cast<std::size_t>(layer)];
    int count = 0, at = layer;
    while (way != nowhere && s.from[static_cast<std::size_t>(at)] == way && count < layers) {
      ++count;
      at = (at + (back ? 1 : -1) + layers) % layers;
    }
    s.before.push_back(count);
  }
  return s;
}

void LayerShift::add_words(const Stream& s, Way way, std::int64_t times, LinkWords& words) const {
  const TileGrid& grid = words.grid();
  const std::size_t axis = way[0] != 0 ? 0 : 1;
  const int tiles = tiles_along(grid, axis), layers = grid.layers(), legs = legs_between_panels(tiles),
            pitch = panel_pitch(tiles), leg = pitch / legs;
  const auto direction = std::find_if(std::begin(directions), std::end(directions),
                                      [&](const Direction& d) { return d.way == way; });
  // Over the link that leaves place `at` of a panel, in the words' direction: those of its own tiles that
  // have been passed, those on their way to its tiles beyond, and of the heads of the last `leg` places a
  // command.
  const auto over = [&](int layer, int at) {
    const auto k = static_cast<std::size_t>(layer);
    const bool leaves = s.to[k] == way, comes = s.from[k] == way;
    if (!leaves && !comes) return std::int64_t{0};
    const int before = comes ? s.before[k] : 0;
    const bool last = !leaves && at >= tiles - 1;
    const std::int64_t data =
                           (leaves ? std::min(at + 1, tiles) : 0) + (comes ? std::max(0, tiles - 1 - at) : 0),
                       heads = last ? 0 : std::min(leg, before * pitch + at + 1);
    return times * (data * words_ + legs * heads);
  };
  words.add_straight(direction->link, [&](int x, int y) {
    const int along = axis == 0 ? x : y / layers;
    return over(y % layers, way[axis] > 0 ? along : tiles - 1 - along);
  });
  // Idle tiles between panels pass words on too: they belong to the panels' last tiles.
  words.add_hops([&](int x, int y) {
    const int along = axis == 0 ? x : y / layers, layer = y % layers;
    std::int64_t hops = 0;
    if ((way[axis] > 0 ? along : tiles - 1 - along) == tiles - 1 &&
        s.to[static_cast<std::size_t>(layer)] == way)
      for (int at = tiles; at < pitch; ++at) hops += over(layer, at);
    return hops;
  });
}

void LayerShift::add_words(const FabricTiming&, std::int64_t times, LinkWords& words) const {
  for (const bool back : {false, true}) {
    const Stream s = stream(words.grid(), back);
    for (const Direction& d : directions)
      if (along_[d.way[0] != 0 ? 0 : 1]) add_words(s, d.way, times, words);
  }
}

}  // namespace wafermark::wse

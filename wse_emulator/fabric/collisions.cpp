#include "wse_emulator/fabric/collisions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <stdexcept>

namespace wafermark::wse {
namespace {

constexpr const char* link_names[] = {"northern", "eastern", "southern", "western"};

void reject_pair(const PatternUse& a, const PatternUse& b) {
  const int x = std::max(a.area.x0, b.area.x0), y = std::max(a.area.y0, b.area.y0);
  if (x >= std::min(a.area.x0 + a.area.width, b.area.x0 + b.area.width) ||
      y >= std::min(a.area.y0 + a.area.height, b.area.y0 + b.area.height))
    return;
  for (const ColorUse& p : a.uses)
    for (const ColorUse& q : b.uses)
      for (const Link link : p.links)
        if (p.color == q.color && std::find(q.links.begin(), q.links.end(), link) != q.links.end())
          throw std::invalid_argument(
              fmt::format("{} link of tile ({}, {}): color {} is used by '{}' and by '{}', which can be "
                          "under way at the same time",
                          link_names[static_cast<int>(link)], x, y, p.color, a.pattern, b.pattern));
}

/// So many colors from `first` on, each on the links of one direction.
PatternUse colors_one_way(const std::string& pattern, const Block& area, int first, int colors, Link link) {
  PatternUse use{pattern, area, {}};
  for (int k = 0; k < colors; ++k) use.uses.push_back({first + k, {link}});
  return use;
}

}  // namespace

PatternUse marching_multicast_use(const std::string& pattern, const Block& area, int first) {
  return {pattern,
          area,
          {{first, {Link::east}},
           {first + 1, {Link::west}},
           {first + 2, {Link::south}},
           {first + 3, {Link::north}}}};
}

PatternUse broadcast_use(const std::string& pattern, const Block& area, int first) {
  return {pattern, area, {{first, {Link::east, Link::south}}}};
}

PatternUse chain_reduce_use(const std::string& pattern, const Block& area, int first, Link towards) {
  return colors_one_way(pattern, area, first, 2, towards);
}

PatternUse two_phase_reduce_use(const std::string& pattern, const Block& area, int first, Link towards) {
  return colors_one_way(pattern, area, first, 4, towards);
}

PatternUse tree_reduce_use(const std::string& pattern, const Block& area, int first, Link towards) {
  const bool along_row = towards == Link::west || towards == Link::east;
  const auto tiles = static_cast<unsigned>(along_row ? area.width : area.height);
  return colors_one_way(pattern, area, first, std::bit_width(tiles - 1), towards);
}

PatternUse shift_use(const std::string& pattern, const Block& area, int first, int distance, Link towards) {
  return colors_one_way(pattern, area, first, 2 * distance, towards);
}

PatternUse all_reduce_use(const std::string& pattern, const Block& area, int first) {
  PatternUse use{pattern, area, {}};
  for (int k = 0; k < 4; ++k) use.uses.push_back({first + k, {Link::west, Link::east}});
  for (int k = 4; k < 8; ++k) use.uses.push_back({first + k, {Link::north, Link::south}});
  use.uses.push_back({first + 8, {Link::north, Link::east, Link::south, Link::west}});
  return use;
}

PatternUse point_to_point_use(const std::string& pattern, const Block& area, int first) {
  const std::vector<Link> all{Link::north, Link::east, Link::south, Link::west};
  PatternUse use{pattern, area, {}};
  for (int k = 0; k < 4; ++k) use.uses.push_back({first + k, all});
  return use;
}

void reject_collisions(const FabricTiming& fabric, const std::vector<PatternUse>& program) {
  for (const PatternUse& p : program)
    for (const ColorUse& use : p.uses)
      if (use.color < 0 || use.color >= fabric.colors)
        throw std::invalid_argument(
            fmt::format("'{}': found color {}, expected 0 to {}", p.pattern, use.color, fabric.colors - 1));
  for (std::size_t k = 0; k < program.size(); ++k) {
    const std::size_t next = (k + 1) % program.size();
    if (next != k) reject_pair(program[k], program[next]);
  }
}

}  // namespace wafermark::wse

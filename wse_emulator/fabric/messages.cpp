#include "wse_emulator/fabric/messages.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "wse_emulator/fabric/reduction.hpp"
#include "wse_emulator/link_words.hpp"

namespace wafermark::wse {

std::string Messages::text() const {
  return fmt::format("messages of {} words over up to {} hops", words_, farthest_);
}

std::int64_t Messages::cycles(const FabricTiming& f, const TileGrid&) const {
  return point_to_point_cycles(f, farthest_, words_);
}

std::vector<ColorUse> Messages::colors(const TileGrid&, int first) const {
  return point_to_point_use("", {}, first).uses;
}

void Messages::add_words(const FabricTiming&, std::int64_t, LinkWords& words) const {
  const TileGrid& grid = words.grid();
  std::vector<std::int64_t> mine;
  for (const auto& [from, times] : sent_)
    mine.insert(mine.end(), {from[0], from[1], from[2], from[3], times});
  const std::vector<std::int64_t> all = words.comm().all_gather(mine);
  std::map<std::array<int, 2>, std::int64_t> by_link[4];
  const auto wrapped = [](int at, int tiles) { return ((at % tiles) + tiles) % tiles; };
  for (std::size_t k = 0; k < all.size(); k += 5) {
    const int x = static_cast<int>(all[k]), y = static_cast<int>(all[k + 1]),
              dx = static_cast<int>(all[k + 2]), dy = static_cast<int>(all[k + 3]);
    const std::int64_t of_message = words_ * all[k + 4];
    const int right = dx > 0 ? 1 : -1, downward = dy > 0 ? 1 : -1;
    for (int s = 0; s != dx; s += right)
      by_link[static_cast<int>(dx > 0 ? Link::east : Link::west)][{wrapped(x + s, grid.width), y}] +=
          of_message;
    for (int s = 0; s != dy; s += downward)
      by_link[static_cast<int>(dy > 0 ? Link::south : Link::north)]
             [{wrapped(x + dx, grid.width), wrapped(y + s * grid.layers(), grid.height)}] += of_message;
  }
  for (const Link link : {Link::north, Link::east, Link::south, Link::west}) {
    const auto& of_link = by_link[static_cast<int>(link)];
    if (of_link.empty()) continue;
    words.add(link, [&](int x, int y) {
      const auto there = of_link.find({x, y});
      return there == of_link.end() ? 0 : there->second;
    });
  }
}

std::string PatchSum::text() const {
  return fmt::format("sums of {} word{} over patches, {} back", words_in_, words_in_ == 1 ? "" : "s",
                     words_out_);
}

std::int64_t PatchSum::cycles(const FabricTiming& f, const TileGrid&) const {
  return 2 * point_to_point_cycles(f, 1, words_in_) + point_to_point_cycles(f, 2, words_out_);
}

std::vector<ColorUse> PatchSum::colors(const TileGrid&, int first) const {
  return point_to_point_use("", {}, first).uses;
}

void PatchSum::add_words(const FabricTiming&, std::int64_t times, LinkWords& words) const {
  const auto in = times * words_in_, out = times * words_out_;
  words.add(Link::west, [&](int x, int) { return x % 2 == 1 ? in : 0; });
  words.add(Link::north, [&](int x, int y) { return x % 2 == 0 && y % 2 == 1 ? in : 0; });
  words.add(Link::south, [&](int x, int y) { return x % 2 == 0 && y % 2 == 0 ? out : 0; });
  words.add(Link::east, [&](int x, int) { return x % 2 == 0 ? out : 0; });
}

}  // namespace wafermark::wse

// Words followed from tile to tile, for tests that count them a second time.
#pragma once

#include <array>
#include <cstdlib>
#include <vector>

#include "wse_emulator/fabric/line_reduction.hpp"
#include "wse_emulator/fabric/line_share.hpp"

namespace wafermark::wse {

struct Place {
  int x, y;
};

class FollowedWords {
 public:
  FollowedWords(const TileGrid& grid, const FabricTiming& fabric) : grid_(grid), fabric_(fabric) {
    for (auto& w : words_) w.assign(static_cast<std::size_t>(grid.tiles()), 0);
  }
  std::int64_t at(Link link, int x, int y) const {
    return words_[static_cast<std::size_t>(link)][static_cast<std::size_t>(y * grid_.width + x)];
  }

  /// Straight from one place to another.
  void go(Place from, Place to, std::int64_t words) {
    while (from.x != to.x || from.y != to.y) {
      const Link link = to.x > from.x   ? Link::east
                        : to.x < from.x ? Link::west
                        : to.y > from.y ? Link::south
                                        : Link::north;
      words_[static_cast<std::size_t>(link)][static_cast<std::size_t>(from.y * grid_.width + from.x)] +=
          words;
      from.x += (link == Link::east) - (link == Link::west);
      from.y += (link == Link::south) - (link == Link::north);
    }
  }
  /// Tile t of a line of `tiles` tiles is at place(t).
  template <class PlaceOf>
  void broadcast(const PlaceOf& place, int tiles, std::int64_t words) {
    go(place(tiles / 2), place(0), words);
    go(place(tiles / 2), place(tiles - 1), words);
  }
  template <class PlaceOf>
  void reduce(const PlaceOf& place, int tiles, int words) {
    if (words == 0 || tiles == 1) return;
    const int root = tiles / 2, group = LineReduction::best(fabric_, tiles, root, words).group;
    for (int t = 0; t < tiles; ++t) {
      const int away = std::abs(t - root), towards = t < root ? 1 : -1;
      if (away > 0) go(place(t), place(t + towards * (away % group != 0 ? 1 : group)), words);
    }
  }
  /// `cycles`: of an item.
  template <class PlaceOf>
  void share(const PlaceOf& place, int tiles, int items, double cycles) {
    if (items == 0) return;
    const SharedWork shared = best_shared_work(fabric_, tiles / 2, items, 2, 1, cycles);
    for (int h = 1; h <= shared.helpers; ++h) {
      go(place(tiles / 2), place(tiles / 2 - h), 2 * shared.items_of(h) + 1);
      go(place(tiles / 2 - h), place(tiles / 2), shared.items_of(h) + 1);
    }
  }

 private:
  TileGrid grid_;
  FabricTiming fabric_;
  std::array<std::vector<std::int64_t>, 4> words_;
};

}  // namespace wafermark::wse

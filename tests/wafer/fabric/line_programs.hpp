// Patterns as programs of the word-level simulator.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "wse_emulator/fabric/collisions.hpp"
#include "wse_emulator/link_words.hpp"
#include "wse_emulator/router_reference/router_reference.hpp"

namespace wafermark::wse {

/// `words` values that tell tiles and words apart, and round when they are summed.
inline std::vector<float> values_of(int tile, int words) {
  std::vector<float> v(static_cast<std::size_t>(words));
  for (std::size_t k = 0; k < v.size(); ++k)
    v[k] = 0.1f * static_cast<float>(tile + 1) + 1e-3f * static_cast<float>(k);
  return v;
}

/// The last `words` words of a tile's only thread.
inline std::vector<float> last_words(const RouterReference& r, int x, int y, int words) {
  const auto& all = r.received(x, y);
  return {all.end() - words, all.end()};
}

/// Tiles of a row from (x, y) to the east, or of a column to the south; `back`: to the west or north. Place 0
/// is the root of reductions.
struct Line {
  RouterReference& r;
  int tiles;
  bool column = false;
  int x = 0, y = 0;
  bool back = false;

  Port towards() const {
    if (column) return back ? Port::south : Port::north;
    return back ? Port::east : Port::west;
  }
  Port away() const { return static_cast<Port>((static_cast<int>(towards()) + 2) % 4); }
  int tile_x(int place) const { return column ? x : x + (back ? -place : place); }
  int tile_y(int place) const { return column ? y + (back ? -place : place) : y; }
  void route(int place, int color, Port from, Port to) const {
    r.route(tile_x(place), tile_y(place), color, {{from, {to}}});
  }
};

inline void program_broadcast(RouterReference& r, int tiles, int words) {
  r.route(0, 0, 0, {{Port::ramp, {Port::east}}});
  for (int x = 1; x < tiles; ++x) {
    if (x + 1 < tiles)
      r.route(x, 0, 0, {{Port::west, {Port::ramp, Port::east}}});
    else
      r.route(x, 0, 0, {{Port::west, {Port::ramp}}});
    r.thread(x, 0).receive(0, words);
  }
  r.thread(0, 0).send(0, values_of(0, words));
}

/// From tile (root_x, root_y), which sends the last of its words, along its column and from there along every
/// row.
template <class Threads>
void program_broadcast_2d(RouterReference& r, int width, int height, int words, int color,
                          const Threads& thread, int root_x = 0, int root_y = 0) {
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const bool in_column = x == root_x, root = in_column && y == root_y;
      std::vector<Port> to;
      if (!root) to.push_back(Port::ramp);
      if (x >= root_x && x + 1 < width) to.push_back(Port::east);
      if (x <= root_x && x > 0) to.push_back(Port::west);
      if (in_column && y >= root_y && y + 1 < height) to.push_back(Port::south);
      if (in_column && y <= root_y && y > 0) to.push_back(Port::north);
      const Port from = root         ? Port::ramp
                        : x > root_x ? Port::west
                        : x < root_x ? Port::east
                        : y > root_y ? Port::north
                                     : Port::south;
      r.route(x, y, color, {{from, to}});
      if (root)
        thread(x, y).send_last(color, words);
      else
        thread(x, y).receive(color, words);
    }
}

/// Towards place 0: links alternate between two colors, so that a tile can take one while it gives the other.
inline void program_chain(const Line& line, int words, const std::vector<std::int64_t>& starts = {}) {
  for (int k = 0; k < line.tiles; ++k) {
    const int out = k % 2, in = 1 - out;
    auto& t = line.r.thread(line.tile_x(k), line.tile_y(k));
    if (!starts.empty()) t.wait_until(starts[static_cast<std::size_t>(k)]);
    if (k > 0) line.route(k, out, Port::ramp, line.towards());
    if (k + 1 < line.tiles) line.route(k, in, line.away(), Port::ramp);
    t.hold(values_of(k, words));
    if (k + 1 == line.tiles)
      t.send_last(out, words);
    else if (k == 0)
      t.receive_add(in, words);
    else
      t.receive_add_send(in, words, out);
  }
}

/// Chains in groups of `group` tiles, whose heads' chain goes through the other tiles' routers. Uses colors
/// `first` ... `first` + 3. `thread(place)` holds the tile's words.
template <class Threads>
void program_two_phase(const Line& line, int words, int group, int first, const Threads& thread) {
  for (int k = 0; k < line.tiles; ++k) {
    const int head = k / group * group, last = std::min(head + group, line.tiles) - 1;
    const int out = first + (k - head) % 2, in = first + 1 - (k - head) % 2;
    const bool has_neighbour = k < last, heads_follow = head + group < line.tiles;
    RouterReference::Thread& t = thread(k);
    if (k > head) line.route(k, out, Port::ramp, line.towards());
    if (has_neighbour) line.route(k, in, line.away(), Port::ramp);
    const int even = first + 2 + head / group % 2, odd = first + 2 + (head / group + 1) % 2;
    if (k > head) {
      // Words between heads pass by, on the colors of the heads' chain.
      if (heads_follow) line.route(k, odd, line.away(), line.towards());
      if (has_neighbour)
        t.receive_add_send(in, words, out);
      else
        t.send_last(out, words);
      continue;
    }
    // The group's sum first; then it joins the chain of heads.
    if (has_neighbour) t.receive_add(in, words);
    if (head > 0) line.route(k, even, Port::ramp, line.towards());
    if (heads_follow) line.route(k, odd, line.away(), Port::ramp);
    if (head > 0 && heads_follow)
      t.receive_add_send(odd, words, even);
    else if (head > 0)
      t.send_last(even, words);
    else if (heads_follow)
      t.receive_add(odd, words);
  }
}

/// Every (color, link) over which words went is one that the pattern states; `all`: and the other way round.
inline void expect_uses(const RouterReference& r, const PatternUse& use, bool all = true) {
  constexpr std::array<Port, 4> links = {Port::north, Port::east, Port::south, Port::west};
  for (int color = 0; color < 24; ++color)
    for (const Port link : links) {
      std::int64_t words = 0;
      for (int y = use.area.y0; y < use.area.y0 + use.area.height; ++y)
        for (int x = use.area.x0; x < use.area.x0 + use.area.width; ++x) words += r.words(x, y, color, link);
      const bool stated = std::any_of(use.uses.begin(), use.uses.end(), [&](const ColorUse& u) {
        return u.color == color &&
               std::find(u.links.begin(), u.links.end(), static_cast<Link>(link)) != u.links.end();
      });
      if (!all && words == 0) continue;
      EXPECT_EQ(words > 0, stated) << use.pattern << ": color " << color << ", link "
                                   << static_cast<int>(link);
    }
}

/// A program of one rank without rings.
inline const Communicator& alone() {
  static const Communicator self(MPI_COMM_SELF);
  return self;
}
inline Blocks one_block(int width, int height) { return {alone(), TileGrid{width, height, {false, false}}}; }

/// Every link carried the words that are counted for it.
inline void expect_words(const RouterReference& r, int width, int height, const LinkWords& counted) {
  for (const Link link : {Link::north, Link::east, Link::south, Link::west})
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        std::int64_t words = 0;
        for (int color = 0; color < 24; ++color) words += r.words(x, y, color, static_cast<Port>(link));
        EXPECT_EQ(counted.of(link)[static_cast<std::size_t>(y * width + x)], words)
            << "link " << static_cast<int>(link) << " of tile (" << x << ", " << y << ")";
      }
}

}  // namespace wafermark::wse

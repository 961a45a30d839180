// Patterns as programs of the word-level simulator, on a row of tiles.
#pragma once

#include <algorithm>

#include "wse_emulator/router_reference/router_reference.hpp"

namespace wafermark::wse {

/// `words` values that tell tiles and words apart, and round when they are summed.
inline std::vector<float> values_of(int tile, int words) {
  std::vector<float> v(static_cast<std::size_t>(words));
  for (std::size_t k = 0; k < v.size(); ++k)
    v[k] = 0.1f * static_cast<float>(tile + 1) + 1e-3f * static_cast<float>(k);
  return v;
}

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

/// Towards tile 0: links alternate between two colors, so that a tile can take one while it gives the other.
inline void program_chain(RouterReference& r, int tiles, int words,
                          const std::vector<std::int64_t>& starts = {}) {
  for (int x = 0; x < tiles; ++x) {
    const int out = x % 2, in = 1 - out;
    auto& t = r.thread(x, 0);
    if (!starts.empty()) t.wait_until(starts[static_cast<std::size_t>(x)]);
    if (x > 0) r.route(x, 0, out, {{Port::ramp, {Port::west}}});
    if (x + 1 < tiles) r.route(x, 0, in, {{Port::east, {Port::ramp}}});
    if (x + 1 == tiles)
      t.send(out, values_of(x, words));
    else if (x == 0)
      t.receive_add(in, values_of(x, words));
    else
      t.receive_add_send(in, values_of(x, words), out);
  }
}

/// Chains in groups of `group` tiles, whose heads' chain goes through the other tiles' routers.
inline void program_two_phase(RouterReference& r, int tiles, int words, int group) {
  for (int x = 0; x < tiles; ++x) {
    const int head = x / group * group, last = std::min(head + group, tiles) - 1;
    const int out = (x - head) % 2, in = 1 - out;
    const bool has_neighbour = x < last;
    auto& t = r.thread(x, 0);
    if (x > head) r.route(x, 0, out, {{Port::ramp, {Port::west}}});
    if (has_neighbour) r.route(x, 0, in, {{Port::east, {Port::ramp}}});
    if (x > head) {
      // Words between heads pass by, on the colors of the heads' chain.
      const int passing = 2 + (head / group + 1) % 2;
      if (head + group < tiles) r.route(x, 0, passing, {{Port::east, {Port::west}}});
      if (has_neighbour)
        t.receive_add_send(in, values_of(x, words), out);
      else
        t.send(out, values_of(x, words));
      continue;
    }
    const int number = head / group, to_west = 2 + number % 2, from_east = 2 + (number + 1) % 2;
    if (head > 0) r.route(x, 0, to_west, {{Port::ramp, {Port::west}}});
    if (head + group < tiles) r.route(x, 0, from_east, {{Port::east, {Port::ramp}}});
    // The group's sum first; then it joins the chain of heads.
    std::vector<float> sum = values_of(x, words);
    if (has_neighbour) {
      t.receive_add(in, sum);
      std::vector<std::vector<float>> chain;
      for (int k = head; k <= last; ++k) chain.push_back(values_of(k, words));
      for (int w = 0; w < words; ++w) {
        float total = chain.back()[static_cast<std::size_t>(w)];
        for (std::size_t k = chain.size() - 1; k-- > 0;)
          total = chain[k][static_cast<std::size_t>(w)] + total;
        sum[static_cast<std::size_t>(w)] = total;
      }
    }
    if (head + group >= tiles && head > 0)
      t.send(to_west, sum);
    else if (head > 0)
      t.receive_add_send(from_east, sum, to_west);
    else if (head + group < tiles)
      t.receive_add(from_east, sum);
  }
}

}  // namespace wafermark::wse

#include "wse_emulator/link_words.hpp"

#include <algorithm>

#include "wse_emulator/fabric/reduction.hpp"

namespace wafermark::wse {
namespace {

/// Tiles of a line within b before and after the one at `at`; a ring has no ends.
struct Within {
  int before, after;
};
Within within(int at, int tiles, bool ring, int b) {
  return ring ? Within{b, b} : Within{std::min(at, b), std::min(tiles - 1 - at, b)};
}

/// Words over the link from place `at` of a line towards place 0, in a two-phase reduction.
std::int64_t two_phase_words(int at, int tiles, int words, int group) {
  if (at == 0) return 0;
  const int last_head = (tiles - 1) / group * group;
  // In the chain of the group, and in the chain of heads, which goes on from the last one.
  return std::int64_t{words} * ((at % group != 0 ? 1 : 0) + (at <= last_head ? 1 : 0));
}

}  // namespace

LinkWords::LinkWords(const Blocks& blocks) : grid_(blocks.grid()), block_(blocks.mine()) {
  for (auto& w : words_) w.assign(static_cast<std::size_t>(block_.tiles()), 0);
}

template <class Words>
void LinkWords::add(Link direction, const Words& words_of) {
  auto& words = words_[static_cast<std::size_t>(direction)];
  std::size_t tile = 0;
  for (int y = block_.y0; y < block_.y0 + block_.height; ++y)
    for (int x = block_.x0; x < block_.x0 + block_.width; ++x) words[tile++] += words_of(x, y);
}

void LinkWords::add_stream(Link direction, int b, int words, std::int64_t times, bool second_stage) {
  const bool along_row = direction == Link::east || direction == Link::west;
  const bool back = direction == Link::west || direction == Link::north;
  const int length = along_row ? grid_.width : grid_.height;
  const bool ring = grid_.ring[along_row ? 0 : 1];
  add(direction, [&](int x, int y) {
    const Within here = within(along_row ? x : y, length, ring, b);
    const int behind = back ? here.after : here.before, ahead = back ? here.before : here.after;
    // The tile's own words and those of the b - 1 tiles behind it.
    const int senders = ahead == 0 ? 0 : std::min(b, behind + 1);
    const Within row = within(x, grid_.width, grid_.ring[0], b);
    const int tiles = second_stage ? row.before + row.after + 1 : 1;
    return times * senders * (std::int64_t{tiles} * words + 1);
  });
}

void LinkWords::add_marching_multicast(int b, int words, std::int64_t times) {
  add_stream(Link::east, b, words, times);
  add_stream(Link::west, b, words, times);
  add_stream(Link::south, b, words, times, true);
  add_stream(Link::north, b, words, times, true);
}

void LinkWords::add_all_reduce(const FabricTiming& fabric, int words, std::int64_t times) {
  const int w = grid_.width, h = grid_.height;
  const int across = best_group(fabric, w, words), down = best_group(fabric, h, words);
  add(Link::west, [&](int x, int) { return times * two_phase_words(x, w, words, across); });
  add(Link::north, [&](int x, int y) { return x > 0 ? 0 : times * two_phase_words(y, h, words, down); });
  add(Link::east, [&](int x, int) { return x + 1 < w ? times * words : 0; });
  add(Link::south, [&](int x, int y) { return x == 0 && y + 1 < h ? times * words : 0; });
}

std::int64_t LinkWords::word_hops() const {
  std::int64_t sum = 0;
  for (const Link link : {Link::north, Link::east, Link::south, Link::west}) {
    const int axis = link == Link::east || link == Link::west ? 0 : 1;
    for (const std::int64_t w : of(link)) sum += w * grid_.hops(axis);
  }
  return sum;
}

std::map<std::string, std::vector<std::int64_t>> LinkWords::by_name() const {
  return {{"north", of(Link::north)},
          {"east", of(Link::east)},
          {"south", of(Link::south)},
          {"west", of(Link::west)}};
}

LinkWords::Summary LinkWords::summarize(const Communicator& comm) const {
  std::int64_t sum = 0, most = 0;
  for (const auto& words : words_)
    for (const std::int64_t w : words) {
      sum += w;
      most = std::max(most, w);
    }
  // Every two neighbours have a link each way.
  const auto line = [](int tiles, bool ring) { return ring ? tiles : tiles - 1; };
  const std::int64_t links = 2 * (std::int64_t{line(grid_.width, grid_.ring[0])} * grid_.height +
                                  std::int64_t{line(grid_.height, grid_.ring[1])} * grid_.width);
  sum = comm.sum(sum);
  return {links > 0 ? static_cast<double>(sum) / static_cast<double>(links) : 0.0,
          static_cast<double>(comm.max(most))};
}

}  // namespace wafermark::wse

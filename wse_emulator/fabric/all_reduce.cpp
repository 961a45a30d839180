#include "wse_emulator/fabric/all_reduce.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wse_emulator/fabric/reduction.hpp"
#include "wse_emulator/link_words.hpp"

namespace wafermark::wse {

namespace {

/// The least group with which the words of a head, and the command behind them, have left a link before the
/// next head's come, and with which the root's ramp takes the words of both sides.
int least_group(const FabricTiming& f, int words) {
  int group = 1;
  while (group * f.hop_cycles < f.cycles_of(std::max(words + 1, 2 * words))) ++group;
  return group;
}

SideInTurn side_before(const RootedLine& line) { return {line.root, line.group_before, line.words}; }
SideInTurn side_from(const RootedLine& line) {
  return {line.tiles - 1 - line.root, line.group_from, line.words};
}

}  // namespace

std::int64_t SideInTurn::cycles(const FabricTiming& f) const {
  if (tiles == 0) return 0;
  return chain_reduce_cycles(f, std::min(group, tiles), words) +
         point_to_point_cycles(f, head(heads() - 1), words);
}

std::int64_t SideInTurn::words_from(int distance) const {
  const bool is_head = (distance - 1) % group == 0;
  const int beyond = heads() - (distance - 1 + group - 1) / group;  // heads at that distance or further out
  std::int64_t sum = is_head ? 0 : words;
  if (beyond == 0) return sum;
  if (heads() == 1) return words;  // no switch moves
  // Each head's words and command, the last one's too, and those that set back further in.
  return sum + std::int64_t{beyond} * (words + 1) + (beyond - 1) / heads_set_back();
}

RootedLine RootedLine::at(const FabricTiming& f, int tiles, int root, int words, Way way) {
  if (way == Way::in_turn) {
    const int group = least_group(f, words);
    return {tiles, root, words, way, group, group};
  }
  return {
      tiles, root, words, way, root > 0 ? best_group(f, root, words) : 1, best_group(f, tiles - root, words)};
}

RootedLine RootedLine::cheapest(const FabricTiming& f, int tiles, int words) {
  const auto there_and_back = [&](const RootedLine& line) {
    return line.reduce_cycles(f) + std::int64_t{line.farthest()} * f.hop_cycles;
  };
  RootedLine best = at(f, tiles, 0, words, Way::two_phase);
  for (const Way way : {Way::two_phase, Way::in_turn})
    for (const int root : {0, tiles / 2}) {
      const RootedLine line = at(f, tiles, root, words, way);
      if (way == Way::in_turn && side_from(line).heads_set_back() == 0) continue;  // commands reach no head
      if (there_and_back(line) < there_and_back(best)) best = line;
    }
  return best;
}

std::int64_t RootedLine::reduce_cycles(const FabricTiming& f) const {
  if (way == Way::in_turn) {
    const SideInTurn before = side_before(*this), from = side_from(*this);
    const bool both = before.tiles > 0 && from.tiles > 0;
    return std::max(before.cycles(f), from.cycles(f)) + (both ? f.cycles_of(2 * std::int64_t{words} + 1) : 0);
  }
  const std::int64_t from = two_phase_reduce_cycles(f, tiles - root, words, group_from);
  if (root == 0) return from;
  const std::int64_t before = two_phase_reduce_cycles(f, root, words, group_before);
  return std::max(from, before) + point_to_point_cycles(f, 1, words);
}

std::int64_t RootedLine::words_from(int at) const {
  if (way == Way::in_turn)
    return at > root   ? side_from(*this).words_from(at - root)
           : at < root ? side_before(*this).words_from(root - at)
                       : 0;
  if (at >= root) return two_phase_words(at - root, tiles - root, words, group_from);
  if (at == root - 1) return words;
  return two_phase_words(root - 1 - at, root, words, group_before);
}

namespace {

/// The root's own value, then in turn a head's sum of the side behind it and of the side before it.
float sum_in_turn(const RootedLine& line, const std::vector<float>& values) {
  const SideInTurn sides[] = {side_from(line), side_before(line)};
  float sum = values[static_cast<std::size_t>(line.root)];
  for (int number = 0; number < std::max(sides[0].heads(), sides[1].heads()); ++number)
    for (const bool before : {false, true}) {
      const SideInTurn& side = sides[before ? 1 : 0];
      if (number >= side.heads()) continue;
      std::vector<float> group;
      for (int d = side.head(number); d <= side.last_in_group(side.head(number)); ++d)
        group.push_back(values[static_cast<std::size_t>(line.root + (before ? -d : d))]);
      sum = sum + chain_sum(group);
    }
  return sum;
}

}  // namespace

float RootedLine::sum(const std::vector<float>& values) const {
  if (way == Way::in_turn) return sum_in_turn(*this, values);
  const auto middle = values.begin() + root;
  const float from = two_phase_sum({middle, values.end()}, group_from);
  if (root == 0) return from;
  return from + two_phase_sum({std::make_reverse_iterator(middle), values.rend()}, group_before);
}

std::int64_t all_reduce_cycles(const FabricTiming& f, int width, int height, int words) {
  const auto row = RootedLine::cheapest(f, width, words), column = RootedLine::cheapest(f, height, words);
  return row.reduce_cycles(f) + column.reduce_cycles(f) +
         broadcast_2d_cycles(f, row.farthest() + 1, column.farthest() + 1, words);
}

std::vector<float> AllReduce::sums(const Communicator& comm, const Blocks& blocks, const FabricTiming& f,
                                   const std::vector<float>& values) const {
  const TileGrid& grid = blocks.grid();
  const auto n = static_cast<std::size_t>(words_), width = static_cast<std::size_t>(grid.width);
  const auto row = RootedLine::cheapest(f, grid.width, words_),
             column = RootedLine::cheapest(f, grid.height, words_);
  // Every rank takes part in all sums: what it has not itself the others send.
  const std::vector<float> all = comm.all_gather(values);
  std::vector<float> of_grid(static_cast<std::size_t>(grid.tiles()) * n);
  std::size_t next = 0;
  for (int rank = 0; rank < comm.size(); ++rank) {
    const Block b = blocks.of(rank);
    for (int y = b.y0; y < b.y0 + b.height; ++y)
      for (int x = b.x0; x < b.x0 + b.width; ++x, next += n)
        std::copy_n(
            all.begin() + static_cast<std::ptrdiff_t>(next), n,
            of_grid.begin() + static_cast<std::ptrdiff_t>(
                                  (static_cast<std::size_t>(y) * width + static_cast<std::size_t>(x)) * n));
  }
  std::vector<float> sums(n), line(width), roots(static_cast<std::size_t>(grid.height));
  for (std::size_t w = 0; w < n; ++w) {
    for (std::size_t y = 0; y < roots.size(); ++y) {
      for (std::size_t x = 0; x < width; ++x) line[x] = of_grid[(y * width + x) * n + w];
      roots[y] = row.sum(line);
    }
    sums[w] = column.sum(roots);
  }
  return sums;
}

std::string AllReduce::text() const {
  return fmt::format("all-reduce of {} word{}", words_, words_ == 1 ? "" : "s");
}

std::int64_t AllReduce::cycles(const FabricTiming& f, const TileGrid& grid) const {
  const auto [width, height] = grid.extent();
  return all_reduce_cycles(f, width, height, words_);
}

std::vector<ColorUse> AllReduce::colors(const TileGrid&, int first) const {
  return all_reduce_use("", {}, first).uses;
}

void AllReduce::add_words(const FabricTiming& f, std::int64_t times, LinkWords& words) const {
  const TileGrid& grid = words.grid();
  const auto [w, h] = grid.extent();
  const auto row = RootedLine::cheapest(f, w, words_), column = RootedLine::cheapest(f, h, words_);
  // Towards the root words are summed; away from it the result goes, along the root's column and every row.
  const auto along_row = [&, w = w](int at, bool west) {
    if (west) return at > row.root ? row.words_from(at) : at > 0 ? words_ : 0;
    return at < row.root ? row.words_from(at) : at + 1 < w ? words_ : 0;
  };
  const auto along_column = [&, h = h](int at, bool north) {
    if (north) return at > column.root ? column.words_from(at) : at > 0 ? words_ : 0;
    return at < column.root ? column.words_from(at) : at + 1 < h ? words_ : 0;
  };
  for (const Link link : {Link::west, Link::east})
    words.add(link, [&](int x, int y) { return times * along_row(grid.place(x, y)[0], link == Link::west); });
  for (const Link link : {Link::north, Link::south})
    words.add(link, [&](int x, int y) {
      const auto at = grid.place(x, y);
      return at[0] != row.root ? 0 : times * along_column(at[1], link == Link::north);
    });
}

}  // namespace wafermark::wse

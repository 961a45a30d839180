#include "wse_emulator/fabric/all_reduce.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wse_emulator/fabric/reduction.hpp"
#include "wse_emulator/link_words.hpp"

namespace wafermark::wse {

RootedLine RootedLine::at(const FabricTiming& f, int tiles, int root, int words) {
  return {tiles, root, words, root > 0 ? best_group(f, root, words) : 1, best_group(f, tiles - root, words)};
}

RootedLine RootedLine::cheapest(const FabricTiming& f, int tiles, int words) {
  const RootedLine end = at(f, tiles, 0, words), middle = at(f, tiles, tiles / 2, words);
  const auto there_and_back = [&](const RootedLine& line) {
    return line.reduce_cycles(f) + std::int64_t{line.farthest()} * f.hop_cycles;
  };
  return there_and_back(middle) < there_and_back(end) ? middle : end;
}

std::int64_t RootedLine::reduce_cycles(const FabricTiming& f) const {
  const std::int64_t from = two_phase_reduce_cycles(f, tiles - root, words, group_from);
  if (root == 0) return from;
  const std::int64_t before = two_phase_reduce_cycles(f, root, words, group_before);
  return std::max(from, before) + point_to_point_cycles(f, 1, words);
}

std::int64_t RootedLine::words_from(int at) const {
  if (at >= root) return two_phase_words(at - root, tiles - root, words, group_from);
  if (at == root - 1) return words;
  return two_phase_words(root - 1 - at, root, words, group_before);
}

float RootedLine::sum(const std::vector<float>& values) const {
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

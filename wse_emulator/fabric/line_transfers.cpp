#include "wse_emulator/fabric/line_transfers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wse_emulator/link_words.hpp"

namespace wafermark::wse {
namespace {

/// Cycles from a core to the core of the next tile.
std::int64_t core_to_core(const FabricTiming& f) { return f.hop_cycles + 2 * f.ramp_cycles + 1; }

/// body(tile of this rank's block, its place, place of the other, rank of the other's tile), for all pairs of
/// a line.
template <class Body>
void for_each_pair(const Blocks& blocks, const Block& block, Axis axis, const Body& body) {
  const TileGrid& grid = blocks.grid();
  const int tiles = axis == Axis::row ? grid.width : grid.height;
  std::size_t tile = 0;
  for (int y = block.y0; y < block.y0 + block.height; ++y)
    for (int x = block.x0; x < block.x0 + block.width; ++x, ++tile)
      for (int other = 0; other < tiles; ++other)
        body(tile, axis == Axis::row ? x : y, other,
             axis == Axis::row ? blocks.owner(other, y) : blocks.owner(x, other));
}

/// The tile's number in a block.
std::size_t tile_of(const Block& block, int x, int y) {
  return static_cast<std::size_t>(y - block.y0) * static_cast<std::size_t>(block.width) +
         static_cast<std::size_t>(x - block.x0);
}

}  // namespace

std::vector<float> LineTransfer::moved(const Communicator& comm, const Blocks& blocks,
                                       const std::vector<float>& sent, int parts_received,
                                       const Parts& parts) const {
  const Block& mine = blocks.mine();
  const auto all_tiles = static_cast<std::size_t>(mine.tiles()), n = static_cast<std::size_t>(words_);
  const std::size_t record = sent.size() / all_tiles;
  std::vector<std::vector<float>> out(static_cast<std::size_t>(comm.size()));
  for_each_pair(blocks, mine, axis_, [&](std::size_t tile, int place, int other, int rank) {
    if (const auto part = parts(place, other)) {
      const auto first = sent.begin() + static_cast<std::ptrdiff_t>(tile * record +
                                                                    static_cast<std::size_t>((*part)[0]) * n);
      out[static_cast<std::size_t>(rank)].insert(out[static_cast<std::size_t>(rank)].end(), first,
                                                 first + words_);
    }
  });
  const auto in = comm.all_to_all(out);
  std::vector<float> received(all_tiles * static_cast<std::size_t>(parts_received) * n, 0.0f);
  // What a rank sent, in the order in which it did.
  for (int from = 0; from < comm.size(); ++from) {
    const Block theirs = blocks.of(from);
    auto next = in[static_cast<std::size_t>(from)].begin();
    for_each_pair(blocks, theirs, axis_, [&](std::size_t tile, int place, int other, int rank) {
      const auto part = parts(place, other);
      if (!part || rank != comm.rank()) return;
      const int x = theirs.x0 + static_cast<int>(tile) % theirs.width,
                y = theirs.y0 + static_cast<int>(tile) / theirs.width;
      const std::size_t to = axis_ == Axis::row ? tile_of(mine, other, y) : tile_of(mine, x, other);
      std::copy_n(
          next, words_,
          received.begin() + static_cast<std::ptrdiff_t>((to * static_cast<std::size_t>(parts_received) +
                                                          static_cast<std::size_t>((*part)[1])) *
                                                         n));
      next += words_;
    });
  }
  return received;
}

void LineTransfer::add_along(Link direction, const std::function<std::int64_t(int place)>& words_over,
                             LinkWords& words) const {
  words.add(direction, [&](int x, int y) { return words_over(axis_ == Axis::row ? x : y); });
}

std::vector<float> Gather::move(const Communicator& comm, const Blocks& blocks,
                                const std::vector<float>& values) const {
  return moved(comm, blocks, values, tiles(blocks.grid()),
               [](int from, int to) -> std::optional<std::array<int, 2>> {
                 if (to != 0) return std::nullopt;
                 return std::array{0, from};
               });
}

std::string Gather::text() const {
  return fmt::format("{} words of every tile of a line to its first", words_);
}

std::int64_t Gather::cycles(const FabricTiming& f, const TileGrid& grid) const {
  const std::int64_t p = tiles(grid);
  if (p == 1) return 0;
  return f.cycles_of((p - 1) * (words_ + 1)) + (p - 1) * f.hop_cycles + 2 * f.ramp_cycles;
}

std::vector<ColorUse> Gather::colors(const TileGrid&, int first) const { return {{first, {towards()}}}; }

void Gather::add_words(const FabricTiming&, std::int64_t times, LinkWords& words) const {
  // Behind every tile's words a command.
  const int p = tiles(words.grid());
  add_along(
      towards(), [&](int u) { return u == 0 ? 0 : times * std::int64_t{p - u} * (words_ + 1); }, words);
}

std::vector<float> Scatter::move(const Communicator& comm, const Blocks& blocks,
                                 const std::vector<float>& values) const {
  return moved(comm, blocks, values, 1, [](int from, int to) -> std::optional<std::array<int, 2>> {
    if (from != 0) return std::nullopt;
    return std::array{to, 0};
  });
}

std::string Scatter::text() const {
  return fmt::format("{} words for every tile of a line from its first", words_);
}

std::int64_t Scatter::cycles(const FabricTiming& f, const TileGrid& grid) const {
  const std::int64_t p = tiles(grid), step = core_to_core(f);
  if (p == 1) return 0;
  return std::max(f.cycles_of((p - 1) * words_) + step, f.cycles_of(words_) + (p - 1) * step);
}

std::vector<ColorUse> Scatter::colors(const TileGrid&, int first) const {
  return {{first, {away()}}, {first + 1, {away()}}};
}

void Scatter::add_words(const FabricTiming&, std::int64_t times, LinkWords& words) const {
  const int p = tiles(words.grid());
  add_along(
      away(), [&](int u) { return times * std::int64_t{p - 1 - u} * words_; }, words);
}

std::vector<float> Transpose::move(const Communicator& comm, const Blocks& blocks,
                                   const std::vector<float>& values) const {
  return moved(comm, blocks, values, tiles(blocks.grid()),
               [](int from, int to) -> std::optional<std::array<int, 2>> {
                 return std::array{to, from};
               });
}

std::string Transpose::text() const {
  return fmt::format("{} words of every tile of a line for every other tile of it", words_);
}

std::int64_t Transpose::cycles(const FabricTiming& f, const TileGrid& grid) const {
  const std::int64_t p = tiles(grid), both = (p - 1) / 2, one = p - 1 - both;
  if (p == 1) return 0;
  return f.cycles_of(words_ * (p - 1 + (p + 1) * both + one * (one + 1) / 2)) + core_to_core(f);
}

std::vector<ColorUse> Transpose::colors(const TileGrid&, int first) const {
  return {{first, {away()}}, {first + 1, {away()}}, {first + 2, {towards()}}, {first + 3, {towards()}}};
}

void Transpose::add_words(const FabricTiming&, std::int64_t times, LinkWords& words) const {
  const std::int64_t p = tiles(words.grid());
  add_along(
      away(), [&](int u) { return times * words_ * (u + 1) * (p - 1 - u); }, words);
  add_along(
      towards(), [&](int u) { return times * words_ * u * (p - u); }, words);
}

}  // namespace wafermark::wse

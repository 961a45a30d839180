#include "wse_emulator/tile_grid.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/errors.hpp"
#include "common/pending_messages.hpp"
#include "wse_emulator/panels.hpp"

namespace wafermark::wse {
namespace {

/// First tile of part `part` of `parts`.
int begin_of(int part, int tiles, int parts) {
  return static_cast<int>(static_cast<std::int64_t>(tiles) * part / parts);
}
/// The part that holds `tile`.
int part_of(int tile, int tiles, int parts) {
  int part = static_cast<int>(static_cast<std::int64_t>(tile) * parts / tiles);
  while (part + 1 < parts && begin_of(part + 1, tiles, parts) <= tile) ++part;
  while (begin_of(part, tiles, parts) > tile) --part;
  return part;
}

/// The tile that a coordinate beyond the grid means, -1 for none.
int wrapped(int at, int tiles, bool ring) {
  if (0 <= at && at < tiles) return at;
  return ring ? ((at % tiles) + tiles) % tiles : -1;
}

}  // namespace

std::array<int, 2> TileGrid::place(int x, int y) const {
  if (panels.empty()) return {x, y};
  const auto& panel = panels[static_cast<std::size_t>(y % layers())];
  return {panel[0] * panel_pitch(width) + x, panel[1] * panel_pitch(height / layers()) + y / layers()};
}

std::array<int, 2> TileGrid::extent() const {
  if (panels.empty()) return {width, height};
  std::array<int, 2> last{};
  for (const auto& panel : panels)
    for (std::size_t k = 0; k < 2; ++k) last[k] = std::max(last[k], panel[k]);
  return {last[0] * panel_pitch(width) + width, last[1] * panel_pitch(height / layers()) + height / layers()};
}

Block intersection(const Block& a, const Block& b) {
  const int x0 = std::max(a.x0, b.x0), y0 = std::max(a.y0, b.y0),
            x1 = std::min(a.x0 + a.width, b.x0 + b.width), y1 = std::min(a.y0 + a.height, b.y0 + b.height);
  if (x1 <= x0 || y1 <= y0) return {};
  return {x0, y0, x1 - x0, y1 - y0};
}

Blocks::Blocks(const Communicator& comm, const TileGrid& grid, int across, int down) : grid_(grid) {
  const int ranks = comm.size();
  const TileGrid patches = grid.of_patches();
  std::int64_t least = -1;
  for (int a = 1; a <= ranks; ++a) {
    const int d = ranks / a;
    if (a * d != ranks || (across > 0 && a != across) || (down > 0 && d != down)) continue;
    if (a > patches.width || d > patches.height) continue;
    const std::int64_t cut = std::int64_t{a - 1} * grid.height + std::int64_t{d - 1} * grid.width;
    if (least >= 0 && cut >= least) continue;
    least = cut;
    across_ = a;
    down_ = d;
  }
  if (least < 0)
    throw InputError(
        fmt::format("found {} ranks for {} x {} tiles as {} x {} blocks (0: chosen), expected as many "
                    "blocks as ranks and a tile in each",
                    ranks, grid.width, grid.height, across, down));
  mine_ = of(comm.rank());
}

Block Blocks::of(int rank) const {
  const int column = rank % across_, row = rank / across_;
  Block b;
  const TileGrid patches = grid_.of_patches();
  b.x0 = grid_.patch * begin_of(column, patches.width, across_);
  b.y0 = rows() * begin_of(row, patches.height, down_);
  b.width = grid_.patch * begin_of(column + 1, patches.width, across_) - b.x0;
  b.height = rows() * begin_of(row + 1, patches.height, down_) - b.y0;
  return b;
}

int Blocks::owner(int x, int y) const {
  const TileGrid patches = grid_.of_patches();
  return part_of(y / rows(), patches.height, down_) * across_ +
         part_of(x / grid_.patch, patches.width, across_);
}

Blocks Blocks::of_patches() const {
  Blocks of = *this;
  of.grid_ = grid_.of_patches();
  const int p = grid_.patch;
  of.mine_ = {mine_.x0 / p, mine_.y0 / rows(), mine_.width / p, mine_.height / rows()};
  return of;
}

BorderExchange::BorderExchange(const Communicator& comm, const Blocks& blocks, int reach)
    : comm_(&comm), border_{reach, blocks.mine().width, blocks.mine().height} {
  const Block& mine = blocks.mine();
  const TileGrid& grid = blocks.grid();
  // What this rank needs of each other one, as tile numbers, and where it goes.
  std::vector<std::vector<std::int64_t>> wanted(static_cast<std::size_t>(comm.size()));
  std::vector<std::vector<std::size_t>> places(wanted.size());
  for (int y = -reach; y < mine.height + reach; ++y) {
    for (int x = -reach; x < mine.width + reach; ++x) {
      if (0 <= x && x < mine.width && 0 <= y && y < mine.height) {
        x = mine.width - 1;  // on to the eastern border
        continue;
      }
      const int gx = wrapped(mine.x0 + x, grid.width, grid.ring[0]);
      const int gy = wrapped(mine.y0 + y, grid.height, grid.ring[1]);
      if (gx < 0 || gy < 0) continue;
      const int rank = blocks.owner(gx, gy);
      if (rank == comm.rank()) {
        copies_.push_back({border_.index(gx - mine.x0, gy - mine.y0), border_.index(x, y)});
      } else {
        wanted[static_cast<std::size_t>(rank)].push_back(std::int64_t{gy} * grid.width + gx);
        places[static_cast<std::size_t>(rank)].push_back(border_.index(x, y));
      }
    }
  }
  const auto asked = comm.all_to_all(wanted);
  for (int r = 0; r < comm.size(); ++r) {
    const auto k = static_cast<std::size_t>(r);
    if (!places[k].empty()) receives_.push_back({r, places[k]});
    if (asked[k].empty()) continue;
    Partner to{r, {}};
    for (const std::int64_t tile : asked[k])
      to.indices.push_back(border_.index(static_cast<int>(tile % grid.width) - mine.x0,
                                         static_cast<int>(tile / grid.width) - mine.y0));
    sends_.push_back(std::move(to));
  }
}

template <class T>
void BorderExchange::fill(std::vector<T>& values, int record, int first, int count) const {
  const auto n = static_cast<std::size_t>(count);
  const auto at = [&](std::size_t index) {
    return values.begin() + static_cast<std::ptrdiff_t>(index * static_cast<std::size_t>(record) +
                                                        static_cast<std::size_t>(first));
  };
  std::vector<std::vector<T>> out(sends_.size()), in(receives_.size());
  PendingMessages messages(*comm_);
  for (std::size_t k = 0; k < in.size(); ++k) {
    in[k].resize(receives_[k].indices.size() * n);
    messages.receive(in[k].data(), static_cast<std::int64_t>(in[k].size()), receives_[k].rank);
  }
  for (std::size_t k = 0; k < out.size(); ++k) {
    out[k].reserve(sends_[k].indices.size() * n);
    for (const std::size_t i : sends_[k].indices) out[k].insert(out[k].end(), at(i), at(i) + count);
    messages.send(out[k].data(), static_cast<std::int64_t>(out[k].size()), sends_[k].rank);
  }
  for (const auto& [from, to] : copies_) std::copy_n(at(from), n, at(to));
  messages.wait();
  for (std::size_t k = 0; k < in.size(); ++k)
    for (std::size_t i = 0; i < receives_[k].indices.size(); ++i)
      std::copy_n(in[k].begin() + static_cast<std::ptrdiff_t>(i * n), n, at(receives_[k].indices[i]));
}

template void BorderExchange::fill(std::vector<float>&, int, int, int) const;
template void BorderExchange::fill(std::vector<double>&, int, int, int) const;
template void BorderExchange::fill(std::vector<int>&, int, int, int) const;
template void BorderExchange::fill(std::vector<std::int64_t>&, int, int, int) const;

}  // namespace wafermark::wse

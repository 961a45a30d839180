#include "wse_emulator/tile_clocks.hpp"

#include <algorithm>
#include <limits>

namespace wafermark::wse {
namespace {

/// out[i] = max of in[i ... i + window - 1] for i < n, `stride` apart (van Herk's algorithm: three
/// comparisons a value, whatever the window).
void sliding_maximum(const std::int64_t* in, std::int64_t* out, int n, int window, std::ptrdiff_t stride,
                     std::vector<std::int64_t>& prefix, std::vector<std::int64_t>& suffix) {
  const int all = n + window - 1;
  prefix.resize(static_cast<std::size_t>(all));
  suffix.resize(static_cast<std::size_t>(all));
  for (int i = 0; i < all; ++i) {
    const auto k = static_cast<std::size_t>(i);
    prefix[k] = i % window == 0 ? in[i * stride] : std::max(prefix[k - 1], in[i * stride]);
  }
  for (int i = all - 1; i >= 0; --i) {
    const auto k = static_cast<std::size_t>(i);
    suffix[k] =
        i == all - 1 || (i + 1) % window == 0 ? in[i * stride] : std::max(suffix[k + 1], in[i * stride]);
  }
  for (int i = 0; i < n; ++i)
    out[i * stride] =
        std::max(suffix[static_cast<std::size_t>(i)], prefix[static_cast<std::size_t>(i + window - 1)]);
}

}  // namespace

TileClocks::TileClocks(const Communicator& comm, const Blocks& blocks, int reach)
    : comm_(&comm),
      grid_(blocks.grid()),
      block_(blocks.mine()),
      patch_(blocks.grid().patch),
      exchange_(comm, blocks.of_patches(), reach),
      now_(static_cast<std::size_t>(blocks.mine().tiles()), 0),
      padded_(exchange_.border().size(), std::numeric_limits<std::int64_t>::min()),
      rows_(padded_.size()) {}

std::size_t TileClocks::corner(int x, int y, int layer) const {
  const auto p = static_cast<std::size_t>(patch_),
             row = p * static_cast<std::size_t>(exchange_.border().width);
  return static_cast<std::size_t>(y * grid_.layers() + layer) * p * row + static_cast<std::size_t>(x) * p;
}

template <class Body>
void TileClocks::for_each_patch(int layer, const Body& body) const {
  const Border& b = exchange_.border();
  const auto p = static_cast<std::size_t>(patch_), row = p * static_cast<std::size_t>(b.width);
  for (int y = 0; y < b.height; ++y)
    for (int x = 0; x < b.width; ++x) {
      const std::size_t first = corner(x, y, layer);
      std::int64_t latest = now_[first];
      for (std::size_t k = 1; k < p * p; ++k) latest = std::max(latest, now_[first + k / p * row + k % p]);
      body(x, y, latest);
    }
}

void TileClocks::set_patch(int x, int y, int layer, std::int64_t clock) {
  const auto p = static_cast<std::size_t>(patch_),
             row = p * static_cast<std::size_t>(exchange_.border().width);
  const std::size_t first = corner(x, y, layer);
  for (std::size_t k = 0; k < p * p; ++k) now_[first + k / p * row + k % p] = clock;
}

void TileClocks::meet_patch(std::int64_t cycles) {
  for (int layer = 0; layer < grid_.layers(); ++layer)
    for_each_patch(layer,
                   [&](int x, int y, std::int64_t latest) { set_patch(x, y, layer, latest + cycles); });
}

void TileClocks::meet_neighbourhood(int reach, std::int64_t cycles) {
  const Border& b = exchange_.border();
  const int window = 2 * reach + 1;
  const auto row = static_cast<std::ptrdiff_t>(b.row_length());
  std::vector<std::int64_t> prefix, suffix;
  for (int layer = 0; layer < grid_.layers(); ++layer) {
    for_each_patch(layer, [&](int x, int y, std::int64_t latest) { padded_[b.index(x, y)] = latest; });
    exchange_.fill(padded_);
    for (int y = -reach; y < b.height + reach; ++y)
      sliding_maximum(&padded_[b.index(-reach, y)], &rows_[b.index(-reach, y)], b.width, window, 1, prefix,
                      suffix);
    // A row's result for patch x lies `reach` to the west of it; likewise down the columns.
    for (int x = 0; x < b.width; ++x) {
      std::int64_t* column = &rows_[b.index(x - reach, -reach)];
      sliding_maximum(column, column, b.height, window, row, prefix, suffix);
      for (int y = 0; y < b.height; ++y) set_patch(x, y, layer, column[y * row] + cycles);
    }
  }
}

template <class Body>
void TileClocks::for_each_tile(const Body& body) {
  std::size_t tile = 0;
  for (int y = block_.y0; y < block_.y0 + block_.height; ++y)
    for (int x = block_.x0; x < block_.x0 + block_.width; ++x, ++tile) body(now_[tile], x, y);
}

template <class LineOf>
std::vector<std::int64_t> TileClocks::latest_of_lines(int lines, const LineOf& line_of) {
  std::vector<std::int64_t> latest(static_cast<std::size_t>(lines), std::numeric_limits<std::int64_t>::min());
  for_each_tile([&](std::int64_t clock, int x, int y) {
    std::int64_t& of_line = latest[static_cast<std::size_t>(line_of(x, y))];
    of_line = std::max(of_line, clock);
  });
  comm_->max_in_place(latest.data(), static_cast<std::int64_t>(latest.size()));
  return latest;
}

template <class LineOf>
void TileClocks::meet_lines(int lines, std::int64_t cycles, const LineOf& line_of) {
  const std::vector<std::int64_t> latest = latest_of_lines(lines, line_of);
  for_each_tile([&](std::int64_t& clock, int x, int y) {
    clock = latest[static_cast<std::size_t>(line_of(x, y))] + cycles;
  });
}

void TileClocks::meet_layers(std::int64_t cycles) {
  const int layers = grid_.layers();
  const auto row = [](int, int y) { return y; };
  const auto column = [layers](int x, int y) { return x * layers + y % layers; };
  const std::vector<std::int64_t> of_rows = latest_of_lines(grid_.height, row),
                                  of_columns = latest_of_lines(grid_.width * layers, column);
  for_each_tile([&](std::int64_t& clock, int x, int y) {
    const int layer = y % layers;
    std::int64_t last = clock;
    for (int other : {layer - 1, layer + 1}) {
      if (grid_.ring_of_layers) other = (other + layers) % layers;
      if (other < 0 || other >= layers) continue;
      const auto &here = grid_.panels[static_cast<std::size_t>(layer)],
                 &there = grid_.panels[static_cast<std::size_t>(other)];
      const bool along_row = here[1] == there[1];
      const auto& lines = along_row ? of_rows : of_columns;
      for (const int of : {layer, other})
        last = std::max(last,
                        lines[static_cast<std::size_t>(along_row ? row(x, y - layer + of) : column(x, of))]);
    }
    clock = last + cycles;
  });
}

void TileClocks::meet_rows(std::int64_t cycles) {
  meet_lines(grid_.height, cycles, [](int, int y) { return y; });
}

void TileClocks::meet_columns(std::int64_t cycles) {
  meet_lines(grid_.width, cycles, [](int x, int) { return x; });
}

void TileClocks::meet_all(std::int64_t cycles) {
  const std::int64_t last = latest();
  std::fill(now_.begin(), now_.end(), last + cycles);
}

std::int64_t TileClocks::latest() const { return comm_->max(*std::max_element(now_.begin(), now_.end())); }

}  // namespace wafermark::wse

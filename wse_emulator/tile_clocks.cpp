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

template <class Body>
void TileClocks::for_each_patch(const Body& body) const {
  const Border& b = exchange_.border();
  const auto p = static_cast<std::size_t>(patch_), row = p * static_cast<std::size_t>(b.width);
  for (int y = 0; y < b.height; ++y)
    for (int x = 0; x < b.width; ++x) {
      const std::size_t corner = static_cast<std::size_t>(y) * p * row + static_cast<std::size_t>(x) * p;
      std::int64_t latest = now_[corner];
      for (std::size_t k = 1; k < p * p; ++k) latest = std::max(latest, now_[corner + k / p * row + k % p]);
      body(x, y, latest);
    }
}

void TileClocks::set_patch(int x, int y, std::int64_t clock) {
  const auto p = static_cast<std::size_t>(patch_),
             row = p * static_cast<std::size_t>(exchange_.border().width);
  const std::size_t corner = static_cast<std::size_t>(y) * p * row + static_cast<std::size_t>(x) * p;
  for (std::size_t k = 0; k < p * p; ++k) now_[corner + k / p * row + k % p] = clock;
}

void TileClocks::meet_patch(std::int64_t cycles) {
  for_each_patch([&](int x, int y, std::int64_t latest) { set_patch(x, y, latest + cycles); });
}

void TileClocks::meet_neighbourhood(int reach, std::int64_t cycles) {
  const Border& b = exchange_.border();
  for_each_patch([&](int x, int y, std::int64_t latest) { padded_[b.index(x, y)] = latest; });
  exchange_.fill(padded_);
  const int window = 2 * reach + 1;
  const auto row = static_cast<std::ptrdiff_t>(b.row_length());
  std::vector<std::int64_t> prefix, suffix;
  for (int y = -reach; y < b.height + reach; ++y)
    sliding_maximum(&padded_[b.index(-reach, y)], &rows_[b.index(-reach, y)], b.width, window, 1, prefix,
                    suffix);
  // A row's result for patch x lies `reach` to the west of it; likewise down the columns.
  for (int x = 0; x < b.width; ++x) {
    std::int64_t* column = &rows_[b.index(x - reach, -reach)];
    sliding_maximum(column, column, b.height, window, row, prefix, suffix);
    for (int y = 0; y < b.height; ++y) set_patch(x, y, column[y * row] + cycles);
  }
}

template <class LineOf>
void TileClocks::meet_lines(int lines, std::int64_t cycles, const LineOf& line_of) {
  std::vector<std::int64_t> latest(static_cast<std::size_t>(lines), std::numeric_limits<std::int64_t>::min());
  const auto for_each = [&](const auto& body) {
    std::size_t tile = 0;
    for (int y = block_.y0; y < block_.y0 + block_.height; ++y)
      for (int x = block_.x0; x < block_.x0 + block_.width; ++x, ++tile)
        body(now_[tile], latest[static_cast<std::size_t>(line_of(x, y))]);
  };
  for_each([](std::int64_t clock, std::int64_t& of_line) { of_line = std::max(of_line, clock); });
  comm_->max_in_place(latest.data(), static_cast<std::int64_t>(latest.size()));
  for_each([&](std::int64_t& clock, std::int64_t of_line) { clock = of_line + cycles; });
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

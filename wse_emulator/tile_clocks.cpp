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
      exchange_(comm, blocks, reach),
      now_(static_cast<std::size_t>(blocks.mine().tiles()), 0),
      padded_(exchange_.border().size(), std::numeric_limits<std::int64_t>::min()),
      rows_(padded_.size()) {}

void TileClocks::meet_neighbourhood(std::int64_t cycles) {
  const Border& b = exchange_.border();
  const auto width = static_cast<std::size_t>(b.width);
  for (int y = 0; y < b.height; ++y)
    std::copy_n(now_.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(y) * width), width,
                padded_.begin() + static_cast<std::ptrdiff_t>(b.index(0, y)));
  exchange_.fill(padded_);
  const int window = 2 * b.reach + 1;
  const auto row = static_cast<std::ptrdiff_t>(b.row_length());
  std::vector<std::int64_t> prefix, suffix;
  for (int y = -b.reach; y < b.height + b.reach; ++y)
    sliding_maximum(&padded_[b.index(-b.reach, y)], &rows_[b.index(-b.reach, y)], b.width, window, 1, prefix,
                    suffix);
  // A row's result for tile x lies `reach` to the west of it; likewise down the columns.
  for (int x = 0; x < b.width; ++x) {
    std::int64_t* column = &rows_[b.index(x - b.reach, -b.reach)];
    sliding_maximum(column, column, b.height, window, row, prefix, suffix);
    for (int y = 0; y < b.height; ++y)
      now_[static_cast<std::size_t>(y) * width + static_cast<std::size_t>(x)] = column[y * row] + cycles;
  }
}

void TileClocks::meet_all(std::int64_t cycles) {
  const std::int64_t last = latest();
  std::fill(now_.begin(), now_.end(), last + cycles);
}

std::int64_t TileClocks::latest() const { return comm_->max(*std::max_element(now_.begin(), now_.end())); }

}  // namespace wafermark::wse

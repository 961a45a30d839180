#include "sparse_llama/wafer/cut.hpp"

#include <algorithm>
#include <numeric>

#include "sparse_llama/model/shares.hpp"

namespace wafermark::llama {
namespace {

/// Appends the dimensions of a row's part of a head that begins at `first`.
void append_head(std::vector<std::int64_t>& order, const RowHeads& r, std::int64_t first,
                 std::int64_t head_dim) {
  for (const std::int64_t half : {std::int64_t(0), head_dim / 2})
    for (std::int64_t p = 0; p < r.pairs; ++p) order.push_back(first + half + r.first_pair + p);
}

}  // namespace

std::int64_t Cut::most() const {
  std::int64_t most = 0;
  for (int l = 0; l < lines(); ++l) most = std::max(most, count(l));
  return most;
}

std::vector<std::int64_t> Cut::counts() const {
  std::vector<std::int64_t> counts;
  for (int l = 0; l < lines(); ++l) counts.push_back(count(l));
  return counts;
}

Cut even_cut(std::int64_t count, int lines) {
  Cut cut;
  cut.order.resize(std::size_t(count));
  std::iota(cut.order.begin(), cut.order.end(), std::int64_t(0));
  for (int l = 0; l < lines; ++l) cut.start.push_back(share_of(count, l, lines).first);
  cut.start.push_back(count);
  return cut;
}

std::vector<RowHeads> row_heads(const Configuration& c, int rows) {
  std::vector<RowHeads> all(static_cast<std::size_t>(rows));
  const std::int64_t half = c.head_dim / 2;
  if (rows < c.kv_heads) {
    for (int y = 0; y < rows; ++y) {
      const Share heads = share_of(c.kv_heads, y, rows);
      all[std::size_t(y)] = {heads.first, heads.count, 0, half, y, 1};
    }
    return all;
  }
  const int band = int(std::min(rows / c.kv_heads, half));
  for (int y = 0; y < band * c.kv_heads; ++y) {
    const Share pairs = share_of(half, y % band, band);
    all[std::size_t(y)] = {y / band, 1, pairs.first, pairs.count, y / band * band, band};
  }
  for (int y = int(band * c.kv_heads); y < rows; ++y) all[std::size_t(y)].band_first = y;
  return all;
}

Cut query_key_value_cut(const Configuration& c, const std::vector<RowHeads>& heads) {
  const std::int64_t group = c.heads / c.kv_heads;
  Cut cut{{}, {0}};
  for (const RowHeads& r : heads) {
    for (std::int64_t h = r.first; h < r.first + r.count; ++h) {
      for (std::int64_t g = 0; g < group; ++g)
        append_head(cut.order, r, (h * group + g) * c.head_dim, c.head_dim);
      append_head(cut.order, r, c.query_dim() + h * c.head_dim, c.head_dim);
      append_head(cut.order, r, c.query_dim() + c.kv_dim() + h * c.head_dim, c.head_dim);
    }
    cut.start.push_back(std::int64_t(cut.order.size()));
  }
  return cut;
}

Cut attended_cut(const Configuration& c, const std::vector<RowHeads>& heads) {
  const std::int64_t group = c.heads / c.kv_heads;
  Cut cut{{}, {0}};
  for (const RowHeads& r : heads) {
    for (std::int64_t h = r.first * group; h < (r.first + r.count) * group; ++h)
      append_head(cut.order, r, h * c.head_dim, c.head_dim);
    cut.start.push_back(std::int64_t(cut.order.size()));
  }
  return cut;
}

Cut gate_up_cut(const Cut& hidden, std::int64_t hidden_units) {
  Cut cut{{}, {0}};
  for (int l = 0; l < hidden.lines(); ++l) {
    for (const std::int64_t u : hidden.of(l)) cut.order.push_back(u);
    for (const std::int64_t u : hidden.of(l)) cut.order.push_back(hidden_units + u);
    cut.start.push_back(std::int64_t(cut.order.size()));
  }
  return cut;
}

Cut balanced_cut(const std::vector<std::vector<int>>& stored, int lines) {
  const auto units = std::int64_t(stored.size());
  const std::size_t tiles = stored.empty() ? 0 : stored.front().size();
  std::vector<std::int64_t> sum(stored.size()), by_size(stored.size());
  for (std::size_t u = 0; u < stored.size(); ++u)
    sum[u] = std::accumulate(stored[u].begin(), stored[u].end(), std::int64_t(0));
  std::iota(by_size.begin(), by_size.end(), std::int64_t(0));
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](std::int64_t a, std::int64_t b) { return sum[std::size_t(a)] > sum[std::size_t(b)]; });
  const Cut even = even_cut(units, lines);
  std::vector<std::vector<std::int64_t>> members{std::size_t(lines)};
  std::vector<std::vector<std::int64_t>> load(std::size_t(lines), std::vector<std::int64_t>(tiles, 0));
  for (const std::int64_t u : by_size) {
    // The line where the unit meets the least load where it is itself heavy.
    std::int64_t least = -1;
    int best = -1;
    for (int l = 0; l < lines; ++l) {
      if (std::int64_t(members[std::size_t(l)].size()) == even.count(l)) continue;
      std::int64_t meets = 0;
      for (std::size_t t = 0; t < tiles; ++t) meets += load[std::size_t(l)][t] * stored[std::size_t(u)][t];
      if (best < 0 || meets < least) {
        least = meets;
        best = l;
      }
    }
    members[std::size_t(best)].push_back(u);
    for (std::size_t t = 0; t < tiles; ++t) load[std::size_t(best)][t] += stored[std::size_t(u)][t];
  }
  Cut cut{{}, {0}};
  for (auto& line : members) {
    std::sort(line.begin(), line.end());
    cut.order.insert(cut.order.end(), line.begin(), line.end());
    cut.start.push_back(std::int64_t(cut.order.size()));
  }
  return cut;
}

}  // namespace wafermark::llama

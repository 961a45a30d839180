// Attention on the tiles of a region: rows hold heads (or, in bands, some dimensions of a head each), columns
// the positions of the cache in turn.
#include <algorithm>
#include <cmath>

#include "sparse_llama/kernels/attention.hpp"
#include "sparse_llama/kernels/rope.hpp"
#include "sparse_llama/wafer/wafer_decoder.hpp"
#include "wse_emulator/fabric/line_reduction.hpp"
#include "wse_emulator/fabric/reduction.hpp"

namespace wafermark::llama {
namespace {

using Tiles = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace, Kokkos::Schedule<Kokkos::Dynamic>>;

/// Positions x, x + width, ... below `seen`: those that a column of tiles owns.
std::int64_t owned(std::int64_t seen, int x, int width) {
  return seen <= x ? 0 : (seen - x + width - 1) / width;
}

}  // namespace

std::vector<float> WaferDecoder::attention(const Region& r, std::int64_t l, std::vector<float> qkv,
                                           std::span<const TokenRow> rows) {
  Layer& layer = layers_[std::size_t(l)];
  const SectionCounts& s = cost_.counts();
  const wse::FabricTiming& fabric = cost_.machine().fabric;
  const OwnTiles own(r.area, times_.blocks().mine());
  const int width = r.area.width, height = r.area.height, root = r.root_column();
  const std::int64_t n = std::int64_t(rows.size()), group = model_.heads / model_.kv_heads,
                     half = model_.head_dim / 2, capacity = placement_.settings.context;
  const auto all = std::int64_t(query_key_value_cut_.order.size()),
             all_out = std::int64_t(attended_cut_.order.size());
  const float scale = 1.0f / std::sqrt(float(model_.head_dim));
  std::int64_t longest = 0;  // positions that a column owns at most
  for (const TokenRow& row : rows) longest = std::max(longest, owned(row.position + 1, 0, width));

  // The part of a head in a row's query, key and value: [head][query 0 ... group - 1, key, value][dimension].
  const auto part = [&](std::int64_t v, int y, std::int64_t head, std::int64_t which) {
    return qkv.data() + v * all + query_key_value_cut_.start[std::size_t(y)] +
           (head * (group + 2) + which) * heads_[std::size_t(y)].dims();
  };
  const auto cached = [&](std::vector<std::vector<float>>& cache, int y, const TokenRow& row,
                          std::int64_t position, std::int64_t head) {
    const RowHeads& h = heads_[std::size_t(y)];
    return cache[std::size_t(y - own.y0)].data() +
           ((row.sequence * capacity + position) * h.count + head) * h.dims();
  };

  // Rotation at the roots of the rows; then query, key and value go along the row, where the column that owns
  // the position keeps key and value. The owner has sent the position's turns to the root beforehand.
  for (int y = 0; y < height; ++y) {
    const RowHeads& h = heads_[std::size_t(y)];
    if (h.count == 0) continue;
    for (std::int64_t v = 0; v < n; ++v)
      for (std::int64_t head = 0; head < h.count; ++head)
        for (std::int64_t which = 0; which <= group; ++which)
          for (std::int64_t p = 0; p < h.pairs; ++p) {
            float* x = part(v, y, head, which);
            const auto turn = std::size_t(rows[std::size_t(v)].position * half + h.first_pair + p);
            rope_rotate(x[p], x[p + h.pairs], turns_.cosine[turn], turns_.sine[turn]);
          }
    const std::int64_t pairs = n * h.count * (group + 1) * h.pairs;
    times_.compute(r, root, y, phase_.rotate, cost_.products(s.rotary_pair, pairs), s.rotary_pair, pairs);
    times_.broadcast(r, {true, y}, n * query_key_value_cut_.count(y));
    if (y < own.y0 || y >= own.y1) continue;
    for (std::int64_t v = 0; v < n; ++v)
      for (std::int64_t head = 0; head < h.count; ++head) {
        const TokenRow& row = rows[std::size_t(v)];
        std::copy_n(part(v, y, head, group), h.dims(), cached(layer.keys, y, row, row.position, head));
        std::copy_n(part(v, y, head, group + 1), h.dims(), cached(layer.values, y, row, row.position, head));
      }
  }

  // Scores of every tile's dimensions with the positions of its column, [row of tiles][column][token][query
  // head][position]; a band adds them up.
  std::int64_t most_queries = 0;
  for (const RowHeads& h : heads_) most_queries = std::max(most_queries, h.count * group);
  const std::int64_t of_tile = n * most_queries * longest;
  std::vector<float> scores(std::size_t(of_tile * width * height), 0.0f);
  const auto score_of = [&](int x, int y, std::int64_t v, std::int64_t query) {
    return scores.data() + ((std::int64_t(y) * width + x) * n + v) * most_queries * longest + query * longest;
  };
  const auto positions_of = [&](int x) {
    std::int64_t sum = 0;
    for (const TokenRow& row : rows) sum += owned(row.position + 1, x, width);
    return sum;
  };
  Kokkos::parallel_for("scores", Tiles(0, own.count()), [&](int t) {
    const int x = own.x0 + t % own.width(), y = own.y0 + t / own.width();
    const RowHeads& h = heads_[std::size_t(y)];
    for (std::int64_t v = 0; v < n; ++v)
      for (std::int64_t query = 0; query < h.count * group; ++query) {
        float* out = score_of(x, y, v, query);
        const TokenRow& row = rows[std::size_t(v)];
        for (std::int64_t p = x; p <= row.position; p += width) {
          float score[1];
          attention_scores(part(v, y, query / group, query % group),
                           cached(layer.keys, y, row, p, query / group), h.dims(), scale, score);
          *out++ = score[0];
        }
      }
  });
  for (int t = 0; t < own.count(); ++t) {
    const int x = own.x0 + t % own.width(), y = own.y0 + t / own.width();
    const RowHeads& h = heads_[std::size_t(y)];
    const std::int64_t dots = h.count * group * positions_of(x);
    times_.compute(r, x, y, phase_.scores, double(dots) * cost_.products(s.score, h.dims()), s.score,
                   dots * h.dims());
  }
  times_.join(r);
  times_.join(scores);
  std::vector<float> sums(static_cast<std::size_t>(of_tile));
  for (int y = 0; y < height; y += heads_[std::size_t(y)].band_rows) {
    const RowHeads& h = heads_[std::size_t(y)];
    if (h.band_rows == 1 || h.count == 0) continue;
    const Region band{{r.area.x0, r.area.y0 + y, width, h.band_rows}};
    for (int x = 0; x < width; ++x) {
      const std::int64_t words = h.count * group * positions_of(x);
      const auto line = wse::LineReduction::best(fabric, h.band_rows, band.root_row(), int(of_tile));
      line_sums(line, score_of(x, y, 0, 0), of_tile * width, sums.data());
      for (int b = 0; b < h.band_rows; ++b) std::copy(sums.begin(), sums.end(), score_of(x, y + b, 0, 0));
      times_.reduce(band, {false, x}, words);
      times_.broadcast(band, {false, x}, words);
    }
  }

  // Softmax over a tile's own positions, moved to the row's common top; weighted values and, behind them,
  // sums of weights, [row of tiles][column][token][query head][dimension, sum].
  std::vector<std::int64_t> start(std::size_t(height) + 1, 0);
  for (int y = 0; y < height; ++y) {
    const RowHeads& h = heads_[std::size_t(y)];
    start[std::size_t(y) + 1] = start[std::size_t(y)] + width * n * h.count * group * (h.dims() + 1);
  }
  std::vector<float> weighted(std::size_t(start.back()), 0.0f);
  std::vector<std::int64_t> new_tops(std::size_t(own.count()), 0);
  Kokkos::parallel_for("softmax", Tiles(0, own.count()), [&](int t) {
    const int x = own.x0 + t % own.width(), y = own.y0 + t / own.width();
    const RowHeads& h = heads_[std::size_t(y)];
    for (std::int64_t v = 0; v < n; ++v)
      for (std::int64_t query = 0; query < h.count * group; ++query) {
        const TokenRow& row = rows[std::size_t(v)];
        float top = AttentionSum<float>().top;
        for (int c = 0; c < width; ++c) {
          const float* score = score_of(c, y, v, query);
          for (std::int64_t k = 0; k < owned(row.position + 1, c, width); ++k) top = std::max(top, score[k]);
        }
        float* out = weighted.data() + start[std::size_t(y)] +
                     ((std::int64_t(x) * n + v) * h.count * group + query) * (h.dims() + 1);
        const float* score = score_of(x, y, v, query);
        AttentionSum<float> state;
        for (std::int64_t p = x; p <= row.position; p += width, ++score) {
          new_tops[std::size_t(t)] += *score > state.top;
          attend(state, {*score}, cached(layer.values, y, row, p, query / group), h.dims(), out);
        }
        if (state.sum > 0) move_top(state, top, h.dims(), out);
        out[h.dims()] = state.sum;
      }
  });
  for (int t = 0; t < own.count(); ++t) {
    const int x = own.x0 + t % own.width(), y = own.y0 + t / own.width();
    const RowHeads& h = heads_[std::size_t(y)];
    const std::int64_t dims = h.dims(), taken = h.count * group * positions_of(x),
                       tops = new_tops[std::size_t(t)];
    times_.compute(r, x, y, phase_.softmax,
                   double(taken) * (cost_.once(s.position) + cost_.loop(s.position_value, dims)), s.position,
                   taken);
    times_.count(s.position_value, taken * dims);
    times_.compute(r, x, y, phase_.softmax,
                   double(tops) * (cost_.once(s.new_top) + cost_.loop(s.faded, dims)), s.new_top, tops);
    times_.count(s.faded, tops * dims);
  }
  times_.join(r);
  // The tops of a row become one: a reduction to its root and back, then each tile moves to it.
  for (int y = 0; y < height; ++y) {
    const RowHeads& h = heads_[std::size_t(y)];
    const std::int64_t queries = n * h.count * group;
    if (queries == 0) continue;
    times_.reduce(r, {true, y}, queries);
    times_.broadcast(r, {true, y}, queries);
    for (int x = 0; x < width; ++x)
      times_.compute(r, x, y, phase_.softmax,
                     double(queries) * (cost_.once(s.new_top) + cost_.loop(s.faded, h.dims())), s.new_top,
                     queries);
  }
  times_.join(weighted);

  std::vector<float> out(std::size_t(n * all_out));
  for (int y = 0; y < height; ++y) {
    const RowHeads& h = heads_[std::size_t(y)];
    const std::int64_t queries = h.count * group, dims = h.dims(), words = n * queries * (dims + 1);
    if (words == 0) continue;
    std::vector<float> line(static_cast<std::size_t>(words));
    line_sums(wse::LineReduction::best(fabric, width, root, int(words)),
              weighted.data() + start[std::size_t(y)], words, line.data());
    times_.reduce(r, {true, y}, words);
    for (std::int64_t k = 0; k < n * queries; ++k) {
      float* head = line.data() + k * (dims + 1);
      divide_by_sum(head[dims], dims, head);
      std::copy_n(
          head, dims,
          out.begin() + k / queries * all_out + attended_cut_.start[std::size_t(y)] + k % queries * dims);
    }
    times_.compute(r, root, y, phase_.softmax,
                   double(n * queries) * (cost_.once(s.divided) + cost_.loop(s.divided_value, dims)),
                   s.divided, n * queries);
  }
  return out;
}

}  // namespace wafermark::llama

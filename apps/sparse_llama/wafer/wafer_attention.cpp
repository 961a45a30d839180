// Attention on the tiles of a region: rows hold heads (or, in bands, some dimensions of a head each), columns
// the positions of the cache in turn.
#include <algorithm>
#include <cmath>

#include "sparse_llama/kernels/rope.hpp"
#include "sparse_llama/wafer/tile_attention.hpp"
#include "sparse_llama/wafer/wafer_decoder.hpp"

namespace wafermark::llama {
namespace {

using Tiles = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace, Kokkos::Schedule<Kokkos::Dynamic>>;

}  // namespace

float* WaferDecoder::part(std::size_t token, int y, std::int64_t head, std::int64_t which) {
  const auto all = std::int64_t(query_key_value_cut_.order.size());
  return x_.data() + std::int64_t(token) * all + query_key_value_cut_.start[std::size_t(y)] +
         (head * (shares_.group + 2) + which) * shares_.heads[std::size_t(y)].dims();
}

float* WaferDecoder::cached(std::vector<std::vector<float>>& cache, const OwnTiles& own, int y,
                            const TokenRow& row, std::int64_t position, std::int64_t head) const {
  const RowHeads& h = shares_.heads[std::size_t(y)];
  return cache[std::size_t(y - own.y0)].data() +
         ((row.sequence * placement_.settings.context + position) * h.count + head) * h.dims();
}

void WaferDecoder::rotate() {
  const std::int64_t half = model_.head_dim / 2;
  for (std::size_t v = 0; v < rows_.size(); ++v)
    for (int y = 0; y < int(shares_.heads.size()); ++y) {
      const RowHeads& h = shares_.heads[std::size_t(y)];
      for (std::int64_t head = 0; head < h.count; ++head)
        for (std::int64_t which = 0; which <= shares_.group; ++which) {
          float* x = part(v, y, head, which);
          for (std::int64_t p = 0; p < h.pairs; ++p) {
            const auto turn = std::size_t(rows_[v].position * half + h.first_pair + p);
            rope_rotate(x[p], x[p + h.pairs], turns_.cosine[turn], turns_.sine[turn]);
          }
        }
    }
  for (float& value : x_) value = as_on_tiles(placement_.settings.value_type, value);
}

void WaferDecoder::keep_keys_and_values(std::int64_t l) {
  const OwnTiles own = own_tiles(placement_.of_layer(l));
  for (int y = own.y0; y < own.y1; ++y) {
    const RowHeads& h = shares_.heads[std::size_t(y)];
    for (std::size_t v = 0; v < rows_.size(); ++v)
      for (std::int64_t head = 0; head < h.count; ++head) {
        const TokenRow& row = rows_[v];
        std::copy_n(part(v, y, head, shares_.group), h.dims(),
                    cached(layer(l).keys, own, y, row, row.position, head));
        std::copy_n(part(v, y, head, shares_.group + 1), h.dims(),
                    cached(layer(l).values, own, y, row, row.position, head));
      }
  }
}

void WaferDecoder::score(std::int64_t l) {
  const wse::TileRegion& r = placement_.of_layer(l);
  const OwnTiles own = own_tiles(r);
  const int width = r.area.width;
  const float scale = 1.0f / std::sqrt(float(model_.head_dim));
  score_start_.assign(1, 0);
  for (const int words : items_.band_scores) score_start_.push_back(score_start_.back() + words);
  const wse::Lines& bands = plan_of(l).bands;
  scores_.assign(std::size_t(score_start_.back() * bands.length), 0.0f);
  Kokkos::parallel_for("scores", Tiles(0, own.count()), [&](int t) {
    const int x = own.x0 + t % own.width(), y = own.y0 + t / own.width();
    const RowHeads& h = shares_.heads[std::size_t(y)];
    if (h.count == 0) return;
    const auto line = std::size_t(y / bands.length * width + x);
    float* out = scores_.data() + score_start_[line] * bands.length +
                 y % bands.length * (score_start_[line + 1] - score_start_[line]);
    for (std::size_t v = 0; v < rows_.size(); ++v)
      for (std::int64_t query = 0; query < h.count * shares_.group; ++query)
        for (std::int64_t p = x; p <= rows_[v].position; p += width) {
          *out++ = score_on_tile(part(v, y, query / shares_.group, query % shares_.group),
                                 cached(layer(l).keys, own, y, rows_[v], p, query / shares_.group), h.dims(),
                                 scale);
        }
  });
}

void WaferDecoder::sum_scores(std::int64_t l) {
  band_scores_.resize(std::size_t(score_start_.back()));
  plan_of(l).band_scores->sum(comm_, cost_.machine().fabric, scores_, band_scores_);
}

std::vector<float> WaferDecoder::largest_scores(int band, int width, std::int64_t queries) const {
  std::vector<float> tops(rows_.size() * std::size_t(queries), AttentionSum<float>().top);
  for (int x = 0; x < width; ++x) {
    const float* score = band_scores_.data() + score_start_[std::size_t(band * width + x)];
    for (std::size_t v = 0; v < rows_.size(); ++v) {
      const std::int64_t positions = positions_owned(rows_[v].position + 1, x, width);
      for (std::int64_t query = 0; query < queries; ++query, score += positions) {
        float& top = tops[v * std::size_t(queries) + std::size_t(query)];
        for (std::int64_t k = 0; k < positions; ++k) top = std::max(top, score[k]);
      }
    }
  }
  return tops;
}

void WaferDecoder::soften(std::int64_t l) {
  const wse::TileRegion& r = placement_.of_layer(l);
  const OwnTiles own = own_tiles(r);
  const int width = r.area.width, band_rows = plan_of(l).bands.length;
  std::vector<std::int64_t> start(1, 0);  // of each row's weighted values
  for (const int words : items_.weighted) start.push_back(start.back() + std::int64_t(words) * width);
  weighted_.assign(std::size_t(start.back()), 0.0f);
  Kokkos::parallel_for("softmax", Tiles(own.y0, own.y1), [&](int y) {
    const RowHeads& h = shares_.heads[std::size_t(y)];
    if (h.count == 0) return;
    const std::int64_t queries = h.count * shares_.group, dims = h.dims();
    const std::vector<float> tops = largest_scores(y / band_rows, width, queries);
    for (int x = own.x0; x < own.x1; ++x) {
      const float* score = band_scores_.data() + score_start_[std::size_t(y / band_rows * width + x)];
      float* out = weighted_.data() + start[std::size_t(y)] + x * items_.weighted[std::size_t(y)];
      for (std::size_t k = 0; k < tops.size(); ++k, out += dims + 1) {
        const TokenRow& row = rows_[k / std::size_t(queries)];
        const auto head = std::int64_t(k) % queries / shares_.group;
        AttentionSum<float> state{.top = tops[k]};
        for (std::int64_t p = x; p <= row.position; p += width, ++score)
          attend_on_tile(placement_.settings.value_type, state, *score,
                         cached(layer(l).values, own, y, row, p, head), dims, out);
        out[dims] = state.sum;
      }
    }
  });
}

void WaferDecoder::sum_weighted(std::int64_t l) {
  std::vector<float> sums(weighted_.size() / std::size_t(placement_.of_layer(l).area.width));
  plan_of(l).weighted->sum(comm_, cost_.machine().fabric, weighted_, sums);
  weighted_ = std::move(sums);
}

void WaferDecoder::divide() {
  const auto all = std::int64_t(attended_cut_.order.size());
  x_.resize(rows_.size() * std::size_t(all));
  float* head = weighted_.data();
  for (std::size_t y = 0; y < shares_.heads.size(); ++y) {
    const std::int64_t queries = items_.heads[y], dims = shares_.heads[y].dims();
    for (std::int64_t k = 0; k < std::int64_t(rows_.size()) * queries; ++k, head += dims + 1) {
      divide_by_sum(head[dims], dims, head);
      std::copy_n(head, dims, x_.begin() + k / queries * all + attended_cut_.start[y] + k % queries * dims);
    }
  }
}

}  // namespace wafermark::llama

// Packing a model into the tiles of the wafer: WaferDecoder's weights, and how evenly they are spread.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/errors.hpp"
#include "sparse_llama/wafer/wafer_decoder.hpp"

namespace wafermark::llama {
namespace {

/// A row of matrices that lie one below the other.
MatrixRows stacked_rows(const WeightSource& source, std::int64_t layer, std::vector<Matrix> matrices) {
  return [&source, layer, matrices](std::int64_t row, std::int64_t first, std::int64_t count, float* out) {
    for (const Matrix m : matrices) {
      const std::int64_t rows = shape_of(source.configuration, m).rows;
      if (row < rows) return source.row(m, layer, row, first, count, out);
      row -= rows;
    }
  };
}

/// Stored weights of each hidden unit in the tiles of a line: of its gate and up rows by column of tiles.
/// What down holds of it is one weight in each of the stream's dimensions and adds to the same columns.
std::vector<std::vector<int>> stored_by_unit(const WeightSource& source, std::int64_t layer,
                                             const Cut& dims) {
  const Configuration& c = source.configuration;
  std::vector<std::vector<int>> stored(std::size_t(c.hidden), std::vector<int>(std::size_t(dims.lines()), 0));
  using Units = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace, Kokkos::Schedule<Kokkos::Dynamic>>;
  Kokkos::parallel_for("count weights", Units(0, c.hidden), [&](std::int64_t u) {
    std::vector<float> row(std::size_t(c.dim));
    for (const Matrix m : {Matrix::gate, Matrix::up}) {
      source.row(m, layer, u, 0, c.dim, row.data());
      for (int x = 0; x < dims.lines(); ++x)
        for (const std::int64_t d : dims.of(x))
          stored[std::size_t(u)][std::size_t(x)] += row[std::size_t(d)] != 0;
    }
  });
  return stored;
}

/// Sum and largest of gate and up weights that a tile holds when units are dealt as `hidden` says.
struct Spread {
  double sum = 0, most = 0, tiles = 0;
};
Spread spread_of(const std::vector<std::vector<int>>& stored, const Cut& hidden) {
  Spread s;
  for (int line = 0; line < hidden.lines(); ++line) {
    std::vector<double> tile(stored.front().size(), 0);
    for (const std::int64_t u : hidden.of(line))
      for (std::size_t x = 0; x < tile.size(); ++x) tile[x] += stored[std::size_t(u)][x];
    for (const double t : tile) {
      s.sum += t;
      s.most = std::max(s.most, t);
    }
    s.tiles += double(tile.size());
  }
  return s;
}

}  // namespace

void WaferDecoder::pack_layers(const WeightSource& source) {
  const WaferSettings& settings = placement_.settings;
  const Configuration& c = model_;
  double mean = 0, most_dealt = 0, most_even = 0;
  std::vector<std::int64_t> of_tiles;  // bytes of the layers that share a region, by own tile
  for (std::int64_t l = 0; l < c.layers; ++l) {
    const wse::TileRegion& r = placement_.of_layer(l);
    const OwnTiles own = own_tiles(r);
    Layer& w = layers_.emplace_back();
    w.attention_norm = source.vector(Vector::attention_norm, l);
    w.feed_forward_norm = source.vector(Vector::feed_forward_norm, l);
    w.hidden = even_cut(c.hidden, r.area.height);
    if (row_of(settings.format).layout != Layout::whole) {
      const auto stored = stored_by_unit(source, l, dims_);
      const Spread even = spread_of(stored, w.hidden);
      Spread dealt = even;
      if (settings.balance_rows) {
        Cut cut = balanced_cut(stored, r.area.height);
        const Spread spread = spread_of(stored, cut);
        if (spread.most < even.most) {
          dealt = spread;
          w.hidden = std::move(cut);
        }
      }
      mean += even.sum / even.tiles;
      most_dealt += dealt.most;
      most_even += even.most;
    }
    w.gate_up = gate_up_cut(w.hidden, c.hidden);
    if (l % placement_.layers_per_region == 0) of_tiles.assign(std::size_t(own.count()), 0);
    const auto pack = [&](Product product, std::int64_t columns, std::vector<Matrix> matrices) {
      const TileMatrix m = matrix(l, product);
      const std::string name = fmt::format("{}: layer {}, {}", source.name, l, name_of(matrices.front()));
      TileWeights weights = pack_tiles(own, m, settings.format, settings.value_type, columns,
                                       stacked_rows(source, l, std::move(matrices)), name);
      weights.stored_weights = settings.stored_weights;
      const bool across = m.lie == Lie::inputs_by_columns;
      for (int t = 0; t < own.count(); ++t) {
        const int x = t % own.width(), y = t / own.width();
        const std::size_t tile = across ? weights.tile(y, x) : weights.tile(x, y);
        stored_ += weights.stored(tile);
        layer_bytes_ += weights.bytes(tile);
        of_tiles[std::size_t(t)] += weights.bytes(tile);
        most_weight_bytes_ = std::max(most_weight_bytes_, of_tiles[std::size_t(t)]);
      }
      w.weights[std::size_t(product)] = std::move(weights);
    };
    pack(Product::query_key_value, c.dim, {Matrix::query, Matrix::key, Matrix::value});
    pack(Product::attention_output, c.query_dim(), {Matrix::attention_output});
    pack(Product::gate_up, c.dim, {Matrix::gate, Matrix::up});
    pack(Product::down, c.hidden, {Matrix::down});
    for (int y = own.y0; y < own.y1; ++y) {
      const RowHeads& h = shares_.heads[std::size_t(y)];
      const auto size = std::size_t(settings.sequences * settings.context * h.count * h.dims());
      w.keys.emplace_back(size);
      w.values.emplace_back(size);
    }
  }
  stored_ = comm_.sum(stored_);
  layer_bytes_ = comm_.sum(layer_bytes_);
  most_weight_bytes_ = comm_.max(most_weight_bytes_);
  all_ = c.layers * (c.dim * (2 * c.query_dim() + 2 * c.kv_dim()) + 3 * c.dim * c.hidden);
  if (most_dealt > 0) balance_ = {mean / most_dealt, mean / most_even};
  placement_.tile_memory(cost_.machine(), most_weight_bytes_);  // throws when the fullest tile is too full

  const Matrix matrix = c.tied_embeddings ? Matrix::embedding : Matrix::head;
  head_ = pack_tiles(own_tiles(placement_.head), {Lie::inputs_by_columns, &dims_, &vocabulary_},
                     Format::dense, settings.value_type, c.dim, stacked_rows(source, 0, {matrix}),
                     source.name + ": output head");
}

}  // namespace wafermark::llama

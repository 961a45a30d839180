// What happens to the activations in the phases of a layer and of the head, but for attention: norms,
// products, SwiGLU, residual.
#include <algorithm>

#include "sparse_llama/kernels/rms_norm.hpp"
#include "sparse_llama/kernels/swiglu.hpp"
#include "sparse_llama/wafer/wafer_decoder.hpp"

namespace wafermark::llama {
namespace {

using Tiles = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace, Kokkos::Schedule<Kokkos::Dynamic>>;

}  // namespace

void WaferDecoder::normalize(const wse::LineReduce& lines, const std::vector<float>& stream,
                             const std::vector<float>& weight) {
  const int width = dims_.lines();
  const auto n = std::int64_t(stream.size()) / model_.dim;
  std::vector<float> squares(std::size_t(width * n)), sums(std::size_t(n), 0.0f);
  for (int x = 0; x < width; ++x)
    for (std::int64_t v = 0; v < n; ++v)
      squares[std::size_t(x * n + v)] =
          sum_of_squares(stream.data() + v * model_.dim + dims_.start[std::size_t(x)], dims_.count(x));
  lines.sum(cost_.machine().fabric, squares, sums);
  x_.resize(stream.size());
  for (std::int64_t v = 0; v < n; ++v) {
    const float scale = rms_scale(sums[std::size_t(v)], model_.dim, float(model_.norm_epsilon));
    for (std::int64_t i = 0; i < model_.dim; ++i)
      x_[std::size_t(v * model_.dim + i)] =
          stream[std::size_t(v * model_.dim + i)] * scale * weight[std::size_t(i)];
  }
}

void WaferDecoder::multiply_tiles(const wse::TileRegion& r, const TileMatrix& m, const TileWeights& weights,
                                  std::int64_t n, wse::Steps& steps) {
  const OwnTiles own = own_tiles(r);
  const bool by_columns = m.lie == Lie::inputs_by_columns;
  const Cut &inputs = m.inputs(), &outputs = m.outputs();
  const auto all_inputs = std::int64_t(inputs.order.size()), all_outputs = std::int64_t(outputs.order.size());
  const int along = by_columns ? r.area.width : r.area.height;  // tiles of an output line
  steps.words = int(n);
  steps.first.assign(1, 0);
  steps.always.clear();
  for (int y = own.y0; y < own.y1; ++y)
    for (int x = own.x0; x < own.x1; ++x) {
      steps.first.push_back(steps.first.back() + inputs.count(m.input_line(x, y)));
      steps.always.push_back(int(TileWeights::beside_weights(weights.format, weights.stored_weights,
                                                             outputs.count(m.output_line(x, y)))));
    }
  steps.items.resize(std::size_t(steps.first.back()));
  partial_.assign(std::size_t(n * all_outputs * along), 0.0f);
  Kokkos::parallel_for("tiles multiply", Tiles(0, own.count()), [&](int t) {
    const int tx = own.x0 + t % own.width(), ty = own.y0 + t / own.width();
    const int in = m.input_line(tx, ty), out = m.output_line(tx, ty);
    const std::size_t tile =
        by_columns ? weights.tile(ty - own.y0, tx - own.x0) : weights.tile(tx - own.x0, ty - own.y0);
    float* part = partial_.data() +
                  n * (outputs.start[std::size_t(out)] * along + (by_columns ? tx : ty) * outputs.count(out));
    weights.multiply(tile, inputs.count(in), outputs.count(out), n, x_.data() + inputs.start[std::size_t(in)],
                     all_inputs, part, steps.items.data() + steps.first[std::size_t(t)]);
  });
}

void WaferDecoder::sum_lines(const TileMatrix& m, const wse::LineReduce& lines, std::int64_t n) {
  const Cut& outputs = m.outputs();
  const auto all = std::int64_t(outputs.order.size());
  std::vector<float> sums(std::size_t(n * all));  // [line][token][output]
  lines.sum(comm_, cost_.machine().fabric, partial_, sums);
  x_.resize(sums.size());
  const float* next = sums.data();
  for (int line = 0; line < outputs.lines(); ++line)
    for (std::int64_t v = 0; v < n; ++v, next += outputs.count(line))
      std::copy_n(next, outputs.count(line), x_.begin() + v * all + outputs.start[std::size_t(line)]);
}

TileMatrix WaferDecoder::matrix(std::int64_t l, Product product) const {
  switch (product) {
    case Product::query_key_value:
      return {Lie::inputs_by_columns, &dims_, &query_key_value_cut_};
    case Product::attention_output:
      return {Lie::inputs_by_rows, &dims_, &attended_cut_};
    case Product::gate_up:
      return {Lie::inputs_by_columns, &dims_, &layer(l).gate_up};
    default:
      return {Lie::inputs_by_rows, &dims_, &layer(l).hidden};
  }
}

void WaferDecoder::multiply(std::int64_t l, Product product) {
  multiply_tiles(placement_.of_layer(l), matrix(l, product), layer(l).weights[std::size_t(product)],
                 std::int64_t(rows_.size()), items_.steps(product));
}

void WaferDecoder::sum_products(std::int64_t l, Product product) {
  sum_lines(matrix(l, product), *plan_of(l).sum_of(product), std::int64_t(rows_.size()));
}

void WaferDecoder::gate(std::int64_t l) {
  const Cut& units = layer(l).hidden;
  const auto hidden = std::int64_t(units.order.size());
  std::vector<float> out(rows_.size() * std::size_t(hidden));
  for (std::size_t v = 0; v < rows_.size(); ++v)
    for (int y = 0; y < units.lines(); ++y) {
      const std::int64_t count = units.count(y), first = units.start[std::size_t(y)];
      const float* in = x_.data() + std::ptrdiff_t(v) * 2 * hidden + 2 * first;  // gates, then ups
      for (std::int64_t i = 0; i < count; ++i)
        out[v * std::size_t(hidden) + std::size_t(first + i)] = swiglu(in[i], in[count + i]);
    }
  x_ = std::move(out);
}

void WaferDecoder::add_residual() {
  for (std::size_t i = 0; i < stream_.size(); ++i) stream_[i] += x_[i];
}

void WaferDecoder::multiply_head() {
  multiply_tiles(placement_.head, {Lie::inputs_by_columns, &dims_, &vocabulary_}, head_,
                 head_items_.tokens.front(), head_items_.steps);
}

void WaferDecoder::sum_head() {
  sum_lines({Lie::inputs_by_columns, &dims_, &vocabulary_}, *head_plan_->logits, head_items_.tokens.front());
}

}  // namespace wafermark::llama

// What happens to the numbers in the phases of a streamed layer, in the number types and the order of the
// tiles.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>

#include "common/errors.hpp"
#include "common/share.hpp"
#include "sparse_llama/kernels/half.hpp"
#include "sparse_llama/kernels/rms_norm.hpp"
#include "sparse_llama/kernels/rope.hpp"
#include "sparse_llama/kernels/swiglu.hpp"
#include "sparse_llama/wafer/streamed_pass.hpp"
#include "sparse_llama/wafer/tile_attention.hpp"
#include "sparse_llama/wafer/tile_weights.hpp"

namespace wafermark::llama {
namespace {

using Dynamic = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace, Kokkos::Schedule<Kokkos::Dynamic>>;

std::vector<Matrix> parts_of(const Configuration& c, StreamedMatrix matrix) {
  switch (matrix) {
    case StreamedMatrix::query_key_value:
      return {Matrix::query, Matrix::key, Matrix::value};
    case StreamedMatrix::attention_output:
      return {Matrix::attention_output};
    case StreamedMatrix::gate_up:
      return {Matrix::gate, Matrix::up};
    case StreamedMatrix::down:
      return {Matrix::down};
    default:
      return {c.tied_embeddings ? Matrix::embedding : Matrix::head};
  }
}

/// Sums of a row of tiles from west to east. parts: [column][row]; sums: [row].
void sum_along_row(const float* parts, std::size_t columns, std::size_t rows, float* sums) {
  std::copy_n(parts, rows, sums);
  for (std::size_t column = 1; column < columns; ++column)
    for (std::size_t v = 0; v < rows; ++v) sums[v] += parts[column * rows + v];
}

}  // namespace

template <class T>
void StreamedPass::multiply_rows(const StreamedShape& shape, const std::vector<Matrix>& parts,
                                 const Cut& inputs, std::span<const StreamedOutput> outputs,
                                 std::uint16_t* all_counts) {
  const auto n = rows_.size(), columns = std::size_t(inputs.lines());
  const bool head = parts.front() == Matrix::head || parts.front() == Matrix::embedding,
             dense = settings_.dense() || head, halves = settings_.value_type == ValueType::bf16;
  const std::int64_t layer = head ? 0 : layer_;
  std::vector<T> x;
  for (const float value : x_) x.push_back(T(as_on_tiles(settings_.value_type, value)));
  std::atomic<bool> broken = false;
  Kokkos::parallel_for(
      "multiply streamed rows", Dynamic(0, std::int64_t(outputs.size())), [&](std::int64_t o) {
        const StreamedOutput& output = outputs[std::size_t(o)];
        std::vector<float> row(std::size_t(shape.inputs));
        source_.row(parts[std::size_t(output.part)], layer, output.row, 0, shape.inputs, row.data());
        if (!head && breaks_pattern(row_of(settings_.format), row.data(), shape.inputs)) broken = true;
        std::vector<float> sums(columns * n, 0.0f);
        std::vector<T> own(n);
        std::uint16_t* counts = all_counts + o * std::int64_t(columns);
        for (std::size_t column = 0; column < columns; ++column) {
          std::fill(own.begin(), own.end(), T(0.0f));
          const std::int64_t begin = inputs.start[column], end = inputs.start[column + 1];
          std::int64_t stored = dense ? end - begin : 0;
          for (std::int64_t k = begin; k < end; ++k) {
            const float w = row[std::size_t(k)];
            if (w == 0) continue;
            if (!dense) ++stored;
            if (n > 0)
              arriving_weight(T(halves ? float(BFloat16(w)) : w), x.data() + k * std::int64_t(n),
                              std::int64_t(n), own.data());
          }
          counts[column] = std::uint16_t(stored);
          for (std::size_t v = 0; v < n; ++v) sums[column * n + v] = float(own[v]);
        }
        if (n > 0) sum_along_row(sums.data(), columns, n, y_.data() + std::size_t(o) * n);
      });
  comm_.throw_together(
      broken,
      fmt::format("{0}: found more than {1} of {2} columns, expected at most {1} for {3}", source_.name,
                  row_of(settings_.format).kept, row_of(settings_.format).of, name_of(settings_.format)));
}

void StreamedPass::multiply(StreamedMatrix matrix) {
  const Configuration& c = source_.configuration;
  const StreamedShape shape = StreamedShape::of(c, matrix);
  const std::vector<Matrix> parts = parts_of(c, matrix);
  const std::vector<StreamedOutput> order = shape.order(place_.width);
  const std::int64_t outputs = shape.outputs(), layer = matrix == StreamedMatrix::head ? 0 : layer_;
  const Share own = share_of(outputs, comm_.rank(), comm_.size());
  const Cut inputs = even_cut(shape.inputs, place_.width);
  const auto mine = std::span(order).subspan(std::size_t(own.first), std::size_t(own.count));
  wse::StreamedWeights& weights = of_pass_->weights[std::size_t(matrix)];
  weights.columns = place_.width;
  weights.keepers.clear();
  for (const StreamedOutput& output : order) weights.keepers.push_back(std::uint16_t(output.keeper));
  weights.counts.assign(std::size_t(own.count * place_.width), 0);
  y_.assign(std::size_t(own.count) * rows_.size(), 0.0f);
  for (const Matrix part : parts) source_.open(part, layer);
  if (settings_.precision() == wse::Precision::fp16)
    multiply_rows<Half>(shape, parts, inputs, mine, weights.counts.data());
  else
    multiply_rows<float>(shape, parts, inputs, mine, weights.counts.data());
  for (const Matrix part : parts) source_.close(part, layer);
  if (comm_.size() > 1) {
    y_ = comm_.all_gather(y_);
    const std::vector<int> part(weights.counts.begin(), weights.counts.end()), all = comm_.all_gather(part);
    weights.counts.assign(all.begin(), all.end());
  }
  const std::size_t n = rows_.size();
  std::vector<float> sorted(y_.size());
  for (std::size_t o = 0; o < order.size(); ++o)
    std::copy_n(y_.begin() + std::ptrdiff_t(o * n), n,
                sorted.begin() + shape.number(order[o]) * std::int64_t(n));
  y_ = std::move(sorted);
  weights.bits.clear();
  double stored = 0;
  for (std::int64_t o = 0; o < outputs; ++o) {
    double of_row = 0;
    for (int x = 0; x < place_.width; ++x) of_row += weights.of(o)[x];
    StreamedSettings of = settings_;
    if (matrix == StreamedMatrix::head) of.format = Format::dense;
    weights.bits.push_back(float(of.bits(shape.inputs, of_row)));
    stored += of_row;
  }
  if (matrix != StreamedMatrix::head) {
    stored_ += stored;
    all_ += double(outputs) * double(shape.inputs);
  }
  set_totals(*of_pass_, place_, matrix, wse::StreamTotals::of(weights));
}

void StreamedPass::normalize(Vector norm) {
  const Configuration& c = source_.configuration;
  const std::size_t n = rows_.size();
  x_.assign(stream_.size(), 0.0f);
  if (n == 0) return;
  const Cut dims = even_cut(c.dim, place_.width);
  std::vector<float> squares(std::size_t(place_.width) * n), sums(n, 0.0f), row(std::size_t(c.dim));
  for (std::size_t v = 0; v < n; ++v) {
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = stream_[i * n + v];
    for (int x = 0; x < place_.width; ++x)
      squares[std::size_t(x) * n + v] =
          sum_of_squares(row.data() + dims.start[std::size_t(x)], dims.count(x));
  }
  const std::vector<int> words{int(n)};
  const wse::LineReduce line(wse::Lines::root_row({{0, 0, place_.width, 1}}), words);
  line.sum(machine_.fabric, squares, sums);
  const std::vector<float> weight = source_.vector(norm, norm == Vector::final_norm ? 0 : layer_);
  for (std::size_t v = 0; v < n; ++v) {
    const float scale = rms_scale(sums[v], c.dim, float(c.norm_epsilon));
    for (std::size_t i = 0; i < row.size(); ++i) x_[i * n + v] = stream_[i * n + v] * scale * weight[i];
  }
}

void StreamedPass::attend() {
  const Configuration& c = source_.configuration;
  const std::size_t n = rows_.size();
  const std::int64_t dims = c.head_dim, half = dims / 2, group = c.heads / c.kv_heads, kv = c.kv_dim();
  auto& caches = caches_[std::size_t(layer_)];
  std::vector<std::vector<float>> queries(n);
  for (std::size_t v = 0; v < n; ++v) {
    std::vector<float> all(std::size_t(c.query_dim() + 2 * kv));
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = y_[i * n + v];
    const auto turn = std::size_t(rows_[v].position * half);
    for (std::int64_t head = 0; head < c.heads + c.kv_heads; ++head)  // queries, then keys
      for (std::int64_t p = 0; p < half; ++p)
        rope_rotate(all[std::size_t(head * dims + p)], all[std::size_t(head * dims + half + p)],
                    turns_.cosine[turn + std::size_t(p)], turns_.sine[turn + std::size_t(p)]);
    for (float& value : all) value = as_on_tiles(settings_.value_type, value);
    Cache& cache = caches[rows_[v].sequence];
    const auto place = std::size_t(rows_[v].position * kv);
    cache.keys.resize(std::max(cache.keys.size(), place + std::size_t(kv)));
    cache.values.resize(cache.keys.size());
    std::copy_n(all.begin() + c.query_dim(), kv, cache.keys.begin() + std::ptrdiff_t(place));
    std::copy_n(all.begin() + c.query_dim() + kv, kv, cache.values.begin() + std::ptrdiff_t(place));
    queries[v].assign(all.begin(), all.begin() + c.query_dim());
  }
  x_.assign(std::size_t(c.query_dim()) * n, 0.0f);
  const float scale = 1.0f / std::sqrt(float(dims));
  Kokkos::parallel_for("streamed attention", Dynamic(0, std::int64_t(n) * c.heads), [&](std::int64_t k) {
    const auto v = std::size_t(k / c.heads);
    const std::int64_t head = k % c.heads;
    const Cache& cache = caches.at(rows_[v].sequence);
    std::vector<float> sum(std::size_t(dims), 0.0f);
    AttentionSum<float> state;
    for (std::int64_t p = 0; p <= rows_[v].position; ++p) {
      const std::int64_t at = p * kv + head / group * dims;
      const float score = score_on_tile(queries[v].data() + head * dims, cache.keys.data() + at, dims, scale);
      attend_on_tile(settings_.value_type, state, score, cache.values.data() + at, dims, sum.data());
    }
    divide_by_sum(state.sum, dims, sum.data());
    for (std::int64_t i = 0; i < dims; ++i) x_[std::size_t(head * dims + i) * n + v] = sum[std::size_t(i)];
  });
}

void StreamedPass::gate() {
  const std::size_t n = rows_.size();
  x_.assign(y_.size() / 2, 0.0f);
  for (std::size_t u = 0; u < x_.size() / std::max<std::size_t>(n, 1); ++u)
    for (std::size_t v = 0; v < n; ++v) x_[u * n + v] = swiglu(y_[2 * u * n + v], y_[(2 * u + 1) * n + v]);
}

void StreamedPass::add_residual() {
  for (std::size_t i = 0; i < stream_.size(); ++i) stream_[i] += y_[i];
}

}  // namespace wafermark::llama

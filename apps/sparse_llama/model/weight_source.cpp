#include "sparse_llama/model/weight_source.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>

#include "sparse_llama/model/tensors.hpp"

namespace wafermark::llama {

MatrixShape shape_of(const Configuration& c, Matrix matrix) {
  switch (matrix) {
    case Matrix::embedding:
    case Matrix::head:
      return {c.vocabulary, c.dim};
    case Matrix::query:
      return {c.query_dim(), c.dim};
    case Matrix::key:
    case Matrix::value:
      return {c.kv_dim(), c.dim};
    case Matrix::attention_output:
      return {c.dim, c.query_dim()};
    case Matrix::gate:
    case Matrix::up:
      return {c.hidden, c.dim};
    case Matrix::down:
      return {c.dim, c.hidden};
  }
  return {};
}

const char* name_of(Matrix matrix) {
  constexpr const char* names[] = {"embedding", "query", "key",  "value", "attention_output",
                                   "gate",      "up",    "down", "head"};
  return names[int(matrix)];
}

DenseMatrix dense_rows(const WeightSource& source, Matrix matrix, std::int64_t layer, std::int64_t first,
                       std::int64_t count) {
  DenseMatrix m(count, shape_of(source.configuration, matrix).columns);
  Kokkos::parallel_for("rows of a matrix", Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>(0, count),
                       [&](std::int64_t r) { source.row(matrix, layer, first + r, 0, m.columns, m.row(r)); });
  return m;
}

DenseMatrix dense_matrix(const WeightSource& source, Matrix matrix, std::int64_t layer) {
  source.open(matrix, layer);
  DenseMatrix m = dense_rows(source, matrix, layer, 0, shape_of(source.configuration, matrix).rows);
  source.close(matrix, layer);
  return m;
}

DenseLayer dense_layer(const WeightSource& source, std::int64_t layer) {
  const auto matrix = [&](Matrix m) { return dense_matrix(source, m, layer); };
  return {source.norm(Norm::attention, layer),
          matrix(Matrix::query),
          matrix(Matrix::key),
          matrix(Matrix::value),
          matrix(Matrix::attention_output),
          source.norm(Norm::feed_forward, layer),
          matrix(Matrix::gate),
          matrix(Matrix::up),
          matrix(Matrix::down)};
}

DenseWeights dense_weights(const WeightSource& source) {
  const Configuration& c = source.configuration;
  DenseWeights w;
  w.configuration = c;
  w.embedding = dense_matrix(source, Matrix::embedding, 0);
  for (std::int64_t l = 0; l < c.layers; ++l) w.layers.push_back(dense_layer(source, l));
  w.final_norm = source.norm(Norm::final, 0);
  if (!c.tied_embeddings) w.head = dense_matrix(source, Matrix::head, 0);
  return w;
}

void expect_numbers(const WeightSource& source) {
  constexpr std::int64_t together = 64;  // rows
  each_place(source.configuration, [&](auto part, std::int64_t layer) {
    if constexpr (std::is_same_v<decltype(part), Matrix>) {
      const std::int64_t rows = shape_of(source.configuration, part).rows;
      source.open(part, layer);
      for (std::int64_t r = 0; r < rows; r += together)
        dense_rows(source, part, layer, r, std::min(together, rows - r));
      source.close(part, layer);
    }
  });
}

WeightSource checkpoint_source(const std::string& name, std::shared_ptr<const DenseWeights> weights) {
  WeightSource source;
  source.name = name;
  source.configuration = weights->configuration;
  source.row = [weights](Matrix matrix, std::int64_t layer, std::int64_t row, std::int64_t first,
                         std::int64_t count, float* out) {
    const Matrix stored =
        matrix == Matrix::head && weights->configuration.tied_embeddings ? Matrix::embedding : matrix;
    std::copy_n(tensor_of(*weights, stored, layer).row(row) + first, count, out);
  };
  source.norm = [weights](Norm norm, std::int64_t layer) { return tensor_of(*weights, norm, layer); };
  return source;
}

}  // namespace wafermark::llama

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

std::int64_t length_of(const Configuration& c, Vector vector) {
  switch (vector) {
    case Vector::query_bias:
      return c.query_dim();
    case Vector::key_bias:
    case Vector::value_bias:
      return c.kv_dim();
    case Vector::query_norm:
    case Vector::key_norm:
      return c.head_dim;
    default:
      return c.dim;
  }
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
  const Configuration& c = source.configuration;
  const auto matrix = [&](Matrix m) { return dense_matrix(source, m, layer); };
  const auto vector_if = [&](bool there, Vector v) {
    return there ? source.vector(v, layer) : std::vector<float>();
  };
  return {source.vector(Vector::attention_norm, layer),
          matrix(Matrix::query),
          matrix(Matrix::key),
          matrix(Matrix::value),
          matrix(Matrix::attention_output),
          source.vector(Vector::feed_forward_norm, layer),
          matrix(Matrix::gate),
          matrix(Matrix::up),
          matrix(Matrix::down),
          vector_if(c.has_biases(), Vector::query_bias),
          vector_if(c.has_biases(), Vector::key_bias),
          vector_if(c.has_biases(), Vector::value_bias),
          vector_if(c.has_head_norms(), Vector::query_norm),
          vector_if(c.has_head_norms(), Vector::key_norm)};
}

DenseWeights dense_weights(const WeightSource& source) {
  const Configuration& c = source.configuration;
  DenseWeights w;
  w.configuration = c;
  w.embedding = dense_matrix(source, Matrix::embedding, 0);
  for (std::int64_t l = 0; l < c.layers; ++l) w.layers.push_back(dense_layer(source, l));
  w.final_norm = source.vector(Vector::final_norm, 0);
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
  source.vector = [weights](Vector vector, std::int64_t layer) { return tensor_of(*weights, vector, layer); };
  return source;
}

}  // namespace wafermark::llama

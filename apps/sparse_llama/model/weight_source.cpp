#include "sparse_llama/model/weight_source.hpp"

#include <algorithm>

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

namespace {
const DenseMatrix& matrix_of(const DenseWeights& w, Matrix matrix, std::int64_t layer) {
  if (matrix == Matrix::embedding || (matrix == Matrix::head && w.configuration.tied_embeddings))
    return w.embedding;
  if (matrix == Matrix::head) return w.head;
  const DenseLayer& l = w.layers[std::size_t(layer)];
  switch (matrix) {
    case Matrix::query:
      return l.query;
    case Matrix::key:
      return l.key;
    case Matrix::value:
      return l.value;
    case Matrix::attention_output:
      return l.attention_output;
    case Matrix::gate:
      return l.gate;
    case Matrix::up:
      return l.up;
    default:
      return l.down;
  }
}
}  // namespace

WeightSource checkpoint_source(const std::string& name, std::shared_ptr<const DenseWeights> weights) {
  WeightSource source;
  source.name = name;
  source.configuration = weights->configuration;
  source.row = [weights](Matrix matrix, std::int64_t layer, std::int64_t row, std::int64_t first,
                         std::int64_t count, float* out) {
    std::copy_n(matrix_of(*weights, matrix, layer).row(row) + first, count, out);
  };
  source.norm = [weights](Norm norm, std::int64_t layer) {
    if (norm == Norm::final) return weights->final_norm;
    const DenseLayer& l = weights->layers[std::size_t(layer)];
    return norm == Norm::attention ? l.attention_norm : l.feed_forward_norm;
  };
  return source;
}

}  // namespace wafermark::llama

#include "sparse_llama/model/tensors.hpp"

namespace wafermark::llama {

DenseWeights weights_without_values(const Configuration& c) {
  const auto matrix = [](std::int64_t rows, std::int64_t columns) {
    DenseMatrix m;
    m.rows = rows;
    m.columns = columns;
    return m;
  };
  DenseLayer layer;
  layer.query = matrix(c.query_dim(), c.dim);
  layer.key = layer.value = matrix(c.kv_dim(), c.dim);
  layer.attention_output = matrix(c.dim, c.query_dim());
  layer.gate = layer.up = matrix(c.hidden, c.dim);
  layer.down = matrix(c.dim, c.hidden);
  DenseWeights w;
  w.configuration = c;
  w.embedding = matrix(c.vocabulary, c.dim);
  w.layers.assign(std::size_t(c.layers), layer);
  if (!c.tied_embeddings) w.head = matrix(c.vocabulary, c.dim);
  return w;
}

}  // namespace wafermark::llama

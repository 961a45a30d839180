// The weights of a model as plain fp32 matrices: the form in which checkpoints are read, pruned, trained,
// written.
#pragma once

#include <vector>

#include "sparse_llama/model/configuration.hpp"

namespace wafermark::llama {

/// Row-major matrix of `rows` outputs by `columns` inputs: y = W x.
struct DenseMatrix {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<float> values;

  DenseMatrix() = default;
  DenseMatrix(std::int64_t r, std::int64_t c) : rows(r), columns(c), values(std::size_t(r * c), 0.0f) {}
  float* row(std::int64_t i) { return values.data() + i * columns; }
  const float* row(std::int64_t i) const { return values.data() + i * columns; }
};

/// One transformer block. The rows of query and key are in Hugging Face order, where RoPE rotates element i
/// of a head with element i + head_dim / 2; readers of other layouts permute them.
struct DenseLayer {
  std::vector<float> attention_norm;                    ///< [dim]
  DenseMatrix query;                                    ///< [query_dim, dim]
  DenseMatrix key;                                      ///< [kv_dim, dim]
  DenseMatrix value;                                    ///< [kv_dim, dim]
  DenseMatrix attention_output;                         ///< [dim, query_dim]
  std::vector<float> feed_forward_norm;                 ///< [dim]
  DenseMatrix gate;                                     ///< [hidden, dim], "w1"
  DenseMatrix up;                                       ///< [hidden, dim], "w3"
  DenseMatrix down;                                     ///< [dim, hidden], "w2"
  std::vector<float> query_bias, key_bias, value_bias;  ///< [query_dim], [kv_dim] twice; empty: none
  std::vector<float> query_norm, key_norm;              ///< [head_dim] of each head; empty: none
};

struct DenseWeights {
  Configuration configuration;
  DenseMatrix embedding;  ///< [vocabulary, dim]
  std::vector<DenseLayer> layers;
  std::vector<float> final_norm;  ///< [dim]
  DenseMatrix head;               ///< [vocabulary, dim]; empty when the embeddings are tied
};

}  // namespace wafermark::llama

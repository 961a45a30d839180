// One block of the Llama architecture over a batch of whole sequences, forward. What the transformer of
// training and the pass through a model that is larger than memory (hidden_states.hpp) are made of.
#pragma once

#include <vector>

#include "sparse_llama/compress/attention.hpp"
#include "sparse_llama/model/dense_weights.hpp"

namespace wafermark::llama {

/// Where a block's norms and matrices lie, row-major.
template <class T>
struct BlockWeights {
  const T *attention_norm, *query, *key, *value, *attention_output, *feed_forward_norm, *gate, *up, *down;
  const T *query_bias = nullptr, *key_bias = nullptr, *value_bias = nullptr;  ///< null: none
  const T *query_norm = nullptr, *key_norm = nullptr;                         ///< of each head; null: none
};
BlockWeights<float> weights_of(const DenseLayer& layer);

/// What is computed in a block, and what its backward pass needs; N rows (tokens of the batch) each.
template <class T>
struct BlockActivations {
  std::vector<T> input;               ///< [N, dim] residual stream entering the block
  std::vector<T> attention_scale;     ///< [N] 1 / root mean square of input
  std::vector<T> attention_input;     ///< [N, dim] normed: what query, key and value multiply
  std::vector<T> query, key, value;   ///< after rotation
  std::vector<T> probabilities;       ///< [sequences, heads, length, length]
  std::vector<T> attended;            ///< [N, query_dim]: what attention_output multiplies
  std::vector<T> middle;              ///< [N, dim] residual stream between the half blocks
  std::vector<T> feed_forward_scale;  ///< [N]
  std::vector<T> feed_forward_input;  ///< [N, dim]: what gate and up multiply
  std::vector<T> gate, up;            ///< [N, hidden]
  std::vector<T> product;             ///< [N, hidden] silu(gate) * up: what down multiplies
};

template <class T>
class Block {
 public:
  Block(const Configuration& configuration, std::int64_t sequences, std::int64_t length);

  BlockActivations<T> room() const;
  /// a.input -> everything else in `a`.
  void forward(const BlockWeights<T>& weights, BlockActivations<T>& a) const {
    attend(weights, a);
    feed_forward(weights, a);
  }
  /// a.middle and a.product -> the stream behind the block, `out` [N, dim].
  void finish(const BlockWeights<T>& weights, const BlockActivations<T>& a, T* out) const;
  /// y = RMSNorm(x) of all rows, with the factor of each.
  void norm(const T* x, const T* weight, T* scale, T* y) const;

  const RopeTable<T>& rope() const { return rope_; }
  CausalAttention<T>& attention() { return attention_; }

 private:
  /// Adds the biases to x [N, heads * head_dim] and norms each head, where there are any.
  void adjust_heads(T* x, std::int64_t heads, const T* bias, const T* norm) const;
  void attend(const BlockWeights<T>& weights, BlockActivations<T>& a) const;
  void feed_forward(const BlockWeights<T>& weights, BlockActivations<T>& a) const;

  Configuration configuration_;
  std::int64_t sequences_, length_, rows_;
  RopeTable<T> rope_;
  CausalAttention<T> attention_;
};

}  // namespace wafermark::llama

// The Llama architecture over a batch of whole sequences, forward and backward. What training, pruning
// (calibration) and perplexity of unpacked models run. Begin reading at forward() in transformer.cpp.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "sparse_llama/compress/attention.hpp"
#include "sparse_llama/compress/parameters.hpp"

namespace wafermark::llama {

/// What the backward pass of one block needs; N rows (tokens of the batch) each.
template <class T>
struct LayerActivations {
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
class Transformer {
 public:
  Transformer(const Configuration& configuration, std::int64_t sequences, std::int64_t length);

  /// tokens [sequences * length] -> logits [N, vocabulary]; parameters as in ParameterLayout.
  void forward(const T* parameters, std::span<const std::int32_t> tokens);
  /// Adds dL/dparameters to `gradient`, given dL/dlogits [N, vocabulary], after forward() with the same
  /// arguments. `feature_gradient(layer, g)` may add dL/dfeatures(layer) to g [N, dim].
  void backward(const T* parameters, std::span<const std::int32_t> tokens, const T* logits_gradient,
                T* gradient, const std::function<void(std::int64_t layer, T* g)>& feature_gradient = {});

  std::int64_t tokens() const { return rows_; }
  std::vector<T>& logits() { return logits_; }
  /// Output of block `layer`, [N, dim].
  const std::vector<T>& features(std::int64_t layer) const {
    return layer + 1 < configuration_.layers ? layers_[std::size_t(layer + 1)].input : final_input_;
  }
  const LayerActivations<T>& activations(std::int64_t layer) const { return layers_[std::size_t(layer)]; }
  const Configuration& configuration() const { return configuration_; }

 private:
  void norm(const T* x, const T* weight, T* scale, T* y) const;
  void norm_backward(const T* x, const T* weight, const T* scale, const T* gradient, T* weight_gradient,
                     T* x_gradient) const;

  Configuration configuration_;
  ParameterLayout layout_;
  std::int64_t sequences_, length_, rows_;
  RopeTable<T> rope_;
  CausalAttention<T> attention_;
  std::vector<LayerActivations<T>> layers_;
  std::vector<T> final_input_, final_scale_, final_normed_, logits_;
  std::vector<T> stream_, wide_a_, wide_b_, wide_c_;  // scratch of the backward pass
};

}  // namespace wafermark::llama

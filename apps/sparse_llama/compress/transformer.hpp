// The Llama architecture over a batch of whole sequences, forward and backward: what training runs. Begin
// reading at forward() in transformer.cpp.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "sparse_llama/compress/block.hpp"
#include "sparse_llama/compress/gradient_sink.hpp"
#include "sparse_llama/compress/parameters.hpp"

namespace wafermark::llama {

template <class T>
class Transformer {
 public:
  Transformer(const Configuration& configuration, std::int64_t sequences, std::int64_t length);

  /// tokens [sequences * length] -> logits [N, vocabulary]; parameters as in ParameterLayout.
  void forward(const T* parameters, std::span<const std::int32_t> tokens);
  /// Adds dL/dparameters to `gradient`, given dL/dlogits [N, vocabulary], after forward() with the same
  /// arguments. `feature_gradient(layer, g)` may add dL/dfeatures(layer) to g [N, dim].
  void backward(const T* parameters, std::span<const std::int32_t> tokens, const T* logits_gradient,
                GradientSink<T>& gradient,
                const std::function<void(std::int64_t layer, T* g)>& feature_gradient = {});

  std::int64_t tokens() const { return rows_; }
  std::vector<T>& logits() { return logits_; }
  /// Output of block `layer`, [N, dim].
  const std::vector<T>& features(std::int64_t layer) const {
    return layer + 1 < configuration_.layers ? layers_[std::size_t(layer + 1)].input : final_input_;
  }
  const BlockActivations<T>& activations(std::int64_t layer) const { return layers_[std::size_t(layer)]; }
  const Configuration& configuration() const { return configuration_; }

 private:
  BlockWeights<T> weights_of_block(const T* parameters, std::int64_t layer) const;
  /// Scratch of `columns` for each row.
  T* sized(std::vector<T>& room, std::int64_t columns) const {
    room.resize(std::size_t(rows_ * columns));
    return room.data();
  }
  void block_backward(const T* parameters, std::int64_t layer, T* gradient);
  void norm_backward(const T* x, const T* weight, const T* scale, const T* gradient, T* weight_gradient,
                     T* x_gradient) const;

  Configuration configuration_;
  ParameterLayout layout_;
  std::int64_t sequences_, length_, rows_;
  Block<T> block_;
  std::vector<BlockActivations<T>> layers_;
  std::vector<T> final_input_, final_scale_, final_normed_, logits_;
  std::vector<T> stream_, wide_a_, wide_b_, wide_c_;  // scratch of the backward pass
};

}  // namespace wafermark::llama

// A pass of whole sequences through a model, block by block: between two blocks only the residual streams are
// kept, and only one block's weights are in memory.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "sparse_llama/compress/block.hpp"
#include "sparse_llama/kernels/softmax_backward.hpp"
#include "sparse_llama/model/weight_source.hpp"

namespace wafermark::llama {

class HiddenStates {
 public:
  /// The streams behind the embedding of tokens [sequences * length].
  HiddenStates(const WeightSource& source, std::span<const std::int32_t> tokens, std::int64_t length);

  /// What a block computes in the sequences, some at a time: `rows` tokens.
  using Look = std::function<void(const BlockActivations<float>& a, std::int64_t rows)>;
  /// Runs the block, and stays before it.
  void look(const BlockWeights<float>& weights, const Look& look) const;
  /// Goes on to behind the block.
  void advance(const BlockWeights<float>& weights);

  /// -ln p(target) of each token, with what stands behind the last block.
  std::vector<TokenLoss<float>> losses(const std::vector<float>& final_norm, const DenseMatrix& head,
                                       std::span<const std::int32_t> targets) const;
  std::int64_t rows() const { return std::int64_t(streams_.size()) / configuration_.dim; }

 private:
  void run(const std::function<void(const Block<float>&, BlockActivations<float>&, std::int64_t first)>&
               visit) const;

  Configuration configuration_;
  std::int64_t length_;
  std::vector<float> streams_;  ///< [sequences * length, dim]
};

/// Bytes that a block's pass takes beside its weights and the streams.
double pass_bytes(const Configuration& configuration, std::int64_t sequences, std::int64_t length);

}  // namespace wafermark::llama

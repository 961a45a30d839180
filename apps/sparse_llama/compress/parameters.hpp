// All weights of a model as one flat array, so that optimiser, masks, reductions and checkpoints are loops
// over numbers. The order is that of model/tensors.hpp.
#pragma once

#include <string>
#include <vector>

#include "sparse_llama/model/weight_source.hpp"

namespace wafermark::llama {

/// One matrix or vector inside the flat array, row-major.
struct ParameterBlock {
  std::string name;  ///< as in Hugging Face checkpoints: "model.layers.0.self_attn.q_proj.weight"
  std::int64_t offset = 0, rows = 0, columns = 0;
  bool in_layer = false;  ///< a matrix of a transformer block: what pruning may touch
  std::int64_t size() const { return rows * columns; }
  std::int64_t end() const { return offset + size(); }
  bool is_matrix() const { return rows > 1; }
};

/// Offsets of one transformer block's norms and matrices, in storage order.
struct LayerOffsets {
  std::int64_t attention_norm, query, key, value, attention_output, feed_forward_norm, gate, up, down;
};

/// Of models of the Llama architecture, the one that is trained.
struct ParameterLayout {
  explicit ParameterLayout(const Configuration& configuration);

  std::vector<ParameterBlock> blocks;
  std::vector<LayerOffsets> layers;
  std::int64_t embedding = 0, final_norm = 0;
  std::int64_t head = 0;  ///< the embedding's offset when tied
  std::int64_t size = 0;

  std::int64_t offset(Matrix matrix, std::int64_t layer) const;
  std::int64_t offset(Vector vector, std::int64_t layer) const;
};

/// Move the model in where it is not needed afterwards: its tensors are let go one by one.
std::vector<float> flatten(DenseWeights weights);
DenseWeights unflatten(const Configuration& configuration, const std::vector<float>& parameters);

/// Rows of the array, which must outlive the source.
WeightSource parameter_source(const Configuration& configuration, const std::vector<float>& parameters);

/// Normal deviates of standard deviation 0.02 (matrices that write to the residual stream: over
/// sqrt(2 layers), as GPT-2), ones for norms. A function of the seed alone.
std::vector<float> initial_parameters(const Configuration& configuration, std::uint64_t seed);

/// 1 where a weight may live, 0 where a block's matrix holds an exact zero: the mask of a pruned model.
std::vector<std::uint8_t> mask_of(const Configuration& configuration, const std::vector<float>& parameters);

}  // namespace wafermark::llama

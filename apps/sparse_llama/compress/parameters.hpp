// All weights of a model as one flat array, so that optimiser, masks, reductions and checkpoints are loops
// over numbers. The order is that of model/tensors.hpp.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "common/share.hpp"
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

  /// The array in pieces, each of which a backward pass ends at once: the embedding, each transformer block,
  /// and what stands behind them (final norm; head, unless tied).
  Share embedding_piece() const { return {0, layers.empty() ? final_norm : layers.front().attention_norm}; }
  Share block_piece(std::int64_t layer) const;
  Share last_piece() const { return {final_norm, size - final_norm}; }
  /// All of them, in the order of the array.
  std::vector<Share> pieces() const;
};

/// What a rank keeps of arrays that are laid out as the parameters are: an even share of each piece, one
/// after the other. So each rank has its part of the work as soon as a piece's gradient is there.
class OwnedParameters {
 public:
  struct Piece {
    Share all;        ///< the piece in the array
    Share own;        ///< this rank's of it, in the array
    std::int64_t at;  ///< and where it begins in what the rank keeps
  };

  OwnedParameters() = default;
  OwnedParameters(const ParameterLayout& layout, int rank, int ranks);

  const std::vector<Piece>& pieces() const { return pieces_; }
  const Piece& piece_at(std::int64_t first) const;  ///< that begins there in the array
  std::int64_t count() const { return pieces_.empty() ? 0 : pieces_.back().at + pieces_.back().own.count; }
  /// A model of this size is cut so.
  std::int64_t size() const { return pieces_.empty() ? 0 : pieces_.back().all.end(); }

 private:
  std::vector<Piece> pieces_;
};

/// Calls visit(block, part, at) for the parts of the layout's blocks that the rank keeps: `part` lies in the
/// array, `at` is where it begins in what the rank keeps.
template <class Visit>
void each_owned_part(const ParameterLayout& layout, const OwnedParameters& owned, const Visit& visit) {
  auto piece = owned.pieces().begin();
  for (const ParameterBlock& block : layout.blocks) {
    while (piece->all.end() <= block.offset) ++piece;
    const std::int64_t first = std::max(block.offset, piece->own.first),
                       end = std::min(block.end(), piece->own.end());
    if (first < end) visit(block, Share{first, end - first}, piece->at + first - piece->own.first);
  }
}

/// Move the model in where it is not needed afterwards: its tensors are let go one by one.
std::vector<float> flatten(DenseWeights weights);
DenseWeights unflatten(const Configuration& configuration, const std::vector<float>& parameters);

/// Rows of the array, which must outlive the source.
WeightSource parameter_source(const Configuration& configuration, const std::vector<float>& parameters);

/// Normal deviates of standard deviation 0.02 (matrices that write to the residual stream: over
/// sqrt(2 layers), as GPT-2), ones for norms. A function of the seed alone.
std::vector<float> initial_parameters(const Configuration& configuration, std::uint64_t seed);

/// 1 where a weight may live, 0 where a block's matrix holds an exact zero: the mask of a pruned model, of
/// the parameters that a rank owns.
std::vector<std::uint8_t> mask_of(const ParameterLayout& layout, const OwnedParameters& owned,
                                  const std::vector<float>& parameters);

}  // namespace wafermark::llama

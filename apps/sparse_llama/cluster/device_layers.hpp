// The layers of a model as a device runs them: six kernels a layer, or those of batch_products.hpp for many
// rows, between which the host waits for nothing and whose arguments are those of every pass over as many
// rows, so that a graph can have them. Begin reading at attend() and feed_forward() in device_layers.cpp.
#pragma once

#include <span>

#include "sparse_llama/cluster/active_inputs.hpp"
#include "sparse_llama/cluster/batch_products.hpp"
#include "sparse_llama/cluster/rank_weights.hpp"
#include "sparse_llama/cluster/split_attention.hpp"
#include "sparse_llama/cluster/token_choice.hpp"

namespace wafermark::llama {

/// What a pass reads and writes beside the weights. Views: whoever makes it shares them.
struct PassArrays {
  Rows stream, query_key_value, attended, gated, logits;
  Kokkos::View<TokenRow*, MemSpace> rows;
  KeyValueCache cache;
  Turns turns;
};

class DeviceLayers {
 public:
  /// Whether the weights lie as the kernels want them: not in slices for CPUs.
  static bool suits(const RankWeights& weights);
  /// The weights must outlive it. For at most so many rows at once.
  DeviceLayers(const RankWeights& weights, const PassArrays& arrays, std::int64_t most_rows, BatchForm form);

  /// Notes the rows of a pass, for embed(). The host waits where those of the pass before may not have been
  /// read.
  void note(std::span<const TokenRow> rows);
  /// The stream of these rows: those of the embedding that this rank has, zeros for others.
  void embed(KernelChain& kernels);
  /// To be called when the host has waited for all of the pass.
  void waited() { given_under_way_ = false; }
  /// Adds this rank's part of attention to the stream, or puts it there.
  void attend(KernelChain& kernels, std::int64_t layer, PairEnd end);
  void feed_forward(KernelChain& kernels, std::int64_t layer, PairEnd end);
  /// To be called when others than these functions have changed the stream.
  void stream_changed() { squares_.parts = 0; }
  /// This rank's logits of the first n rows.
  void head(KernelChain& kernels, std::int64_t n);

  /// Whether a pass over n rows calls the device's library of matrix products.
  bool calls_library(std::int64_t n) const;
  /// For results: what has multiplied.
  std::string in_words() const;

  /// Hidden units that were zero, of all so far, where the weights have a threshold. Waits.
  std::int64_t inactive() const;

 private:
  void multiply(KernelChain& kernels, const PackedMatrix& matrix, const ProductInput& in,
                const ProductOutput& out);
  void sum_squares(KernelChain& kernels, std::int64_t n);
  ProductInput normed(const Kokkos::View<float*, MemSpace>& weight, std::int64_t n) const;
  AttentionPass pass(std::int64_t layer) const;

  const RankWeights& weights_;
  PassArrays arrays_;
  Kokkos::View<TokenRow*, SharedSpace> given_;
  bool given_under_way_ = false;
  std::int64_t count_ = 0, attended_ = 0;  ///< rows of this pass, positions
  SquareSums squares_;                     ///< of the stream; no parts: nobody has summed them
  std::int64_t most_rows_;
  BatchForm form_;
  std::optional<BatchProducts> batch_;  ///< made for the first batch that is large enough
  SplitAttention attention_;
  std::int64_t most_parts_;  ///< of any row
  ActiveInputs active_product_;
  Kokkos::View<std::int64_t, MemSpace> zeros_;
};

}  // namespace wafermark::llama

// One rank's weights, packed.
#pragma once

#include <optional>

#include "common/communicator.hpp"
#include "sparse_llama/cluster/kernel_form.hpp"
#include "sparse_llama/model/packed_matrix.hpp"
#include "sparse_llama/model/shares.hpp"
#include "sparse_llama/model/weight_source.hpp"

namespace wafermark::llama {

struct RankLayer {
  Kokkos::View<float*, MemSpace> attention_norm, feed_forward_norm;  ///< [dim]
  PackedMatrix query_key_value;   ///< [(heads + 2 kv_heads) * head_dim of this rank, dim]
  PackedMatrix attention_output;  ///< [dim, heads * head_dim of this rank]
  PackedMatrix gate_up;           ///< [2 * hidden of this rank, dim]
  PackedMatrix down;              ///< [dim, hidden of this rank]; by inputs: [hidden of this rank, dim]
  Kokkos::View<float*, MemSpace> query_key_value_bias = {};  ///< of the rows of query_key_value; empty: none
  Kokkos::View<float*, MemSpace> query_norm = {}, key_norm = {};  ///< [head_dim] of each head; empty: none
};

struct RankWeights {
  std::string name;  ///< of the model
  Configuration configuration;
  Shares shares;
  std::vector<RankLayer> layers;
  Kokkos::View<float*, MemSpace> final_norm;  ///< [dim]
  PackedMatrix embedding;                     ///< [vocabulary of this rank, dim], dense
  PackedMatrix head;                          ///< the same, dense; empty when tied
  /// Hidden units whose activation is at most this in size count as zero, and their weights of `down`, which
  /// is stored by inputs, are not read. Nothing: all are read.
  std::optional<float> activation_threshold = std::nullopt;

  const PackedMatrix& output_head() const { return configuration.tied_embeddings ? embedding : head; }
  /// Calls visit with every matrix that one token multiplies, the head included.
  void each_multiplied(const std::function<void(const PackedMatrix&)>& visit) const;
};

/// Packs this rank's part of the source: layers as `format` and `type`, embedding and head dense. Throws
/// InputError when so many ranks cannot share the model's heads, or when a threshold goes with a
/// format other than dense and bit_mask. Of a hollow source, sizes only. Rows lie as the kernels of `form`
/// want them. Collective.
RankWeights pack_rank_weights(const Communicator& comm, const WeightSource& source, Format format,
                              ValueType type, std::optional<float> activation_threshold = {},
                              KernelForm form = native_form());

}  // namespace wafermark::llama

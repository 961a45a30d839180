// Attention as a device runs it: the positions of a sequence are shared by teams, so that one token keeps a
// whole device busy. Where several teams have a part of a sequence, the last to end merges what all found.
#pragma once

#include "sparse_llama/cluster/attention_rows.hpp"
#include "sparse_llama/cluster/kernel_graph.hpp"

namespace wafermark::llama {

/// Biases and norms of heads, where the model has such.
struct HeadAdjustments {
  const float* bias = nullptr;  ///< of the rows of the product
  const float *query_norm = nullptr, *key_norm = nullptr;
  float epsilon = 0;
};

/// Cosines and sines of RoPE, [position][head_dim / 2].
struct Turns {
  Kokkos::View<float**, Kokkos::LayoutRight, MemSpace> cosine, sine;
};

/// Adjusts and turns the queries of the pass in place, and stores their adjusted and turned keys, and their
/// values, in the cache. One kernel.
void place_heads(KernelChain& kernels, const AttentionPass& pass, const HeadAdjustments& adjust,
                 const Turns& turns, std::int64_t heads, const Rows& qkv, const KeyValueCache& cache);

class SplitAttention {
 public:
  /// Positions that a team takes in at a time, whole key blocks and warps.
  explicit SplitAttention(std::int64_t part_positions = 128);

  /// Parts that a row of a sequence of so many positions has at most, which attends to `window` of them (0:
  /// all).
  std::int64_t most_parts(std::int64_t positions, std::int64_t window) const;
  /// As attend_rows(). One kernel, the same whatever positions the rows have; `most_parts`: of any of them.
  void attend(KernelChain& kernels, const AttentionPass& pass, std::int64_t most_parts, std::int64_t heads,
              const Rows& qkv, const KeyValueCache& cache, const Rows& out);

 private:
  template <class Cached>
  void attend_to(KernelChain& kernels, const AttentionPass& pass, std::int64_t most_parts, std::int64_t heads,
                 const Rows& qkv, const CacheArrays<Cached>& cache, const Rows& out);

  std::int64_t part_;
  Kokkos::View<float*, MemSpace> weighted_, tops_, sums_;  ///< of splits: [row][head][split]([head_dim])
  Kokkos::View<int*, MemSpace> written_;                   ///< splits: zero between launches
};

}  // namespace wafermark::llama

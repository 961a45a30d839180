// What a rank holds of a model (Shoeybi et al. 2019, "Megatron"): query, key, value, gate and up are cut by
// outputs (heads, hidden), attention_output and down by inputs, so that a half block needs one sum over
// ranks. Embedding and head are cut by tokens of the vocabulary.
#pragma once

#include "sparse_llama/model/configuration.hpp"

namespace wafermark::llama {

/// Elements [first, first + count).
struct Share {
  std::int64_t first, count;
};
/// As even as whole elements allow.
inline Share share_of(std::int64_t total, int rank, int ranks) {
  const std::int64_t first = total * rank / ranks;
  return {first, total * (rank + 1) / ranks - first};
}

struct Shares {
  Share kv_heads, heads, hidden, vocabulary;

  Shares(const Configuration& c, int rank, int ranks)
      : kv_heads(share_of(c.kv_heads, rank, ranks)),
        heads{kv_heads.first * (c.heads / c.kv_heads), kv_heads.count * (c.heads / c.kv_heads)},
        hidden(share_of(c.hidden, rank, ranks)),
        vocabulary(share_of(c.vocabulary, rank, ranks)) {}
};

}  // namespace wafermark::llama

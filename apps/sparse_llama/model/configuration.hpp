// What shapes a model of the Llama architecture (versions 2 and 3) and of those close to it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "sparse_llama/model/architecture.hpp"

namespace wafermark::llama {

/// How RoPE frequencies are slowed down for longer contexts (config.json "rope_scaling"): type "llama3",
/// Llama 3.1's rule, or "linear", where all are divided by `factor` and the other numbers mean nothing.
/// Factor 1 leaves them as they are.
struct RopeScaling {
  double factor = 1;
  double low_frequency_factor = 1;
  double high_frequency_factor = 4;
  std::int64_t original_context = 8192;
  bool linear = false;

  bool operator==(const RopeScaling&) const = default;
};

/// Beyond these a number in a file is no size but a mistake.
inline constexpr std::int64_t largest_extent = 1 << 24, most_layers = 4096;

/// Sizes count elements. head_dim is stored, since some models do not have dim / heads.
struct Configuration {
  std::int64_t dim = 0;
  std::int64_t layers = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;  ///< divides heads: query heads share key/value heads in equal groups
  std::int64_t head_dim = 0;
  std::int64_t hidden = 0;  ///< of the feed-forward block
  std::int64_t vocabulary = 0;
  std::int64_t context = 0;  ///< longest sequence, tokens
  double norm_epsilon = 1e-5;
  double rope_theta = 10000;
  RopeScaling rope_scaling;
  bool tied_embeddings = false;  ///< the output head is the embedding table
  Architecture architecture = Architecture::llama;
  std::int64_t sliding_window =
      0;  ///< a token attends to so many tokens, itself included; 0: to all before it

  std::int64_t query_dim() const { return heads * head_dim; }
  std::int64_t kv_dim() const { return kv_heads * head_dim; }
  bool has_biases() const { return row_of(architecture).attention_biases; }
  bool has_head_norms() const { return row_of(architecture).query_key_norms; }
  /// The first position that a token at `position` attends to.
  std::int64_t first_seen(std::int64_t position) const {
    return sliding_window > 0 ? std::max<std::int64_t>(0, position + 1 - sliding_window) : 0;
  }
};

}  // namespace wafermark::llama

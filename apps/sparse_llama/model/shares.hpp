// What a rank holds of a model (Shoeybi et al. 2019, "Megatron"): query, key, value, gate and up are cut by
// outputs (heads, hidden), attention_output and down by inputs, so that a half block needs one sum over
// ranks. Embedding and head are cut by tokens of the vocabulary. Where there are more ranks than key/value
// heads, several ranks hold the same one, and deal its query heads among them.
#pragma once

#include <fmt/format.h>

#include "common/errors.hpp"
#include "common/share.hpp"
#include "sparse_llama/model/configuration.hpp"

namespace wafermark::llama {

using wafermark::share_of;  // beside the one of pruning

struct Shares {
  Share kv_heads, heads, hidden, vocabulary;

  /// For ranks that expect_ranks_fit() lets pass.
  Shares(const Configuration& c, int rank, int ranks)
      : kv_heads(share_of(c.kv_heads, rank, ranks)),
        heads{kv_heads.first * (c.heads / c.kv_heads), kv_heads.count * (c.heads / c.kv_heads)},
        hidden(share_of(c.hidden, rank, ranks)),
        vocabulary(share_of(c.vocabulary, rank, ranks)) {
    if (ranks <= c.kv_heads) return;
    kv_heads = {c.kv_heads * rank / ranks, 1};
    heads = share_of(c.heads, rank, ranks);
  }
};

/// Throws InputError that names `model` unless so many ranks can share its heads: each has as many key/value
/// heads as another (give or take one), or each of these is shared by equally many ranks with as many query
/// heads each.
inline void expect_ranks_fit(const Configuration& c, int ranks, const std::string& model) {
  if (ranks > c.kv_heads && (ranks % c.kv_heads != 0 || c.heads % ranks != 0))
    throw InputError(
        fmt::format("{}: found {} ranks, expected at most the model's {} key/value heads, or a multiple of "
                    "them that divides "
                    "its {} query heads",
                    model, ranks, c.kv_heads, c.heads));
}

}  // namespace wafermark::llama

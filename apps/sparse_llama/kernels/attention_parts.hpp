// Attention worked out in parts of a sequence, which are merged (Dao et al. 2023, "Flash-Decoding"): each
// part has its AttentionSum and, over the same top, its weighted sum of values.
#pragma once

#include "sparse_llama/kernels/attention.hpp"

namespace wafermark::llama {

/// sums[h] += query h . key for the H queries [H][head_dim] of a team and one position, whose key lies as
/// key_place() says: its elements are key_block apart.
template <int H, class T, class Cached>
KOKKOS_INLINE_FUNCTION void key_dots(const T* queries, const Cached* key, std::int64_t head_dim,
                                     T (&sums)[H]) {
  for (std::int64_t i = 0; i < head_dim; ++i) {
    const T element = T(key[i * key_block]);
    for (int h = 0; h < H; ++h) sums[h] += queries[h * head_dim + i] * element;
  }
}

/// sums[h] += sum over positions p of weights[h][p] times one element of their values, which lie `stride`
/// apart; weights of a query are `row` apart.
template <int H, class T, class Cached>
KOKKOS_INLINE_FUNCTION void value_sums(const T* weights, std::int64_t row, std::int64_t positions,
                                       const Cached* element, std::int64_t stride, T (&sums)[H]) {
  for (std::int64_t p = 0; p < positions; ++p) {
    const T value = T(element[p * stride]);
    for (int h = 0; h < H; ++h) sums[h] += weights[h * row + p] * value;
  }
}

/// Makes `top` the top of what was summed over a lower one: returns what its weighted values are multiplied
/// by.
template <class T>
KOKKOS_INLINE_FUNCTION T raise_top(AttentionSum<T>& state, T top) {
  const T fade = weight_of_score(state.top, top);
  state.top = top;
  state.sum *= fade;
  return fade;
}

}  // namespace wafermark::llama

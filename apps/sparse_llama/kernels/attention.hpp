// Attention of one query to the keys and values seen so far, with the softmax built up as they come (Milakov
// and Gimelshein 2018): no room for the scores is needed, and parts of a sequence can be merged.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

#include "sparse_llama/kernels/dot.hpp"

namespace wafermark::llama {

/// Of the scores so far: the largest, and the sum of exp(score - top). The weighted sum of values that goes
/// with it is kept beside it, over the same top.
template <class T>
struct AttentionSum {
  T top = -Kokkos::Experimental::finite_max_v<float>;
  T sum = 0;
};

/// Takes in one more position: its score and its value [head_dim].
template <class T, class Cached>
KOKKOS_INLINE_FUNCTION void attend(AttentionSum<T>& state, T score, const Cached* value,
                                   std::int64_t head_dim, T* weighted) {
  using Kokkos::exp;
  if (score > state.top) {
    const T fade = exp(state.top - score);
    state.top = score;
    state.sum *= fade;
    for (std::int64_t i = 0; i < head_dim; ++i) weighted[i] *= fade;
  }
  const T weight = exp(score - state.top);
  state.sum += weight;
  for (std::int64_t i = 0; i < head_dim; ++i) weighted[i] += weight * T(value[i]);
}

/// Counts from another top, not below the present one: as the parts of a sequence do before they are added.
template <class T>
KOKKOS_INLINE_FUNCTION void move_top(AttentionSum<T>& state, T top, std::int64_t head_dim, T* weighted) {
  using Kokkos::exp;
  const T fade = exp(state.top - top);
  state.top = top;
  state.sum *= fade;
  for (std::int64_t i = 0; i < head_dim; ++i) weighted[i] *= fade;
}

/// The attention from the weighted sum of all values, whose weights sum to `sum`.
template <class T>
KOKKOS_INLINE_FUNCTION void divide_by_sum(T sum, std::int64_t head_dim, T* weighted) {
  const T inverse = T(1) / sum;
  for (std::int64_t i = 0; i < head_dim; ++i) weighted[i] *= inverse;
}

/// The attention of `query` to `seen` positions, whose keys and values [seen][head_dim] lie one after the
/// other: softmax(scale * query . key) times the values, into output [head_dim].
template <class T, class Cached>
KOKKOS_INLINE_FUNCTION void attention(const T* query, const Cached* keys, const Cached* values,
                                      std::int64_t seen, std::int64_t head_dim, T scale, T* output) {
  AttentionSum<T> state;
  for (std::int64_t i = 0; i < head_dim; ++i) output[i] = 0;
  for (std::int64_t p = 0; p < seen; ++p) {
    const T score = dot(query, keys + p * head_dim, head_dim);
    attend(state, score * scale, values + p * head_dim, head_dim, output);
  }
  divide_by_sum(state.sum, head_dim, output);
}

}  // namespace wafermark::llama

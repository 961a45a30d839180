// Attention of one query to the keys and values seen so far, with the softmax built up as they come (Milakov
// and Gimelshein 2018): no room for the scores is needed, and parts of a sequence can be merged.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

#include "sparse_llama/kernels/cached_head.hpp"
#include "sparse_llama/kernels/exponential.hpp"
#include "sparse_llama/kernels/vector_loop.hpp"

namespace wafermark::llama {

/// Of the scores so far: the largest, and the sum of exp(score - top). The weighted sum of values that goes
/// with it is kept beside it, over the same top.
template <class T>
struct AttentionSum {
  T top = -Kokkos::Experimental::finite_max_v<float>;
  T sum = 0;
};

/// scores[p] = scale * query . key p of P positions whose keys stand side by side, keys[head_dim][P].
template <int P, class T, class Cached>
KOKKOS_INLINE_FUNCTION void attention_scores(const T* query, const Cached* keys, std::int64_t head_dim,
                                             T scale, T (&scores)[P]) {
  constexpr int chains = 4;  // sums that do not wait for each other
  T sums[chains][P] = {};
  const auto add = [&](T(&to)[P], std::int64_t i) {
    WAFERMARK_VECTOR_LOOP
    for (int p = 0; p < P; ++p) to[p] += query[i] * T(keys[i * P + p]);
  };
  std::int64_t i = 0;
  for (; i + chains <= head_dim; i += chains)
    for (int c = 0; c < chains; ++c) add(sums[c], i + c);
  for (; i < head_dim; ++i) add(sums[0], i);
  WAFERMARK_VECTOR_LOOP
  for (int p = 0; p < P; ++p) scores[p] = scale * ((sums[0][p] + sums[1][p]) + (sums[2][p] + sums[3][p]));
}

/// Brings what was summed to a larger top: it fades.
template <class T>
KOKKOS_INLINE_FUNCTION void raise_top(AttentionSum<T>& state, T top, std::int64_t head_dim, T* weighted) {
  const T fade = exponential(state.top - top);
  state.top = top;
  state.sum *= fade;
  for (std::int64_t i = 0; i < head_dim; ++i) weighted[i] *= fade;
}

/// Takes in P more positions: their scores, and their values [P][head_dim], integers times scales[P].
template <int P, class T, class Cached>
KOKKOS_INLINE_FUNCTION void attend(AttentionSum<T>& state, const T (&scores)[P], const Cached* values,
                                   std::int64_t head_dim, T* weighted,
                                   [[maybe_unused]] const float* scales = nullptr) {
  T top = scores[0];
  for (int p = 1; p < P; ++p) top = scores[p] > top ? scores[p] : top;
  if (top > state.top) raise_top(state, top, head_dim, weighted);
  T weights[P];
  WAFERMARK_VECTOR_LOOP
  for (int p = 0; p < P; ++p) weights[p] = exponential(scores[p] - state.top);
  for (int p = 0; p < P; ++p) state.sum += weights[p];
  if constexpr (is_scaled<Cached>)
    for (int p = 0; p < P; ++p) weights[p] *= scales[p];
  constexpr int parts = 16;  // columns that stay in registers for all positions
  std::int64_t i = 0;
  for (; i + parts <= head_dim; i += parts) {
    T sums[parts];
    WAFERMARK_VECTOR_LOOP
    for (int k = 0; k < parts; ++k) sums[k] = weighted[i + k];
    for (int p = 0; p < P; ++p) {
      WAFERMARK_VECTOR_LOOP
      for (int k = 0; k < parts; ++k) sums[k] += weights[p] * T(values[p * head_dim + i + k]);
    }
    WAFERMARK_VECTOR_LOOP
    for (int k = 0; k < parts; ++k) weighted[i + k] = sums[k];
  }
  for (; i < head_dim; ++i)
    for (int p = 0; p < P; ++p) weighted[i] += weights[p] * T(values[p * head_dim + i]);
}

/// The weight of a position among others of which the largest score is known.
template <class T>
KOKKOS_INLINE_FUNCTION T weight_of_score(T score, T top) {
  return exponential(score - top);
}

/// Takes in a position with its weight and value.
template <class T, class Cached>
KOKKOS_INLINE_FUNCTION void add_weighted(T weight, const Cached* value, std::int64_t head_dim, T* weighted,
                                         T& sum) {
  sum += weight;
  for (std::int64_t i = 0; i < head_dim; ++i) weighted[i] += weight * T(value[i]);
}

/// The attention from the weighted sum of all values, whose weights sum to `sum`.
template <class T>
KOKKOS_INLINE_FUNCTION void divide_by_sum(T sum, std::int64_t head_dim, T* weighted) {
  const T inverse = T(1) / sum;
  for (std::int64_t i = 0; i < head_dim; ++i) weighted[i] *= inverse;
}

/// Queries that share a pass over keys and values on hosts (attention_block.hpp), at most.
inline constexpr std::int64_t query_block = 32;

/// The attention of `query` to positions [begin, seen) of a head: softmax(scale * query . key) times the
/// values, into output [head_dim]. Reads keys and values of whole blocks, which must be numbers.
template <class T, class Cached>
KOKKOS_INLINE_FUNCTION void attention(const T* query, const CachedHead<Cached>& head, std::int64_t begin,
                                      std::int64_t seen, std::int64_t head_dim, T scale, T* output) {
  AttentionSum<T> state;
  for (std::int64_t i = 0; i < head_dim; ++i) output[i] = 0;
  const std::int64_t first_block = begin / key_block * key_block;
  std::int64_t place = head.place(first_block);
  for (std::int64_t first = first_block; first < seen; first += key_block, place = head.next_block(place)) {
    T scores[key_block];
    attention_scores(query, head.keys + place * head_dim, head_dim, scale, scores);
    if constexpr (is_scaled<Cached>)
      for (int p = 0; p < key_block; ++p) scores[p] *= head.key_scales[place + p];
    for (int p = 0; p < key_block; ++p)
      if (first + p >= seen || first + p < begin) scores[p] = AttentionSum<T>().top;
    attend(state, scores, head.values + place * head_dim, head_dim, output,
           is_scaled<Cached> ? head.value_scales + place : nullptr);
  }
  divide_by_sum(state.sum, head_dim, output);
}

}  // namespace wafermark::llama

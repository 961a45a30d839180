// Attention of several queries to the same keys and values, on hosts: what comes from the cache of keys and
// values is loaded once for several queries, and a block of keys stays in the first cache for all of them.
// Each query's arithmetic is the same, and in the same order, whichever others are with it.
#pragma once

#include <algorithm>

#include "sparse_llama/kernels/attention.hpp"
#include "sparse_llama/kernels/attention_lanes.hpp"
#include "sparse_llama/kernels/dot.hpp"

namespace wafermark::llama {

/// A query [head_dim], the positions [begin, seen) that it attends to, and where its attention goes
/// [head_dim].
struct AttentionQuery {
  const float* query;
  float* output;
  std::int64_t begin, seen;
};

namespace attention_lanes {

/// scores[q][p] = scale * query q . key p of a block of keys[head_dim][key_block].
template <int Q, class Cached>
inline void scores_of(const AttentionQuery* queries, const Cached* keys, std::int64_t head_dim, float scale,
                      float (&scores)[Q][key_block]) {
  constexpr int parts = key_block / lanes,
                chains = lanes == 16 ? 2 : 1;  // sums that do not wait for each other
  Lanes sums[Q][chains][parts] = {};
  for (std::int64_t i = 0; i < head_dim; i += chains)
#pragma GCC unroll 2
    for (int c = 0; c < chains; ++c)
#pragma GCC unroll 8
      for (int part = 0; part < parts; ++part) {
        const Lanes key = load_once(keys + (i + c) * key_block + part * lanes);
#pragma GCC unroll 8
        for (int q = 0; q < Q; ++q) sums[q][c][part] += key * queries[q].query[i + c];
      }
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 8
    for (int part = 0; part < parts; ++part) {
#pragma GCC unroll 2
      for (int c = 1; c < chains; ++c) sums[q][0][part] += sums[q][c][part];
      store(scores[q] + part * lanes, scale * sums[q][0][part]);
    }
}

/// Queries for which a number of the cache is loaded once: eight, where registers have room for their sums
/// and a load takes conversions; of fp32 four, since eight take heads of 128 dimensions in narrower strips
/// (1.1 times the time on a Zen 5).
template <class Cached>
constexpr int queries_together = lanes == 16 && sizeof(Cached) < sizeof(float) ? 8 : 4;
/// Columns of values whose sums stay in registers for Q queries.
template <int Q>
constexpr int value_columns = lanes < 16 ? 16 : (Q > 4 ? 32 : 64);

/// output[q] += sum_p weights[q][p] value p in some columns of values[key_block][head_dim], from `column` on.
template <int Q, int columns, class Cached>
inline void add_values(const AttentionQuery* queries, const Cached* values, std::int64_t head_dim,
                       std::int64_t column, const float (&weights)[Q][key_block]) {
  constexpr int registers = columns / lanes;
  Lanes sums[Q][registers];
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 8
    for (int r = 0; r < registers; ++r) sums[q][r] = load(queries[q].output + column + r * lanes);
  for (int p = 0; p < key_block; ++p) {
    Lanes value[registers];
#pragma GCC unroll 8
    for (int r = 0; r < registers; ++r) value[r] = load_once(values + p * head_dim + column + r * lanes);
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q)
#pragma GCC unroll 8
      for (int r = 0; r < registers; ++r) sums[q][r] += value[r] * weights[q][p];
  }
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 8
    for (int r = 0; r < registers; ++r) store(queries[q].output + column + r * lanes, sums[q][r]);
}

/// parts[0] = the largest of 2 * half parts.
template <int half>
inline void keep_larger(float* parts) {
  for (int p = 0; p < half; ++p) parts[p] = parts[p] < parts[p + half] ? parts[p + half] : parts[p];
  if constexpr (half > 1) keep_larger<half / 2>(parts);
}

/// From scores of the positions from `first` on to weights over the largest score so far. None where the
/// query does not see the block.
inline void weigh(const AttentionQuery& query, std::int64_t first, std::int64_t head_dim,
                  AttentionSum<float>& state, float (&scores)[key_block]) {
  const std::int64_t from = query.begin - first, to = query.seen - first;
  if (from >= key_block || to <= 0) {
    std::fill_n(scores, key_block, 0.0f);
    return;
  }
  if (from > 0 || to < key_block)
    for (int p = 0; p < key_block; ++p)
      if (p < from || p >= to) scores[p] = AttentionSum<float>().top;
  float parts[key_block];
  std::copy_n(scores, key_block, parts);
  keep_larger<key_block / 2>(parts);
  if (parts[0] > state.top) {
    const float fade = exponential(state.top - parts[0]);
    state.top = parts[0];
    state.sum *= fade;
    for (std::int64_t i = 0; i < head_dim; ++i) query.output[i] *= fade;
  }
  const float top = state.top;
  WAFERMARK_VECTOR_LOOP
  for (int p = 0; p < key_block; ++p) scores[p] = exponential(scores[p] - top);
  std::copy_n(scores, key_block, parts);
  fold<key_block / 2>(parts);
  state.sum += parts[0];
}

inline void scale_by(const float* scales, float (&numbers)[key_block]) {
  WAFERMARK_VECTOR_LOOP
  for (int p = 0; p < key_block; ++p) numbers[p] *= scales[p];
}

/// The positions of a cache from `first` on: keys [head_dim][key_block], values [key_block][head_dim], and
/// what they are to be multiplied with where they are `scaled`.
template <class Number, bool scaled>
struct PositionBlock {
  std::int64_t first;
  const Number *keys, *values;
  const float *key_scales, *value_scales;
};

/// Takes a block in for Q queries. Not inline: within more code GCC 12 keeps sums on the stack (1.1 times the
/// time).
template <int Q, class Number, bool scaled>
[[gnu::noinline]] void take_block(const AttentionQuery* queries, AttentionSum<float>* states,
                                  const PositionBlock<Number, scaled>& block, std::int64_t head_dim,
                                  float scale) {
  alignas(64) float weights[Q][key_block];
  scores_of<Q>(queries, block.keys, head_dim, scale, weights);
  for (int q = 0; q < Q; ++q) {
    if constexpr (scaled) scale_by(block.key_scales, weights[q]);
    weigh(queries[q], block.first, head_dim, states[q], weights[q]);
    if constexpr (scaled) scale_by(block.value_scales, weights[q]);
  }
  constexpr int columns = value_columns<Q>;
  static_assert(columns % key_block == 0);
  std::int64_t column = 0;
  for (; column + columns <= head_dim; column += columns)
    add_values<Q, columns>(queries, block.values, head_dim, column, weights);
  for (; column < head_dim; column += key_block)
    add_values<Q, key_block>(queries, block.values, head_dim, column, weights);
}

/// Takes a block in for n queries, Q at a time while there are so many, then fewer.
template <int Q, class Number, bool scaled>
inline void take_block_of_all(const AttentionQuery* queries, AttentionSum<float>* states, int n,
                              const PositionBlock<Number, scaled>& block, std::int64_t head_dim,
                              float scale) {
  int q = 0;
  for (; q + Q <= n; q += Q) take_block<Q>(queries + q, states + q, block, head_dim, scale);
  if constexpr (Q > 1)
    take_block_of_all<Q == 8 ? 4 : 1>(queries + q, states + q, n - q, block, head_dim, scale);
}

}  // namespace attention_lanes

/// Whether attention_of_queries() takes heads of this size.
constexpr bool suits_attention_of_queries(std::int64_t head_dim) { return head_dim % key_block == 0; }

/// attention() of each of n <= query_block queries with the same keys and values.
template <class Cached>
inline void attention_of_queries(const AttentionQuery* queries, int n, const CachedHead<Cached>& head,
                                 std::int64_t head_dim, float scale) {
  using namespace attention_lanes;
  constexpr bool scaled = is_scaled<Cached>;
  AttentionSum<float> states[query_block];
  std::int64_t begin = queries[0].begin, end = 0;
  for (int q = 0; q < n; ++q) {
    std::fill_n(queries[q].output, head_dim, 0.0f);
    begin = std::min(begin, queries[q].begin);
    end = std::max(end, queries[q].seen);
  }
  const std::int64_t first_block = begin / key_block * key_block;
  std::int64_t place = head.place(first_block);
  for (std::int64_t first = first_block; first < end; first += key_block, place = head.next_block(place)) {
    const PositionBlock<Cached, scaled> block{
        first, head.keys + place * head_dim, head.values + place * head_dim,
        scaled ? head.key_scales + place : nullptr, scaled ? head.value_scales + place : nullptr};
    take_block_of_all<queries_together<Cached>>(queries, states, n, block, head_dim, scale);
  }
  for (int q = 0; q < n; ++q) divide_by_sum(states[q].sum, head_dim, queries[q].output);
}

}  // namespace wafermark::llama

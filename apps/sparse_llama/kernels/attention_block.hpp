// Attention of several queries to the same keys and values, on hosts: what comes from the cache of keys and
// values is loaded once for four queries, and a block of keys stays in the first cache for all of them. Each
// query's arithmetic is the same, and in the same order, whichever others are with it.
#pragma once

#include <algorithm>

#include "sparse_llama/kernels/attention.hpp"
#include "sparse_llama/kernels/dot.hpp"
#include "sparse_llama/kernels/value_types.hpp"

namespace wafermark::llama {

/// A query [head_dim], the positions [begin, seen) that it attends to, and where its attention goes
/// [head_dim].
struct AttentionQuery {
  const float* query;
  float* output;
  std::int64_t begin, seen;
};

namespace attention_lanes {

#if defined(__AVX512F__)
constexpr int lanes = 16;
#elif defined(__AVX__)
constexpr int lanes = 8;
#else
constexpr int lanes = 4;
#endif
/// The numbers of a vector register.
using Lanes = float __attribute__((vector_size(4 * lanes), aligned(4), may_alias));

inline Lanes load(const float* from) { return *reinterpret_cast<const Lanes*>(from); }
/// For several uses: where compilers see that lanes come from memory, they load them for each (1.3 times the
/// time of attention on a Zen 5).
inline Lanes load_once(const float* from) {
  Lanes own = load(from);
#if defined(__AVX512F__)
  asm("" : "+v"(own));
#elif defined(__AVX__)
  asm("" : "+x"(own));
#endif
  return own;
}
inline void store(float* to, Lanes own) { *reinterpret_cast<Lanes*>(to) = own; }

/// scores[q][p] = scale * query q . key p of a block of keys[head_dim][key_block].
template <int Q>
inline void scores_of(const AttentionQuery* queries, const float* keys, std::int64_t head_dim, float scale,
                      float (&scores)[Q][key_block]) {
  constexpr int parts = key_block / lanes,
                chains = lanes == 16 ? 2 : 1;  // sums that do not wait for each other
  Lanes sums[Q][chains][parts] = {};
  for (std::int64_t i = 0; i < head_dim; i += chains)
#pragma GCC unroll 2
    for (int c = 0; c < chains; ++c)
#pragma GCC unroll 4
      for (int part = 0; part < parts; ++part) {
        const Lanes key = load_once(keys + (i + c) * key_block + part * lanes);
#pragma GCC unroll 4
        for (int q = 0; q < Q; ++q) sums[q][c][part] += key * queries[q].query[i + c];
      }
#pragma GCC unroll 4
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 4
    for (int part = 0; part < parts; ++part) {
#pragma GCC unroll 2
      for (int c = 1; c < chains; ++c) sums[q][0][part] += sums[q][c][part];
      store(scores[q] + part * lanes, scale * sums[q][0][part]);
    }
}

/// Columns of values whose sums stay in registers for four queries.
constexpr int value_columns = lanes == 16 ? 64 : 16;
static_assert(value_columns % key_block == 0);

/// output[q] += sum_p weights[q][p] value p in some columns of values[key_block][head_dim], from `column` on.
template <int Q, int columns>
inline void add_values(const AttentionQuery* queries, const float* values, std::int64_t head_dim,
                       std::int64_t column, const float (&weights)[Q][key_block]) {
  constexpr int registers = columns / lanes;
  Lanes sums[Q][registers];
#pragma GCC unroll 4
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 4
    for (int r = 0; r < registers; ++r) sums[q][r] = load(queries[q].output + column + r * lanes);
  for (int p = 0; p < key_block; ++p) {
    Lanes value[registers];
#pragma GCC unroll 4
    for (int r = 0; r < registers; ++r) value[r] = load_once(values + p * head_dim + column + r * lanes);
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q)
#pragma GCC unroll 4
      for (int r = 0; r < registers; ++r) sums[q][r] += value[r] * weights[q][p];
  }
#pragma GCC unroll 4
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 4
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

/// Takes the block of positions from `first` on in for Q queries.
template <int Q>
inline void take_block(const AttentionQuery* queries, AttentionSum<float>* states, const float* keys,
                       const float* values, std::int64_t first, std::int64_t head_dim, float scale) {
  alignas(64) float weights[Q][key_block];
  scores_of<Q>(queries, keys + first * head_dim, head_dim, scale, weights);
  for (int q = 0; q < Q; ++q) weigh(queries[q], first, head_dim, states[q], weights[q]);
  std::int64_t column = 0;
  for (; column + value_columns <= head_dim; column += value_columns)
    add_values<Q, value_columns>(queries, values + first * head_dim, head_dim, column, weights);
  for (; column < head_dim; column += key_block)
    add_values<Q, key_block>(queries, values + first * head_dim, head_dim, column, weights);
}

}  // namespace attention_lanes

/// Whether attention_of_queries() takes heads of this size.
constexpr bool suits_attention_of_queries(std::int64_t head_dim) { return head_dim % key_block == 0; }

/// attention() of each of n <= query_block queries with the same keys and values.
inline void attention_of_queries(const AttentionQuery* queries, int n, const float* keys, const float* values,
                                 std::int64_t head_dim, float scale) {
  AttentionSum<float> states[query_block];
  std::int64_t begin = queries[0].begin, end = 0;
  for (int q = 0; q < n; ++q) {
    std::fill_n(queries[q].output, head_dim, 0.0f);
    begin = std::min(begin, queries[q].begin);
    end = std::max(end, queries[q].seen);
  }
  for (std::int64_t first = begin / key_block * key_block; first < end; first += key_block) {
    int q = 0;
    for (; q + 4 <= n; q += 4)
      attention_lanes::take_block<4>(queries + q, states + q, keys, values, first, head_dim, scale);
    for (; q < n; ++q)
      attention_lanes::take_block<1>(queries + q, states + q, keys, values, first, head_dim, scale);
  }
  for (int q = 0; q < n; ++q) divide_by_sum(states[q].sum, head_dim, queries[q].output);
}

}  // namespace wafermark::llama

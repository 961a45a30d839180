#include "sparse_llama/cluster/attention_rows.hpp"

#include <algorithm>
#include <cmath>

#include "sparse_llama/cluster/loops.hpp"
#include "sparse_llama/kernels/gpu_compiler.hpp"
#ifndef WAFERMARK_GPU_COMPILER
#include "sparse_llama/kernels/attention_block.hpp"
#else
#include "sparse_llama/kernels/attention.hpp"
#endif

namespace wafermark::llama {
namespace {

#ifndef WAFERMARK_GPU_COMPILER
/// The queries of a run of rows to one pair of keys and values, of at most so many of the heads that share
/// it.
template <class Cached>
struct AttendRuns {
  const AttentionPass& pass;
  const Rows &qkv, &out;
  const CacheArrays<Cached>& cache;
  std::int64_t heads, group, together;  // heads of all, of a pair of keys and values, of a block

  std::int64_t parts() const { return (group + together - 1) / together; }
  std::int64_t blocks() const { return std::int64_t(pass.runs.size()) * (heads / group) * parts(); }

  void operator()(std::int64_t k) const {
    const RowRun run = pass.runs[std::size_t(k / (heads / group * parts()))];
    const std::int64_t kv = k / parts() % (heads / group), first_head = kv * group + k % parts() * together,
                       last_head = std::min(first_head + together, (kv + 1) * group);
    const std::int64_t head_dim = cache.head_dim();
    AttentionQuery queries[query_block];
    int n = 0;
    for (std::int64_t r = run.first; r < run.first + run.count; ++r)
      for (std::int64_t h = first_head; h < last_head; ++h) {
        const std::int64_t seen = pass.rows(r).position + 1,
                           begin = pass.window > 0 ? std::max(seen - pass.window, std::int64_t(0)) : 0;
        queries[n++] = {&qkv(r, h * head_dim), &out(r, h * head_dim), begin, seen};
      }
    const std::int64_t slot = pass.first_slot + pass.rows(run.first).sequence;
    attention_of_queries(queries, n, cache.head(slot, kv), head_dim, 1.0f / std::sqrt(float(head_dim)));
  }
};
#endif

template <class Cached>
void attend_to(const AttentionPass& pass, const Rows& qkv, std::int64_t heads,
               const CacheArrays<Cached>& cache, const Rows& out) {
  const std::int64_t kv_heads = cache.kv_heads(), head_dim = cache.head_dim(), group = heads / kv_heads,
                     n = pass.count;
  const float scale = 1.0f / Kokkos::sqrt(float(head_dim));
  announce_bytes(bytes_of_attending(cache, heads, n, pass.attended));
#ifndef WAFERMARK_GPU_COMPILER
  if constexpr (host_reads_device)
    if (!runtime::charges_kernels() && !cache.empty() && suits_attention_of_queries(head_dim)) {
      const auto runs = std::int64_t(pass.runs.size()), enough = 4 * std::int64_t(ExecSpace().concurrency());
      std::int64_t together = std::min(group, query_block);  // fewer where threads would have nothing to do
      while (together > 4 && runs * kv_heads * ((group + together - 1) / together) < enough)
        together = (together + 1) / 2;
      const AttendRuns<Cached> body{pass, qkv, out, cache, heads, group, together};
      return stealing_loop("attention", body.blocks(), body);
    }
#endif
  const Kokkos::View<TokenRow*, MemSpace> rows = pass.rows;
  const std::int64_t first_slot = pass.first_slot, window = pass.window;
  stealing_loop(
      "attention", cache.empty() ? 0 : n * heads, KOKKOS_LAMBDA(std::int64_t k) {
        const std::int64_t r = k / heads, h = k % heads, slot = first_slot + rows(r).sequence;
        const std::int64_t seen = rows(r).position + 1,
                           begin = window > 0 ? Kokkos::max(seen - window, std::int64_t(0)) : 0;
        attention(&qkv(r, h * head_dim), cache.head(slot, h / group), begin, seen, head_dim, scale,
                  &out(r, h * head_dim));
      });
}

}  // namespace

std::vector<RowRun> runs_of_rows(std::span<const TokenRow> rows, std::int64_t heads_together) {
  const std::int64_t most = std::max<std::int64_t>(1, query_block / heads_together);
  std::vector<RowRun> runs;
  for (std::size_t r = 0; r < rows.size(); ++r)
    if (runs.empty() || rows[r].sequence != rows[r - 1].sequence || runs.back().count == most)
      runs.push_back({std::int64_t(r), 1});
    else
      ++runs.back().count;
  return runs;
}

void attend_rows(const AttentionPass& pass, const Rows& qkv, std::int64_t heads, const KeyValueCache& cache,
                 const Rows& out) {
  std::visit([&](const auto& arrays) { attend_to(pass, qkv, heads, arrays, out); }, cache);
}

}  // namespace wafermark::llama

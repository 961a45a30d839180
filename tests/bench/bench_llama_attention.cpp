// Attention of one head on a host, one line for each type of the cache:
//   ./bench_llama_attention [--benchmark_filter=...]
// One thread. Arguments: queries together, positions of the sequence, dimensions of a head, and heads whose
// keys and values are read in turn: with many of them every line comes from memory, as in decoding. pairs/s
// counts positions times queries, bytes/s what is read of the cache.
#include <benchmark/benchmark.h>

#include <cmath>
#include <vector>

#include "common/large_pages.hpp"
#include "sparse_llama/kernels/attention_block.hpp"

namespace wafermark::llama {
namespace {

template <class Cached>
void attend(benchmark::State& state) {
  const std::int64_t n = state.range(0), positions = state.range(1), head_dim = state.range(2),
                     heads = state.range(3), size = positions * head_dim;
  const auto keys = large_page_array<Cached>("keys", heads * size),
             values = large_page_array<Cached>("values", heads * size);
  const auto scales = large_page_array<float>("scales", heads * positions);
  Kokkos::deep_copy(keys, Cached(1.0f));
  Kokkos::deep_copy(values, Cached(2.0f));
  Kokkos::deep_copy(scales, 0.01f);
  std::vector<float> query(static_cast<std::size_t>(n * head_dim), 0.1f), out(query.size());
  std::vector<AttentionQuery> queries;
  for (std::int64_t q = 0; q < n; ++q)
    queries.push_back({query.data() + q * head_dim, out.data() + q * head_dim, 0, positions});
  for (auto _ : state)
    for (std::int64_t h = 0; h < heads; ++h) {
      float* const of_head = scales.data() + h * positions;
      const CachedHead<Cached> head{keys.data() + h * size, values.data() + h * size, positions, of_head,
                                    of_head};
      attention_of_queries(queries.data(), int(n), head, head_dim, 1.0f / std::sqrt(float(head_dim)));
      benchmark::DoNotOptimize(out.data());
    }
  const auto read = static_cast<double>(state.iterations()) * static_cast<double>(heads * positions);
  state.counters["pairs"] = benchmark::Counter(read * static_cast<double>(n), benchmark::Counter::kIsRate);
  state.counters["bytes"] = benchmark::Counter(read * static_cast<double>(cached_bytes<Cached>(head_dim)),
                                               benchmark::Counter::kIsRate);
}

template <class Cached>
void add(const char* type) {
  benchmark::RegisterBenchmark((std::string("prompt ") + type).c_str(), attend<Cached>)
      ->Args({32, 512, 64, 1})
      ->Args({32, 2048, 64, 1})
      ->Args({32, 2048, 128, 1});
  benchmark::RegisterBenchmark((std::string("decode ") + type).c_str(), attend<Cached>)
      ->Args({8, 2048, 64, 4})
      ->Args({8, 2048, 64, 128})
      ->Args({1, 2048, 128, 64});
}

}  // namespace
}  // namespace wafermark::llama

int main(int argc, char** argv) {
  const Kokkos::ScopeGuard kokkos(argc, argv);
  using namespace wafermark::llama;
  add<float>("fp32");
  add<BFloat16>("bf16");
  add<std::int8_t>("int8");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}

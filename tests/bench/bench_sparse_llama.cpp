// sparse_llama's decoding kernel, one line for each instruction set, value type, format and size of the
// matrix:
//   ./bench_sparse_llama [--benchmark_filter=...]
// One thread. `cached` rows stay in the second-level cache and show the arithmetic; the others come from
// memory. weights/s counts zeros too, bytes/s what is stored; 70 % of the weights are zeros where a mask is.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "sparse_llama/kernels/row_dots.hpp"

namespace wafermark::llama {
namespace {

constexpr std::int64_t columns = 2048, words = columns / mask_columns;

template <class Value>
struct Rows {
  std::vector<MaskWord> mask;
  std::vector<Value> values;
  std::vector<std::int64_t> start;
  std::vector<BFloat16> scales;
  std::vector<typename Vectors<Value>::X> x;
  std::vector<float> x_scales;

  Rows(std::int64_t rows, bool masked)
      : scales(static_cast<std::size_t>(rows * columns / group_columns), BFloat16(0.01f)),
        x(static_cast<std::size_t>(columns), 3),
        x_scales(static_cast<std::size_t>(columns / group_columns), 0.1f) {
    std::mt19937_64 random(1);
    std::int64_t stored = 0;
    for (std::int64_t r = 0; r < rows; ++r) {
      start.push_back(stored);
      for (std::int64_t i = 0; i < words; ++i) {
        MaskWord word = 0;
        for (int c = 0; masked && c < 64; ++c) word |= MaskWord(random() % 10 < 3) << c;
        if (masked) mask.push_back(word);
        stored += masked ? Kokkos::popcount(word) : mask_columns;
      }
    }
    values.resize(static_cast<std::size_t>(stored + 64), Value(2.0f));
  }
};

struct Portable {
  template <bool masked, class Value>
  static void dots(const StoredRow<Value>& row, const Vectors<Value>& in, float* out) {
    portable::row_dots<masked, 1>(row, in, out);
  }
};
#ifdef __AVX2__
struct Avx2 {
  template <bool masked, class Value>
  static void dots(const StoredRow<Value>& row, const Vectors<Value>& in, float* out) {
    avx2::row_dots<masked, 1>(row, in, out);
  }
};
#endif
#ifdef __AVX512VBMI2__
struct Avx512 {
  template <bool masked, class Value>
  static void dots(const StoredRow<Value>& row, const Vectors<Value>& in, float* out) {
    avx512::row_dots<masked, 1>(row, in, out);
  }
};
#endif

template <class Instructions, class Value, bool masked>
void row_times_vector(benchmark::State& state) {
  const std::int64_t rows = state.range(0);
  const Rows<Value> m(rows, masked);
  const Vectors<Value> in{m.x.data(), columns, m.x_scales.data(), columns / group_columns};
  for (auto _ : state)
    for (std::int64_t r = 0; r < rows; ++r) {
      const auto at = static_cast<std::size_t>(r);
      const StoredRow<Value> row{masked ? m.mask.data() + r * words : nullptr, m.values.data() + m.start[at],
                                 m.scales.data() + r * (columns / group_columns), words};
      float out = 0;
      Instructions::template dots<masked>(row, in, &out);
      benchmark::DoNotOptimize(out);
    }
  const auto times = static_cast<double>(state.iterations());
  state.counters["weights"] =
      benchmark::Counter(times * static_cast<double>(rows * columns), benchmark::Counter::kIsRate);
  state.counters["bytes"] = benchmark::Counter(
      times * static_cast<double>(m.mask.size() * sizeof(MaskWord) + m.values.size() * sizeof(Value)),
      benchmark::Counter::kIsRate);
}

template <class Instructions>
void add(const char* name) {
  const auto each = [&]<class Value>(const char* value, Value) {
    const auto one = [&](const char* format, void (*run)(benchmark::State&)) {
      for (const std::int64_t rows : {64, 32768})
        benchmark::RegisterBenchmark(
            (std::string(name) + " " + value + " " + format + (rows == 64 ? " cached" : "")).c_str(), run)
            ->Arg(rows);
    };
    one("dense", row_times_vector<Instructions, Value, false>);
    one("masked", row_times_vector<Instructions, Value, true>);
  };
  each("fp32", float{});
  each("bf16", BFloat16{});
  each("int8", std::int8_t{});
}

}  // namespace
}  // namespace wafermark::llama

int main(int argc, char** argv) {
  using namespace wafermark::llama;
  add<Portable>("portable");
#ifdef __AVX2__
  add<Avx2>("AVX2");
#endif
#ifdef __AVX512VBMI2__
  add<Avx512>("AVX-512");
#endif
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}

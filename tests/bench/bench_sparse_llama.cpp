// sparse_llama's decoding kernel, one line for each instruction set, value type, format and size of the
// matrix:
//   ./bench_sparse_llama [--benchmark_filter=...]
// One thread. `cached` rows stay in the second-level cache and show the arithmetic; the others come from
// memory. weights/s counts zeros too, bytes/s what is stored; 70 % of the weights are zeros where a mask is.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "common/large_pages.hpp"
#include "sparse_llama/kernels/row_dots.hpp"

namespace wafermark::llama {
namespace {

constexpr std::int64_t columns = 2048, words = columns / mask_columns, groups = columns / group_columns;

/// 64-byte pieces, as the views of a run begin at one.
template <class T>
using Array = Kokkos::View<T*, Kokkos::HostSpace>;

template <class Value>
struct Matrix {
  Array<MaskWord> mask;
  Array<Value> values;
  std::vector<std::int64_t> start;  // of each slice
  Array<BFloat16> scales;
  Array<typename Vectors<Value>::X> x;
  Array<float> x_scales;

  Matrix(std::int64_t rows, bool masked, std::int64_t slice)
      : scales("scales", static_cast<std::size_t>(rows * groups)),
        x("x", static_cast<std::size_t>(columns)),
        x_scales("scales of x", static_cast<std::size_t>(groups)) {
    std::mt19937_64 random(1);
    mask = large_page_array<MaskWord>("mask", masked ? rows * words : 0);
    Kokkos::deep_copy(mask, 0);
    std::int64_t stored = 0;
    for (std::int64_t s = 0; s < rows / slice; ++s) {
      start.push_back(stored);
      for (std::int64_t i = s * slice * words; i < (s + 1) * slice * words; ++i) {
        constexpr std::int64_t drawn =
            64 * words;  // then the same again: drawing takes longer than measuring
        if (masked && i >= drawn) mask(i) = mask(i % drawn);
        for (int c = 0; masked && i < drawn && c < 64; ++c) mask(i) |= MaskWord(random() % 10 < 3) << c;
        stored += masked ? Kokkos::popcount(mask(i)) : mask_columns;
      }
    }
    values = large_page_array<Value>("values", stored + 64);
    Kokkos::deep_copy(values, Value(2.0f));
    Kokkos::deep_copy(scales, BFloat16(0.01f));
    Kokkos::deep_copy(x, 3);
    Kokkos::deep_copy(x_scales, 0.1f);
  }
};

struct Portable {
  template <bool masked, int H, class Value>
  static void dots(const StoredRows<Value>& rows, const Vectors<Value>& in, float* out) {
    portable::row_dots<masked, H, 1>(rows, in, out);
  }
};
#ifdef __AVX2__
struct Avx2 {
  template <bool masked, int H, class Value>
  static void dots(const StoredRows<Value>& rows, const Vectors<Value>& in, float* out) {
    avx2::row_dots<masked, H, 1>(rows, in, out);
  }
};
#endif
#ifdef __AVX512VBMI2__
template <Bf16Products products>
struct Avx512 {
  template <bool masked, int H, class Value>
  static void dots(const StoredRows<Value>& rows, const Vectors<Value>& in, float* out) {
    avx512::row_dots<masked, H, 1>(
        rows, Vectors<Value, products>{in.x, in.stride, in.scales, in.scale_stride}, out);
  }
};
#endif

template <class Instructions, class Value, bool masked, int H>
void rows_times_vector(benchmark::State& state) {
  const std::int64_t rows = state.range(0);
  const Matrix<Value> m(rows, masked, H);
  const Vectors<Value> in{m.x.data(), columns, m.x_scales.data(), groups};
  for (auto _ : state)
    for (std::int64_t s = 0; s < rows / H; ++s) {
      const StoredRows<Value> slice{masked ? m.mask.data() + s * H * words : nullptr,
                                    m.values.data() + m.start[static_cast<std::size_t>(s)],
                                    m.scales.data() + s * H * groups, words};
      float out[H];
      Instructions::template dots<masked, H>(slice, in, out);
      benchmark::DoNotOptimize(out);
    }
  const auto times = static_cast<double>(state.iterations());
  state.counters["weights"] =
      benchmark::Counter(times * static_cast<double>(rows * columns), benchmark::Counter::kIsRate);
  state.counters["bytes"] = benchmark::Counter(
      times * static_cast<double>(m.mask.size() * sizeof(MaskWord) + m.values.size() * sizeof(Value)),
      benchmark::Counter::kIsRate);
}

template <class Instructions, class Value>
void add(const char* name, const char* value, Value) {
  const auto one = [&](const char* format, void (*run)(benchmark::State&)) {
    for (const std::int64_t rows : {64, 32768})
      benchmark::RegisterBenchmark(
          (std::string(name) + " " + value + " " + format + (rows == 64 ? " cached" : "")).c_str(), run)
          ->Arg(rows);
  };
  one("dense", rows_times_vector<Instructions, Value, false, 1>);
  one("masked, one row", rows_times_vector<Instructions, Value, true, 1>);
  one("masked, a slice", rows_times_vector<Instructions, Value, true, slice_rows>);
}

template <class Instructions>
void add_all(const char* name) {
  add<Instructions>(name, "fp32", float{});
  add<Instructions>(name, "bf16", BFloat16{});
  add<Instructions>(name, "int8", std::int8_t{});
}

}  // namespace
}  // namespace wafermark::llama

int main(int argc, char** argv) {
  const Kokkos::ScopeGuard kokkos(argc, argv);
  using namespace wafermark::llama;
  add_all<Portable>("portable");
#ifdef __AVX2__
  add_all<Avx2>("AVX2");
#endif
#ifdef __AVX512VBMI2__
  add_all<Avx512<Bf16Products::fp32>>("AVX-512");
  if (__builtin_cpu_supports("avx512bf16"))
    add<Avx512<Bf16Products::pairs>>("AVX-512 by vdpbf16ps", "bf16", BFloat16{});
#endif
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}

// The vector forms of row_dots give what the portable one does, which gives the sum from its definition.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "sparse_llama/kernels/gpu_compiler.hpp"
#include "sparse_llama/kernels/quantise.hpp"
#include "sparse_llama/kernels/row_dots.hpp"

namespace wafermark::llama {
namespace {

constexpr int vectors = 4;

/// A slice of `rows` rows of `words` words with this density, and four vectors, in every form that is wanted.
template <class Value>
struct Sample {
  std::int64_t rows, words;
  std::vector<MaskWord> mask;
  std::vector<Value> packed, dense;  // dense: [row][column]
  std::vector<BFloat16> scales;
  std::vector<float> x_scales;
  std::vector<typename Vectors<Value>::X> natural;

  Sample(std::int64_t rows_, std::int64_t words_, double density, unsigned seed)
      : rows(rows_), words(words_), dense(std::size_t(rows * words * 64), Value(0.0f)) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal;
    std::bernoulli_distribution kept(density);
    const auto value = [&] {
      return Value(std::is_same_v<Value, std::int8_t> ? std::clamp(normal(engine) * 40, -127.0f, 127.0f)
                                                      : normal(engine));
    };
    for (std::int64_t i = 0; i < words; ++i)
      for (std::int64_t q = 0; q < rows; ++q) {
        mask.push_back(0);
        for (int c = 0; c < 64; ++c) {
          if (!kept(engine)) continue;
          mask.back() |= MaskWord(1) << c;
          packed.push_back(dense[std::size_t((q * words + i) * 64 + c)] = value());
        }
      }
    packed.resize(packed.size() + 64, Value(7.0f));
    for (std::int64_t g = 0; g < rows * groups(); ++g) scales.emplace_back(normal(engine));
    for (std::int64_t g = 0; g < vectors * groups() + vectors; ++g) x_scales.push_back(normal(engine));
    for (std::int64_t j = 0; j < vectors * words * 64; ++j)
      natural.push_back(typename Vectors<Value>::X(
          std::is_same_v<Value, std::int8_t>
              ? std::clamp(normal(engine) * 3000, -activation_range, activation_range)
              : normal(engine)));
  }
  std::int64_t groups() const { return (words + 1) / 2; }
  StoredRows<Value> stored(bool masked) const {
    return {masked ? mask.data() : nullptr, masked ? packed.data() : dense.data(), scales.data(), words};
  }
  template <Bf16Products products = Bf16Products::fp32>
  Vectors<Value, products> in(const std::vector<typename Vectors<Value>::X>& x) const {
    return {x.data(), words * 64, x_scales.data(), groups()};
  }
  template <class Arrange>
  auto arranged(const Arrange& arrange) const {
    const std::vector<float> from(natural.begin(), natural.end());
    auto x = natural;
    for (std::size_t word = 0; word < from.size(); word += 64) arrange(from.data() + word, x.data() + word);
    return x;
  }
  double exact(std::int64_t q, std::int64_t v, double& size) const {
    double sum = 0;
    size = 0;
    for (std::int64_t j = 0; j < words * 64; ++j) {
      double term = double(float(dense[std::size_t(q * words * 64 + j)])) *
                    double(natural[std::size_t(v * words * 64 + j)]);
      if (std::is_same_v<Value, std::int8_t>)
        term *= double(float(scales[std::size_t(q * groups() + j / 128)])) *
                double(x_scales[std::size_t(v * groups() + j / 128)]);
      sum += term;
      size += std::abs(term);
    }
    return sum;
  }
};

template <class Value>
class RowDots : public testing::Test {};
using Values = testing::Types<float, BFloat16, std::int8_t>;
TYPED_TEST_SUITE(RowDots, Values);

/// Products in pairs keep 16 bits of an element.
constexpr double rounding(Bf16Products products) { return products == Bf16Products::pairs ? 8e-6 : 1e-6; }

#define EXPECT_EXACT(space, masked, H, N) EXPECT_EXACT_BY(space, Bf16Products::fp32, masked, H, N)
#define EXPECT_EXACT_BY(space, products, masked, H, N)                                                      \
  do {                                                                                                      \
    const Sample<TypeParam> s(H, words, density, unsigned(words));                                          \
    const auto x = s.arranged(                                                                              \
        [](const float* from, auto* to) { space::arrange_word<TypeParam, products>(from, 1.0f, to); });     \
    float out[H * N];                                                                                       \
    space::row_dots<masked, H, N>(s.stored(masked), s.template in<products>(x), out);                       \
    for (int q = 0; q < H; ++q)                                                                             \
      for (int v = 0; v < N; ++v) {                                                                         \
        double size = 0;                                                                                    \
        const double exact = s.exact(q, v, size);                                                           \
        EXPECT_NEAR(out[q * N + v], exact, rounding(products) * size)                                       \
            << #space << " masked " << masked << ", row " << q << " of " << H << ", vector " << v << " of " \
            << N << ", " << words << " words";                                                              \
      }                                                                                                     \
  } while (false)

TYPED_TEST(RowDots, AllFormsGiveTheSum) {
  for (const std::int64_t words : {1, 2, 3, 8, 37})
    for (const double density : {0.0, 0.3, 0.9, 1.0}) {
      EXPECT_EXACT(portable, true, 1, 1);
      EXPECT_EXACT(portable, true, 4, 2);
      EXPECT_EXACT(portable, false, 1, 4);
      EXPECT_EXACT(portable, false, 4, 1);
#if defined(__AVX2__) && !defined(WAFERMARK_GPU_COMPILER)
      EXPECT_EXACT(avx2, true, 1, 1);
      EXPECT_EXACT(avx2, true, 4, 1);
      EXPECT_EXACT(avx2, true, 4, 4);
      EXPECT_EXACT(avx2, false, 1, 2);
      EXPECT_EXACT(avx2, false, 4, 1);
#endif
#if defined(__AVX512VBMI2__) && !defined(WAFERMARK_GPU_COMPILER)
      EXPECT_EXACT(avx512, true, 1, 1);
      EXPECT_EXACT(avx512, true, 4, 1);
      EXPECT_EXACT(avx512, true, 4, 2);
      EXPECT_EXACT(avx512, true, 4, 4);
      EXPECT_EXACT(avx512, false, 1, 1);
      EXPECT_EXACT(avx512, false, 1, 2);
      EXPECT_EXACT(avx512, false, 4, 1);
#endif
    }
}

#if defined(__AVX512VBMI2__) && !defined(WAFERMARK_GPU_COMPILER)
TEST(RowDotsOfBf16, PairsGiveTheSum) {
  using TypeParam = BFloat16;
  if (!__builtin_cpu_supports("avx512bf16")) GTEST_SKIP() << "this CPU has no vdpbf16ps";
  for (const std::int64_t words : {1, 2, 3, 8, 37})
    for (const double density : {0.0, 0.3, 0.9, 1.0}) {
      EXPECT_EXACT_BY(avx512, Bf16Products::pairs, true, 1, 1);
      EXPECT_EXACT_BY(avx512, Bf16Products::pairs, true, 4, 1);
      EXPECT_EXACT_BY(avx512, Bf16Products::pairs, true, 4, 2);
      EXPECT_EXACT_BY(avx512, Bf16Products::pairs, true, 4, 4);
      EXPECT_EXACT_BY(avx512, Bf16Products::pairs, false, 1, 1);
      EXPECT_EXACT_BY(avx512, Bf16Products::pairs, false, 1, 2);
      EXPECT_EXACT_BY(avx512, Bf16Products::pairs, false, 4, 1);
    }
}
#endif

#if defined(__AVX2__) && !defined(WAFERMARK_GPU_COMPILER)
/// Sums in 32-bit integers hold the largest products there can be.
TEST(RowDotsOfInt8, DoNotOverflow) {
  Sample<std::int8_t> s(4, 4, 1.0, 1);
  std::fill_n(s.packed.begin(), 4 * 4 * 64, std::int8_t(-127));
  std::fill(s.dense.begin(), s.dense.end(), std::int8_t(-127));
  std::fill(s.natural.begin(), s.natural.end(), std::int16_t(activation_range));
  const auto x = s.arranged(
      [](const float* from, std::int16_t* to) { host::arrange_word<std::int8_t>(from, 1.0f, to); });
  float out[4], dense;
  host::row_dots<true, 4, 1>(s.stored(true), s.in(x), out);
  host::row_dots<false, 1, 1>(s.stored(false), s.in(x), &dense);
  for (int q = 0; q < 4; ++q) {
    double size = 0;
    const double exact = s.exact(q, 0, size);
    EXPECT_NEAR(out[q], exact, 1e-6 * size);
    if (q == 0) {
      EXPECT_NEAR(dense, exact, 1e-6 * size);
    }
  }
}
#endif

TYPED_TEST(RowDots, LanesShareTheRows) {
  const Sample<TypeParam> slice(4, 5, 0.4, 3), row(1, 5, 0.4, 3);
  double sums[4] = {}, dense_sum = 0, size = 0;
  for (int lane = 0; lane < 32; ++lane) {
    float shares[4], share = 0;
    portable::row_dots<true, 4, 1>(slice.stored(true), slice.in(slice.natural), shares, lane, 32);
    portable::row_dots<false, 1, 1>(row.stored(false), row.in(row.natural), &share, lane, 32);
    for (int q = 0; q < 4; ++q) sums[q] += shares[q];
    dense_sum += share;
  }
  for (int q = 0; q < 4; ++q) {
    const double exact = slice.exact(q, 0, size);
    EXPECT_NEAR(sums[q], exact, 1e-6 * size);
  }
  const double exact = row.exact(0, 0, size);
  EXPECT_NEAR(dense_sum, exact, 1e-6 * size);
}

TYPED_TEST(RowDots, AddingARowAddsItsColumns) {
  for (const std::int64_t words : {1, 3, 8}) {
    const Sample<TypeParam> s(1, words, 0.4, unsigned(words));
    const auto expect_row = [&](const char* form, bool masked, const std::vector<float>& sums) {
      for (std::int64_t j = 0; j < words * 64; ++j) {
        double exact = double(float(s.dense[std::size_t(j)])) * 3;
        if (std::is_same_v<TypeParam, std::int8_t>) exact *= double(float(s.scales[std::size_t(j / 128)]));
        ASSERT_NEAR(sums[std::size_t(j)], exact + 0.5, 1e-6 * (std::abs(exact) + 1)) << form << masked << j;
      }
    };
    const auto each_form = [&]<bool masked>(std::bool_constant<masked>) {
      const auto size = static_cast<std::size_t>(words * 64);
      std::vector<float> whole(size, 0.5f), shared(size, 0.5f), packs(size, 0.5f);
      portable::row_add<masked>(s.stored(masked), 3.0f, whole.data());
      expect_row("portable", masked, whole);
      for (int lane = 0; lane < 32; ++lane)
        portable::row_add<masked>(s.stored(masked), 3.0f, shared.data(), lane, 32);
      expect_row("lanes", masked, shared);
#if defined(__AVX2__) && !defined(WAFERMARK_GPU_COMPILER)
      avx2::row_add<masked>(s.stored(masked), 3.0f, packs.data());
      expect_row("AVX2", masked, packs);
#endif
    };
    each_form(std::true_type{});
    each_form(std::false_type{});
  }
}

template <int N, class WordTimesBlock>
void expect_word_times_block(const char* form, const WordTimesBlock& word_times_block) {
  for (const double density : {0.0, 0.3, 1.0}) {
    const Sample<float> s(1, 1, density, 3);
    std::mt19937 engine(4);
    std::normal_distribution<float> normal;
    std::vector<float> x(64 * N), sums(N, 0.5f);
    for (float& element : x) element = normal(engine);
    word_times_block(s.mask[0], s.packed.data(), x.data(), sums.data());
    for (int v = 0; v < N; ++v) {
      double exact = 0.5;
      for (int c = 0; c < 64; ++c) exact += double(s.dense[std::size_t(c)]) * x[std::size_t(c * N + v)];
      EXPECT_NEAR(sums[std::size_t(v)], exact, 2e-5) << form << ", vector " << v << " of " << N;
    }
  }
}

template <int N>
void expect_word_times_block() {
  expect_word_times_block<N>("portable", portable::word_times_block<N>);
#if defined(__AVX2__) && !defined(WAFERMARK_GPU_COMPILER)
  expect_word_times_block<N>("AVX2", avx2::word_times_block<N>);
#endif
#if defined(__AVX512VBMI2__) && !defined(WAFERMARK_GPU_COMPILER)
  expect_word_times_block<N>("AVX-512", avx512::word_times_block<N>);
#endif
}

TEST(WordTimesBlock, AddsTheStoredColumns) {
  expect_word_times_block<16>();
  expect_word_times_block<32>();
  expect_word_times_block<64>();
}

TEST(MaskedAdd, AddsTheStoredRows) {
  const MaskWord mask[2] = {0x8000000000000005u, 2};
  const float w[] = {1, 2, 3, 4};
  std::vector<float> y(128, 0.5f);
  masked_add(mask, 2, w, 10.0f, y.data());
  EXPECT_EQ(y[0], 10.5f);
  EXPECT_EQ(y[1], 0.5f);
  EXPECT_EQ(y[2], 20.5f);
  EXPECT_EQ(y[63], 30.5f);
  EXPECT_EQ(y[65], 40.5f);
}

TEST(BFloat16, RoundsToNearestEven) {
  EXPECT_EQ(float(BFloat16(1.0f)), 1.0f);
  EXPECT_EQ(float(BFloat16(1.00390625f)), 1.0f);       // half way: even
  EXPECT_EQ(float(BFloat16(1.01171875f)), 1.015625f);  // half way: even
  EXPECT_EQ(float(BFloat16(1.005f)), 1.0078125f);
}

}  // namespace
}  // namespace wafermark::llama

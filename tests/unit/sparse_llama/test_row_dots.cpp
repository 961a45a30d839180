// The vector forms of row_dots give what the portable one does, which gives the sum from its definition.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "sparse_llama/kernels/quantise.hpp"
#include "sparse_llama/kernels/row_dots.hpp"

namespace wafermark::llama {
namespace {

constexpr int vectors = 4;

/// A row of `words` words with this density, and four vectors, in every form that is wanted.
template <class Value>
struct Sample {
  std::int64_t words;
  std::vector<MaskWord> mask;
  std::vector<Value> packed, dense;
  std::vector<BFloat16> scales;
  std::vector<float> x_scales;
  std::vector<typename Vectors<Value>::X> natural;

  Sample(std::int64_t words_, double density, unsigned seed) : words(words_) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal;
    std::bernoulli_distribution kept(density);
    const auto value = [&] {
      return Value(std::is_same_v<Value, std::int8_t> ? std::clamp(normal(engine) * 40, -127.0f, 127.0f)
                                                      : normal(engine));
    };
    for (std::int64_t i = 0; i < words; ++i) {
      mask.push_back(0);
      for (int c = 0; c < 64; ++c) {
        dense.push_back(Value(0.0f));
        if (!kept(engine)) continue;
        mask.back() |= MaskWord(1) << c;
        packed.push_back(dense.back() = value());
      }
    }
    packed.resize(packed.size() + 64, Value(7.0f));
    for (std::int64_t g = 0; g < (words + 1) / 2; ++g) scales.emplace_back(normal(engine));
    for (std::int64_t g = 0; g < vectors * (words + 1) / 2 + vectors; ++g) x_scales.push_back(normal(engine));
    for (std::int64_t j = 0; j < vectors * words * 64; ++j)
      natural.push_back(typename Vectors<Value>::X(
          std::is_same_v<Value, std::int8_t> ? std::clamp(normal(engine) * 6000, -16383.0f, 16383.0f)
                                             : normal(engine)));
  }
  StoredRow<Value> row(bool masked) const {
    return {masked ? mask.data() : nullptr, masked ? packed.data() : dense.data(), scales.data(), words};
  }
  Vectors<Value> in(const std::vector<typename Vectors<Value>::X>& x) const {
    return {x.data(), words * 64, x_scales.data(), (words + 1) / 2};
  }
  template <class Place>
  auto arranged(const Place& place) const {
    auto x = natural;
    for (std::int64_t v = 0; v < vectors; ++v)
      for (std::int64_t j = 0; j < words * 64; ++j)
        x[std::size_t(v * words * 64 + place(j))] = natural[std::size_t(v * words * 64 + j)];
    return x;
  }
  double exact(int v, double& size) const {
    double sum = 0;
    size = 0;
    for (std::int64_t j = 0; j < words * 64; ++j) {
      double term = double(float(dense[std::size_t(j)])) * double(natural[std::size_t(v * words * 64 + j)]);
      if (std::is_same_v<Value, std::int8_t>)
        term *= double(float(scales[std::size_t(j / 128)])) *
                double(x_scales[std::size_t(v * ((words + 1) / 2) + j / 128)]);
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

#define EXPECT_EXACT(space, masked, N)                                                            \
  do {                                                                                            \
    const auto x = s.arranged([](std::int64_t j) { return space::place<TypeParam>(j, masked); }); \
    float out[N];                                                                                 \
    space::row_dots<masked, N>(s.row(masked), s.in(x), out);                                      \
    for (int v = 0; v < N; ++v) {                                                                 \
      double size = 0;                                                                            \
      const double exact = s.exact(v, size);                                                      \
      EXPECT_NEAR(out[v], exact, 1e-6 * size)                                                     \
          << #space << " masked " << masked << " of " << N << ", " << words << " words";          \
    }                                                                                             \
  } while (false)

TYPED_TEST(RowDots, AllFormsGiveTheSum) {
  for (const std::int64_t words : {1, 2, 3, 8})
    for (const double density : {0.0, 0.3, 0.9, 1.0}) {
      const Sample<TypeParam> s(words, density, unsigned(words));
      EXPECT_EXACT(portable, true, 1);
      EXPECT_EXACT(portable, false, 4);
#ifdef __AVX2__
      EXPECT_EXACT(avx2, true, 1);
      EXPECT_EXACT(avx2, true, 4);
      EXPECT_EXACT(avx2, false, 2);
#endif
#ifdef __AVX512VBMI2__
      EXPECT_EXACT(avx512, true, 1);
      EXPECT_EXACT(avx512, true, 4);
      EXPECT_EXACT(avx512, false, 2);
#endif
    }
}

TYPED_TEST(RowDots, LanesShareTheRow) {
  const Sample<TypeParam> s(5, 0.4, 3);
  for (const bool masked : {false, true}) {
    double sum = 0, size = 0;
    for (int lane = 0; lane < 32; ++lane) {
      float share = 0;
      if (masked)
        portable::row_dots<true, 1>(s.row(true), s.in(s.natural), &share, lane, 32);
      else
        portable::row_dots<false, 1>(s.row(false), s.in(s.natural), &share, lane, 32);
      sum += share;
    }
    const double exact = s.exact(0, size);
    EXPECT_NEAR(sum, exact, 1e-6 * size);
  }
}

TYPED_TEST(RowDots, AddingARowAddsItsColumns) {
  for (const std::int64_t words : {1, 3, 8}) {
    const Sample<TypeParam> s(words, 0.4, unsigned(words));
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
      portable::row_add<masked>(s.row(masked), 3.0f, whole.data());
      expect_row("portable", masked, whole);
      for (int lane = 0; lane < 32; ++lane)
        portable::row_add<masked>(s.row(masked), 3.0f, shared.data(), lane, 32);
      expect_row("lanes", masked, shared);
#ifdef __AVX2__
      avx2::row_add<masked>(s.row(masked), 3.0f, packs.data());
      expect_row("AVX2", masked, packs);
#endif
    };
    each_form(std::true_type{});
    each_form(std::false_type{});
  }
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

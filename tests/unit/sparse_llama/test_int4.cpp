// Integers of 4 bits: how they are rounded, put together and taken apart, and that every form of their
// products gives the sum from its definition.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "sparse_llama/kernels/gpu_compiler.hpp"
#include "sparse_llama/kernels/tile_dots.hpp"
#include "sparse_llama/model/int4_slices.hpp"

namespace wafermark::llama {
namespace {

/// Rows side by side of int4 values, and vectors of integers; sums are exact but for the scales.
struct Int4Sample {
  std::int64_t rows, words, vectors;
  std::vector<MaskWord> mask;  // [words][rows], of a tile: each word four columns
  std::vector<Int4Pair> pairs;
  std::vector<int> dense;  // [row][column]
  std::vector<BFloat16> scales;
  std::vector<float> x, x_scales;

  Int4Sample(std::int64_t rows_, std::int64_t words_, std::int64_t vectors_, double density)
      : rows(rows_), words(words_), vectors(vectors_), dense(std::size_t(rows * words * 64), 0) {
    std::mt19937 engine{unsigned(words * 100 + vectors)};
    std::normal_distribution<float> normal;
    std::bernoulli_distribution kept(density);
    std::vector<std::int8_t> values;
    for (std::int64_t i = 0; i < words * rows; ++i) {
      mask.push_back(0);
      for (int bit = 0; bit < 64; ++bit) {
        if (!kept(engine)) continue;
        mask.back() |= MaskWord(1) << bit;
        values.push_back(std::int8_t(int(engine() % 16) - 8));
        const bool tile = rows == tile_rows;
        const std::int64_t row = tile ? tile_row(bit, 1) : i % rows,
                           column = tile ? i * tile_columns + tile_column(bit, 1) : i / rows * 64 + bit;
        dense[std::size_t(row * words * 64 + column)] = values.back();
      }
    }
    const SliceMask slice{mask.data(), words, rows};
    pairs.resize(std::size_t(int4_bytes(slice)) + 64);
    fold_int4(slice, values.data(), pairs.data());
    std::vector<std::int8_t> again(values.size());
    unfold_int4(slice, pairs.data(), again.data());
    EXPECT_EQ(again, values);
    for (std::int64_t g = 0; g < rows * groups() + 256; ++g) scales.emplace_back(normal(engine));
    for (std::int64_t g = 0; g < vectors * groups(); ++g) x_scales.push_back(normal(engine));
    for (std::int64_t j = 0; j < vectors * words * 64; ++j) x.push_back(float(int(engine() % 255) - 127));
  }
  std::int64_t groups() const { return (words + 1) / 2; }
  StoredRows<Int4Pair> stored() const { return {mask.data(), pairs.data(), scales.data(), words}; }
  /// Every row whole.
  std::vector<Int4Pair> whole() const {
    std::vector<Int4Pair> all(std::size_t(rows * groups() * 64 + 64));
    const std::vector<std::int8_t> values(dense.begin(), dense.end());
    for (std::int64_t q = 0; q < rows; ++q)
      fold_int4({nullptr, words, 1}, values.data() + q * words * 64, all.data() + q * groups() * 64);
    return all;
  }

  double exact(std::int64_t row, std::int64_t v, double& size) const {
    double sum = 0;
    size = 0;
    for (std::int64_t j = 0; j < words * 64; ++j) {
      const std::int64_t g = j / 128;
      const auto own = std::size_t(rows == tile_rows ? g * tile_rows + row : row * groups() + g);
      const double times = double(x[std::size_t(v * words * 64 + j)]) * double(float(scales[own])) *
                           double(x_scales[std::size_t(v * groups() + g)]);
      sum += dense[std::size_t(row * words * 64 + j)] * times;
      size += 8 * std::abs(times);  // offsets that are taken off again
    }
    return sum;
  }
  /// out[row * by_row + v * by_vector].
  void expect(const char* form, const std::vector<float>& out, std::int64_t by_row,
              std::int64_t by_vector) const {
    for (std::int64_t v = 0; v < vectors; ++v)
      for (std::int64_t row = 0; row < rows; ++row) {
        double size = 0;
        const double sum = exact(row, v, size);
        EXPECT_NEAR(out[std::size_t(row * by_row + v * by_vector)], sum, 1e-6 * size)
            << form << ", row " << row << ", vector " << v << " of " << vectors << ", " << words << " words";
      }
  }
};

template <int H, int N, class Dots, class Arrange>
void expect_rows(const char* form, const Int4Sample& s, bool masked, const Arrange& arrange,
                 const Dots& dots) {
  std::vector<std::int8_t> x(s.x.size());
  for (std::size_t at = 0; at < x.size(); at += 64) arrange(s.x.data() + at, x.data() + at);
  const auto whole = s.whole();
  StoredRows<Int4Pair> rows = s.stored();
  if (!masked) rows = {nullptr, whole.data(), s.scales.data(), s.words};
  std::vector<float> out(std::size_t(H * N), NAN);
  dots(rows, Vectors<Int4Pair>{x.data(), s.words * 64, s.x_scales.data(), s.groups()}, out.data());
  s.expect(form, out, N, 1);
}

template <int H, int N>
void expect_rows(std::int64_t words, double density) {
  const Int4Sample s(H, words, N, density);
  const auto plain = [](const float* from, std::int8_t* to) {
    portable::arrange_word<Int4Pair>(from, 1.0f, to);
  };
  const auto best = [](const float* from, std::int8_t* to) { host::arrange_word<Int4Pair>(from, 1.0f, to); };
  const auto each = [&]<bool masked>(std::bool_constant<masked>) {
    expect_rows<H, N>("portable", s, masked, plain, [](const auto& rows, const auto& in, float* out) {
      portable::row_dots<masked, H, N>(rows, in, out);
    });
    expect_rows<H, N>("lanes", s, masked, plain, [](const auto& rows, const auto& in, float* out) {
      std::fill_n(out, H * N, 0.0f);
      for (int lane = 0; lane < 32; ++lane) {
        float share[H * N];
        portable::row_dots<masked, H, N>(rows, in, share, lane, 32);
        for (int k = 0; k < H * N; ++k) out[k] += share[k];
      }
    });
#if defined(__AVX2__) && !defined(WAFERMARK_GPU_COMPILER)
    expect_rows<H, N>("AVX2", s, masked, plain, [](const auto& rows, const auto& in, float* out) {
      avx2::row_dots<masked, H, N>(rows, in, out);
    });
#endif
    expect_rows<H, N>("host", s, masked, best, [](const auto& rows, const auto& in, float* out) {
      host::row_dots<masked, H, N>(rows, in, out);
    });
  };
  each(std::true_type{});
  each(std::false_type{});
}

TEST(Int4Rows, AllFormsGiveTheSum) {
  for (const std::int64_t words : {1, 2, 3, 8, 37})
    for (const double density : {0.0, 0.3, 1.0}) {
      expect_rows<1, 1>(words, density);
      expect_rows<1, 4>(words, density);
      expect_rows<4, 2>(words, density);
    }
}

template <class Arrange, class Dots>
void expect_tile(const char* form, const Int4Sample& s, bool masked, const Arrange& arrange,
                 const Dots& dots) {
  std::vector<std::int8_t> x(s.x.size());
  std::vector<std::int32_t> sums(std::size_t(s.vectors * s.groups()), 0);
  const auto N = int(s.vectors);
  for (std::int64_t v = 0; v < N; ++v)
    for (std::int64_t w = 0; w < s.words; ++w)
      sums[std::size_t(v * s.groups() + w / 2)] +=
          arrange(s.x.data() + (v * s.words + w) * 64, N, x.data() + w * 64 * N + v * tile_columns);
  std::vector<float> out(std::size_t(N * tile_rows), NAN);
  StoredRows<Int4Pair> tile = s.stored();
  if (!masked) tile.mask = nullptr;
  dots(tile, TileVectors<Int4Pair>{x.data(), s.x_scales.data(), sums.data()}, out.data());
  s.expect(form, out, 1, tile_rows);
}

template <int N, bool masked>
void expect_tile_forms(const Int4Sample& s) {
  const auto plain = [](const float* from, int n, std::int8_t* to) {
    return portable::arrange_for_tiles<Int4Pair>(from, 1.0f, n, to);
  };
  const auto best = [](const float* from, int n, std::int8_t* to) {
    return host::arrange_for_tiles<Int4Pair>(from, 1.0f, n, to);
  };
  expect_tile("portable", s, masked, plain, [](const auto& tile, const auto& in, float* out) {
    portable::tile_dots<masked, N>(tile, in, out);
  });
  expect_tile("lanes", s, masked, plain, [](const auto& tile, const auto& in, float* out) {
    for (int lane = 0; lane < 32; ++lane) portable::tile_dots<masked, N>(tile, in, out, lane, 32);
  });
#if defined(__AVX2__) && !defined(WAFERMARK_GPU_COMPILER)
  expect_tile("AVX2", s, masked, plain, [](const auto& tile, const auto& in, float* out) {
    avx2::tile_dots<masked, N>(tile, in, out);
  });
#endif
  expect_tile("host", s, masked, best, [](const auto& tile, const auto& in, float* out) {
    host::tile_dots<masked, N>(tile, in, out);
  });
}

template <int N>
void expect_tiles(std::int64_t words, double density) {
  const Int4Sample s(tile_rows, words, N, density);
  expect_tile_forms<N, true>(s);
  if (density == 1.0) expect_tile_forms<N, false>(s);  // the same bytes without their masks
}

TEST(Int4Tiles, AllFormsGiveTheSum) {
  for (const std::int64_t words : {1, 2, 3, 8})
    for (const double density : {0.0, 0.3, 1.0}) {
      expect_tiles<1>(words, density);
      expect_tiles<3>(words, density);
      expect_tiles<4>(words, density);
      expect_tiles<16>(words, density);
    }
}

/// The sums of sixteen bits that AVX2 keeps hold the largest products there can be.
TEST(Int4Tiles, DoNotOverflow) {
  for (const int sign : {-1, 1})
    for (const int value : {-8, 7}) {
      Int4Sample s(tile_rows, 2, 4, 1.0);
      std::fill(s.pairs.begin(), s.pairs.end(), Int4Pair{std::uint8_t((value & 15) * 17)});
      std::fill(s.dense.begin(), s.dense.end(), value);
      std::fill(s.x.begin(), s.x.end(), float(127 * sign));
      expect_tile_forms<4, true>(s);
      expect_tile_forms<4, false>(s);
    }
}

TEST(Int4Rows, AddingARowAddsItsColumns) {
  for (const std::int64_t words : {1, 2, 3, 8}) {
    const Int4Sample s(1, words, 1, 0.4);
    const auto all = s.whole();
    const auto expect = [&](const char* form, const std::vector<float>& sums) {
      for (std::int64_t j = 0; j < words * 64; ++j) {
        const double exact = s.dense[std::size_t(j)] * 3.0 * double(float(s.scales[std::size_t(j / 128)]));
        ASSERT_NEAR(sums[std::size_t(j)], exact + 0.5, 1e-6 * (std::abs(exact) + 1)) << form << " " << j;
      }
    };
    const auto each = [&]<bool masked>(std::bool_constant<masked>) {
      const StoredRows<Int4Pair> row{masked ? s.mask.data() : nullptr, masked ? s.pairs.data() : all.data(),
                                     s.scales.data(), words};
      std::vector<float> whole(std::size_t(words * 64), 0.5f), lanes = whole, best = whole;
      portable::row_add<masked>(row, 3.0f, whole.data());
      expect("portable", whole);
      for (int lane = 0; lane < 32; ++lane) portable::row_add<masked>(row, 3.0f, lanes.data(), lane, 32);
      expect("lanes", lanes);
      host::row_add<masked>(row, 3.0f, best.data());
      expect("host", best);
    };
    each(std::true_type{});
    each(std::false_type{});
  }
}

TEST(Int4Scale, LeavesSmallErrors) {
  std::mt19937 engine(1);
  std::normal_distribution<float> normal;
  double errors = 0, all = 0;
  for (int group = 0; group < 200; ++group) {
    std::vector<float> x(128);
    for (float& one : x) one = normal(engine);
    const float scale = int4_scale(x.data(), 128), inverse = inverse_or_zero(scale);
    for (const float one : x) {
      errors += std::pow(one - scale * float(quantised_int4(one, inverse)), 2);
      all += one * one;
    }
  }
  EXPECT_LT(std::sqrt(errors / all), 0.100);  // 0.117 by the largest over 7
  const auto scale_of = [](std::vector<float> x) {
    return float(int4_scale(x.data(), std::int64_t(x.size())));
  };
  EXPECT_EQ(scale_of({0, 0, 0}), 0);
  EXPECT_EQ(scale_of({}), 0);
  EXPECT_NEAR(scale_of({1, 0, -0.5f}), -0.125, 1e-9);
  EXPECT_NEAR(scale_of({3e38f, -1e38f}), -3e38 / 8, 3e38 / 30);  // squares that no number holds
  EXPECT_TRUE(std::isfinite(inverse_or_zero(scale_of({1e-40f}))));
  EXPECT_EQ(quantised_int4(100, 1), 7);
  EXPECT_EQ(quantised_int4(-100, 1), -8);
}

}  // namespace
}  // namespace wafermark::llama

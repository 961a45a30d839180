// Tiles times vectors by a matrix unit give the bits that tile_dots gives, of bf16 where sums are exact and
// within a bound where they are not: on an emulated unit everywhere, on AMX itself where it is.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "sparse_llama/cluster/bf16_products.hpp"
#include "sparse_llama/cluster/matrix_vectors.hpp"
#include "sparse_llama/kernels/gpu_compiler.hpp"
#include "sparse_llama/kernels/tile_dots.hpp"

namespace wafermark::llama {
namespace {

TEST(MatrixUnit, TakesMaskedMatricesInTilesAndIsNamed) {
  const MatrixUnit none, both{true, true, true, "AMX"},
      one{true, true, false, "AMX, which computed bf16 wrong and is not used for it"};
  const auto slice = [](ValueType type, const MatrixUnit& unit) {
    return best_slice(Format::bit_mask, type, KernelForm::host, unit);
  };
  if (host_likes_tiles) {
    EXPECT_EQ(slice(ValueType::bf16, both), tile_rows);
  }
  EXPECT_EQ(slice(ValueType::bf16, none), slice_rows);
  EXPECT_EQ(slice(ValueType::bf16, one), slice_rows);
  EXPECT_EQ(slice(ValueType::fp32, both), slice_rows);
  const auto said = [](ValueType type, std::int64_t rows, const MatrixUnit& unit) {
    const RowSource ones = [](std::int64_t, float* to) { std::fill_n(to, 64, 1.0f); };
    return instructions_for(pack(16, 64, Format::bit_mask, type, ones, "ones", rows), {}, unit);
  };
  const std::string own = host_instructions;
  EXPECT_EQ(said(ValueType::bf16, tile_rows, both), own + ", bf16 by fp32, AMX from 16 vectors");
  EXPECT_EQ(said(ValueType::bf16, slice_rows, both), own + ", bf16 by fp32");
  EXPECT_EQ(said(ValueType::bf16, slice_rows, one), own + ", bf16 by fp32, " + one.in_words);
  EXPECT_EQ(said(ValueType::int8, tile_rows, one), own + ", AMX from 16 vectors");
  EXPECT_EQ(said(ValueType::int8, tile_rows, none), own);
  EXPECT_EQ(said(ValueType::fp32, tile_rows, both), own);
}

}  // namespace
}  // namespace wafermark::llama

#if defined(__AVX512VBMI2__) && defined(__AVX512VNNI__) && !defined(WAFERMARK_GPU_COMPILER)
#include "sparse_llama/cluster/unit_check.hpp"
#include "sparse_llama/cluster/unit_products.hpp"

namespace wafermark::llama {
namespace {

/// The sample with normal numbers in the place of whole ones.
UnitSample<BFloat16> with_normal_numbers(UnitSample<BFloat16> sample) {
  std::mt19937 engine(5);
  std::normal_distribution<float> normal;
  for (BFloat16& w : sample.values) w = BFloat16(normal(engine));
  for (float& x : sample.x) x = normal(engine);
  return sample;
}

template <class Value>
class TileDotsOfUnits : public testing::Test {};
using UnitValues = testing::Types<std::int8_t, BFloat16>;
TYPED_TEST_SUITE(TileDotsOfUnits, UnitValues);

TYPED_TEST(TileDotsOfUnits, AnEmulatedOneGivesTheBitsOfTileDots) {
  for (const std::int64_t words : {1, 2, 3, 8})
    for (const double density : {0.0, 0.3, 1.0})
      for (const std::int64_t vectors : {1, 2, 15, 16, 17, 32, 33, 49, 70})
        EXPECT_EQ(first_difference<amx::EmulatedUnit>(UnitSample<TypeParam>(words, vectors, density)), "");
}

/// A unit that computes wrong is found out.
struct WrongUnit : amx::EmulatedUnit {
  using amx::EmulatedUnit::EmulatedUnit;
  template <class Value, int sums, int a, int b>
  void multiply() {
    EmulatedUnit::multiply<Value, sums, b, a>();
  }
};
TYPED_TEST(TileDotsOfUnits, AWrongOneIsFoundOut) {
  EXPECT_NE(first_difference<WrongUnit>(UnitSample<TypeParam>(2, 16, 0.5)), "");
}

TEST(TileDotsOfUnits, TheLargestNumbersStayExact) {
  UnitSample<std::int8_t> sample(4, 16, 1.0);
  std::fill(sample.values.begin(), sample.values.end(), std::int8_t(-128));
  for (const float sign : {1.0f, -1.0f}) {
    std::fill(sample.x.begin(), sample.x.end(), sign * activation_range);
    EXPECT_EQ(first_difference<amx::EmulatedUnit>(sample), "");
  }
}

/// The order of sums and the rounding that Intel documents.
TEST(TileDotsOfUnits, SumsOfBf16AreAsDocumented) {
  constexpr float large = 16777216;  // 2^24, to which 1 cannot be added
  const auto sum = [](std::array<float, 4> a, std::array<float, 4> b, float before) {
    float out[amx::unit_rows] = {before};  // of one row, the first
    BFloat16 a_row[2 * amx::unit_rows] = {}, b_rows[amx::unit_rows][2 * amx::unit_rows] = {};
    for (std::size_t k = 0; k < 2; ++k)
      for (std::size_t c = 0; c < 2; ++c) {
        a_row[2 * k + c] = BFloat16(a[2 * k + c]);
        b_rows[k][c] = BFloat16(b[2 * k + c]);
      }
    amx::EmulatedUnit unit(amx::RegisterRows{1, 1, amx::unit_rows});
    unit.load<0>(out);
    unit.load<1>(a_row);
    unit.load<2>(b_rows);
    unit.multiply<BFloat16, 0, 1, 2>();
    unit.store<0>(out);
    return out[0];
  };
  const std::array<float, 4> ones{1, 1, 1, 1};
  EXPECT_EQ(sum({1, 2, 3, 4}, {5, 6, 7, 8}, 9), 79.0f);
  EXPECT_EQ(sum({large, -large, 1, 0}, ones, 0), 0.0f) << "even and odd columns have a sum each";
  EXPECT_EQ(sum({1, 0, 0, 1}, ones, large), large + 2) << "what was there is added last";
  EXPECT_EQ(sum({0x1p-126f, 0, 0, 0}, {0.5f, 1, 1, 1}, 0), 0.0f) << "small sums are flushed";
  EXPECT_EQ(sum({0x1p-127f, 0, 0, 0}, {4, 1, 1, 1}, 0), 0.0f) << "small factors count as zero";
  EXPECT_EQ(sum({0x1p-126f, 0, 0, 0}, ones, 0), 0x1p-126f);
}

struct Shape {
  std::int64_t rows, columns, vectors;
};
/// With rows and columns that fill no tile.
constexpr Shape shapes[] = {{16, 128, 16}, {37, 200, 17}, {50, 1000, 70}};

RowSource waves(Format format, std::int64_t columns) {
  return [=](std::int64_t row, float* to) {
    for (std::int64_t c = 0; c < columns; ++c)
      to[c] = format == Format::bit_mask && (row + c) % 3 != 0 ? 0 : float(std::sin(row * columns + c));
  };
}
Rows normal_vectors(const Shape& shape) {
  std::mt19937 engine(3);
  std::normal_distribution<float> normal;
  Rows x("x", std::size_t(shape.vectors), std::size_t(shape.columns));
  for (std::int64_t v = 0; v < shape.vectors; ++v)
    for (std::int64_t c = 0; c < shape.columns; ++c) x(v, c) = normal(engine);
  return x;
}
template <class Value>
void multiply_by_emulated_unit(const PackedMatrix& m, const Rows& x, bool accumulate, const Rows& out) {
  const auto vectors = std::int64_t(x.extent(0));
  std::vector<std::int8_t> bytes(std::size_t(amx::UnitBlocks(vectors).bytes(steps_of(m))));
  std::vector<float> scales(std::size_t(vectors * m.groups()));
  multiply_by_unit<Value, amx::EmulatedUnit>(m, x.data(), m.columns, vectors, accumulate, out.data(), m.rows,
                                             bytes.data(), scales.data());
}

/// Whole matrices, stored and dense.
TEST(TileDotsOfUnits, MatricesOfInt8TimesVectorsAreTheSame) {
  for (const Shape& s : shapes)
    for (const Format format : {Format::bit_mask, Format::dense}) {
      const PackedMatrix m =
          pack(s.rows, s.columns, format, ValueType::int8, waves(format, s.columns), "matrix", tile_rows);
      const Rows x = normal_vectors(s), wanted("wanted", s.vectors, s.rows),
                 found("found", s.vectors, s.rows);
      TileProducts one_by_one;
      for (const bool accumulate : {false, true}) {
        for (std::int64_t v = 0; v < s.vectors; ++v) {
          const auto row = std::pair(v, v + 1);
          one_by_one.multiply<std::int8_t>(m, Kokkos::subview(x, row, Kokkos::ALL), 1, accumulate,
                                           Kokkos::subview(wanted, row, Kokkos::ALL));
        }
        multiply_by_emulated_unit<std::int8_t>(m, x, accumulate, found);
        for (std::int64_t v = 0; v < s.vectors; ++v)
          for (std::int64_t r = 0; r < s.rows; ++r)
            ASSERT_EQ(found(v, r), wanted(v, r)) << r << " of vector " << v;
      }
    }
}

/// Of bf16 they are within the bound of tile_dots_amx.hpp, and as near to the products by vdpbf16ps as both
/// bounds say.
TEST(TileDotsOfUnits, MatricesOfBf16TimesVectorsAreWithinTheBound) {
  for (const Shape& s : shapes)
    for (const Format format : {Format::bit_mask, Format::dense}) {
      const auto packed = [&, n = s.columns](std::int64_t slice) {
        return pack(s.rows, n, format, ValueType::bf16, waves(format, n), "matrix", slice);
      };
      const PackedMatrix m = packed(tile_rows);
      const Rows x = normal_vectors(s), found("found", s.vectors, s.rows), pairs("pairs", s.vectors, s.rows);
      multiply_by_emulated_unit<BFloat16>(m, x, false, found);
      multiply_by_emulated_unit<BFloat16>(m, x, true, found);  // twice the product
      if (has_bf16_pairs())
        MatrixVectors(Bf16Products::pairs)
            .multiply(packed(format == Format::dense ? 1 : slice_rows), x, 1, false, pairs);
      std::vector<float> row(std::size_t(s.columns));
      const double u = 0x1p-24, n = double(s.columns), bound = 0x1p-16 + (n / 30 + 20) * u,
                   of_pairs = 0x1p-16 + (n / 8 + 20) * u;
      for (std::int64_t r = 0; r < s.rows; ++r) {
        unpack_row(m, r, row.data());
        for (std::int64_t v = 0; v < s.vectors; ++v) {
          double exact = 0, size = 0;
          for (std::int64_t c = 0; c < s.columns; ++c) {
            const double product = double(row[std::size_t(c)]) * double(x(v, c));
            exact += product;
            size += std::abs(product);
          }
          ASSERT_NEAR(found(v, r), 2 * exact, 2 * (bound + u) * size) << r << " of vector " << v;
          if (v == 0 && has_bf16_pairs()) {
            ASSERT_NEAR(found(v, r), 2 * pairs(v, r), 2 * (bound + u + of_pairs) * size) << r;
          }
        }
      }
    }
}

TEST(TileDotsOfUnits, AmxGivesTheBitsOfTileDots) {
  const MatrixUnit unit = matrix_unit();
  if (!unit.there) GTEST_SKIP() << unit.in_words;
  EXPECT_TRUE(unit.int8 && unit.bf16) << unit.in_words;
}

/// Whether AMX sums bf16 products as Intel documents it.
TEST(TileDotsOfUnits, AmxGivesTheBitsOfTheEmulatedUnit) {
  if (!matrix_unit().there) GTEST_SKIP() << matrix_unit().in_words;
  for (const std::int64_t vectors : {16, 17, 40}) {
    const auto sample = with_normal_numbers({5, vectors, 0.3});
    EXPECT_EQ(sums_by_unit<amx::Unit>(sample), sums_by_unit<amx::EmulatedUnit>(sample));
  }
}

}  // namespace
}  // namespace wafermark::llama
#endif

// Tiles times vectors by a matrix unit give the bits that tile_dots gives: on an emulated unit everywhere, on
// AMX itself where it is.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "sparse_llama/cluster/matrix_unit.hpp"
#include "sparse_llama/kernels/tile_dots.hpp"

#if defined(__AVX512VBMI2__) && defined(__AVX512VNNI__) && !defined(__CUDACC__)
#include "sparse_llama/cluster/tile_products.hpp"
#include "sparse_llama/cluster/unit_check.hpp"
#include "sparse_llama/cluster/unit_products.hpp"

namespace wafermark::llama {
namespace {

TEST(TileDotsOfUnits, AnEmulatedOneGivesTheBitsOfTileDots) {
  for (const std::int64_t words : {1, 2, 3, 8})
    for (const double density : {0.0, 0.3, 1.0})
      for (const std::int64_t vectors : {1, 2, 15, 16, 17, 32, 33, 49, 70})
        EXPECT_EQ(first_difference<amx::EmulatedUnit>(UnitSample(words, vectors, density)), "");
}

/// Whole matrices, stored and dense, with rows and columns that fill no tile.
TEST(TileDotsOfUnits, MatricesTimesVectorsAreTheSame) {
  std::mt19937 engine(3);
  std::normal_distribution<float> normal;
  for (const auto& [rows, columns, vectors] : {std::array{16, 128, 16}, {37, 200, 17}, {50, 1000, 70}})
    for (const Format format : {Format::bit_mask, Format::dense}) {
      const auto source = [&, n = columns](std::int64_t row, float* to) {
        for (int c = 0; c < n; ++c)
          to[c] = format == Format::bit_mask && (row + c) % 3 != 0 ? 0 : float(std::sin(row * n + c));
      };
      const PackedMatrix m = pack(rows, columns, format, ValueType::int8, source, "matrix", tile_rows);
      Rows x("x", vectors, columns), wanted("wanted", vectors, rows), found("found", vectors, rows);
      for (int v = 0; v < vectors; ++v)
        for (int c = 0; c < columns; ++c) x(v, c) = normal(engine);
      std::vector<std::int8_t> bytes(std::size_t(amx::UnitBlocks(vectors).bytes(m.words())));
      std::vector<float> scales(std::size_t(vectors * m.groups()));
      TileProducts one_by_one;
      for (const bool accumulate : {false, true}) {
        for (int v = 0; v < vectors; ++v) {
          const auto row = std::pair(v, v + 1);
          one_by_one.multiply<std::int8_t>(m, Kokkos::subview(x, row, Kokkos::ALL), 1, accumulate,
                                           Kokkos::subview(wanted, row, Kokkos::ALL));
        }
        multiply_by_unit<amx::EmulatedUnit>(m, x.data(), columns, vectors, accumulate, found.data(), rows,
                                            bytes.data(), scales.data());
        for (int v = 0; v < vectors; ++v)
          for (int r = 0; r < rows; ++r) ASSERT_EQ(found(v, r), wanted(v, r)) << r << " of vector " << v;
      }
    }
}

TEST(TileDotsOfUnits, TheLargestNumbersStayExact) {
  UnitSample sample(4, 16, 1.0);
  std::fill(sample.values.begin(), sample.values.end(), std::int8_t(-128));
  for (const float sign : {1.0f, -1.0f}) {
    std::fill(sample.x.begin(), sample.x.end(), sign * activation_range);
    EXPECT_EQ(first_difference<amx::EmulatedUnit>(sample), "");
  }
}

/// A unit that computes wrong is found out.
struct WrongUnit : amx::EmulatedUnit {
  using amx::EmulatedUnit::EmulatedUnit;
  template <int sums, int a, int b>
  void multiply() {
    EmulatedUnit::multiply<sums, b, a>();
  }
};
TEST(TileDotsOfUnits, AWrongOneIsFoundOut) {
  EXPECT_NE(first_difference<WrongUnit>(UnitSample(2, 16, 0.5)), "");
}

TEST(TileDotsOfUnits, AmxGivesTheBitsOfTileDots) {
  const MatrixUnit unit = matrix_unit();
  if (!unit.there) GTEST_SKIP() << unit.in_words;
  EXPECT_TRUE(unit.works) << unit.in_words;
}

}  // namespace
}  // namespace wafermark::llama
#endif

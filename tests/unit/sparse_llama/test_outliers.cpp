// What rounding makes of products where a few elements of a vector are far larger than the others, as those
// of real models are: their groups of 128 share a scale.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <random>

#include "sparse_llama/cluster/matrix_vectors.hpp"

namespace wafermark::llama {
namespace {

constexpr std::int64_t rows = 256, columns = 4096, vectors = 8;

/// Normal weights of which 70 % are zeros.
RowSource weights() {
  return [](std::int64_t row, float* to) {
    std::mt19937 engine{unsigned(row)};
    std::normal_distribution<float> normal;
    std::bernoulli_distribution kept(0.3);
    for (std::int64_t c = 0; c < columns; ++c) to[c] = kept(engine) ? normal(engine) : 0;
  };
}

/// Normal elements, and in the same seven columns of all vectors others `outlier` times as large.
Rows elements(float outlier) {
  std::mt19937 engine(1);
  std::normal_distribution<float> normal;
  const Rows x("x", vectors, columns);
  const auto host = Kokkos::create_mirror_view(x);
  for (std::int64_t v = 0; v < vectors; ++v)
    for (std::int64_t c = 0; c < columns; ++c) host(v, c) = (c % 613 == 77 ? outlier : 1) * normal(engine);
  Kokkos::deep_copy(x, host);
  return x;
}

struct Error {
  double all;       ///< root mean square over that of the exact products
  double ordinary;  ///< over that of the products without the outliers' columns
};

Error error_of(ValueType type, float outlier) {
  const auto product = [&](ValueType of, const Rows& x) {
    const Rows out("out", vectors, rows);
    const PackedMatrix m =
        pack(rows, columns, Format::bit_mask, of, weights(), "matrix", best_slice(Format::bit_mask, of));
    MatrixVectors(Bf16Products::fp32).multiply(m, x, vectors, false, out);
    return Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), out);
  };
  const Rows x = elements(outlier);
  const auto exact = product(ValueType::fp32, x), rounded = product(type, x),
             ordinary = product(ValueType::fp32, elements(0));
  double error = 0, all = 0, rest = 0;
  for (std::int64_t v = 0; v < vectors; ++v)
    for (std::int64_t r = 0; r < rows; ++r) {
      error += std::pow(rounded(v, r) - exact(v, r), 2);
      all += std::pow(exact(v, r), 2);
      rest += std::pow(ordinary(v, r), 2);
    }
  return {std::sqrt(error / all), std::sqrt(error / rest)};
}

TEST(Outliers, ProductsLoseNoLargerShareButWhatIsLeftOfThemDoes) {
  for (const float outlier : {1.0f, 20.0f, 100.0f}) {
    const Error int8 = error_of(ValueType::int8, outlier), int4 = error_of(ValueType::int4, outlier);
    std::printf("outliers of %g: int8 %.2f %% (%.2f %%), int4 %.1f %% (%.1f %%)\n", outlier, 100 * int8.all,
                100 * int8.ordinary, 100 * int4.all, 100 * int4.ordinary);
    EXPECT_LT(int8.all, 0.007);
    EXPECT_LT(int4.all, 0.1);
    EXPECT_LT(int8.ordinary, 0.025);
    EXPECT_LT(int4.ordinary, 0.35);
  }
}

}  // namespace
}  // namespace wafermark::llama

// Products that threads share against plain loops: run with several threads (CMakeLists.txt).
#include <gtest/gtest.h>

#include <Kokkos_Core.hpp>
#include <random>
#include <vector>

#include "sparse_llama/model/blas_kernels.hpp"
#include "sparse_llama/model/matrix_product.hpp"

namespace wafermark::llama {
namespace {

struct Shape {
  std::int64_t m, n, k;
};

std::vector<double> random_numbers(std::int64_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(static_cast<std::size_t>(n));
  for (double& v : values) v = normal(random);
  return values;
}

/// op(A)[i, p] of A stored with rows of `ld`.
double element(const std::vector<double>& a, Op op, std::int64_t ld, std::int64_t i, std::int64_t p) {
  return a[std::size_t(op == Op::none ? i * ld + p : p * ld + i)];
}

TEST(SharedProduct, IsThatOfPlainLoopsHoweverItIsCut) {
  if (Kokkos::DefaultHostExecutionSpace().concurrency() == 1) GTEST_SKIP() << "this Kokkos has one thread";
  for (const Shape s :
       {Shape{131, 77, 90}, {77, 131, 90}, {1, 999, 700}, {999, 1, 700}, {200, 200, 33}, {3, 5, 7}})
    for (const Op op_a : {Op::none, Op::transpose})
      for (const Op op_b : {Op::none, Op::transpose})
        for (const double beta : {0.0, 1.0}) {
          const std::int64_t lda = (op_a == Op::none ? s.k : s.m) + 2,
                             ldb = (op_b == Op::none ? s.n : s.k) + 1, ldc = s.n + 3;
          const auto a = random_numbers((op_a == Op::none ? s.m : s.k) * lda, 1),
                     b = random_numbers((op_b == Op::none ? s.k : s.n) * ldb, 2),
                     before = random_numbers(s.m * ldc, 3);
          std::vector<double> c = before;
          shared_product(op_a, op_b, s.m, s.n, s.k, 0.5, a.data(), lda, b.data(), ldb, beta, c.data(), ldc);
          for (std::int64_t i = 0; i < s.m; ++i)
            for (std::int64_t j = 0; j < ldc; ++j) {
              const auto at = std::size_t(i * ldc + j);
              double expected = before[at];
              if (j < s.n) {
                expected *= beta;
                for (std::int64_t p = 0; p < s.k; ++p)
                  expected += 0.5 * element(a, op_a, lda, i, p) * element(b, op_b, ldb, p, j);
              }
              ASSERT_NEAR(c[at], expected, 1e-10) << s.m << " x " << s.n << ": " << i << ", " << j;
            }
        }
}

TEST(BlasKernels, AreWidenedWhereTheCpuHasMore) {
  using enum VectorWidth;
  EXPECT_EQ(wider_blas_kernels("Prescott", bits512), "SKYLAKEX");
  EXPECT_EQ(wider_blas_kernels("Haswell", bits512), "SKYLAKEX");
  EXPECT_EQ(wider_blas_kernels("Zen", bits512), "SKYLAKEX");
  EXPECT_EQ(wider_blas_kernels("Nehalem", bits256), "HASWELL");
  EXPECT_EQ(wider_blas_kernels("Zen", bits256), std::nullopt);
  EXPECT_EQ(wider_blas_kernels("Prescott", bits128), std::nullopt);
  for (const char* name : {"SkylakeX", "Cooperlake", "SapphireRapids", "", "a later one"})
    EXPECT_EQ(wider_blas_kernels(name, bits512), std::nullopt) << name;
  EXPECT_TRUE(crippled_blas("Prescott", bits256));
  EXPECT_FALSE(crippled_blas("Haswell", bits512));
  EXPECT_FALSE(crippled_blas("Prescott", bits128));
  EXPECT_FALSE(crippled_blas("", bits512));
}

}  // namespace
}  // namespace wafermark::llama

// Products of many vectors by the library of a device (on CPUs by BLAS in its place), against their
// definition in double precision, and who chooses them.
#include <gmock/gmock.h>

#include "common/errors.hpp"
#include "product_sample.hpp"
#include "sparse_llama/cluster/batch_products.hpp"

namespace wafermark::llama {
namespace {

/// What each product rounds, in parts of the sum of the sizes of its terms: vectors, and int8 weights too.
double own_rounding(ValueType type) { return type == ValueType::int8 ? 0x1p-7 : 0x1p-8; }

/// multiply() of a BatchProducts with panels of at least so many bytes.
auto by_library(BatchProducts& products) {
  return [&products](KernelChain& kernels, const PackedMatrix& m, const ProductInput& in,
                     const ProductOutput& out) {
    products.make_room(m, out.end);
    products.multiply(kernels, m, in, out);
  };
}

TEST(BatchProducts, MultiplyAsTheMatrixDoes) {
  if (!MatrixLibrary::there()) GTEST_SKIP() << "no library";
  int k = 0;
  BatchProducts small_panels(33, 1), large_panels(33);  // 128 rows; all of these
  double worst = 0;
  for (const FormatRow& format : format_rows)
    for (const ValueType type : {ValueType::bf16, ValueType::int8})
      for (const auto& [rows, columns] : {std::pair{1, 1}, {9, 172}, {300, 64}, {130, 129}, {257, 320}})
        for (const double density : {0.3, 0.0, 1.0})
          for (const std::int64_t vectors : {16, 33}) {
            const Sample s(format.format, type, rows, columns, vectors, density, ++k % 2 == 0);
            ASSERT_TRUE(BatchProducts::suits(s.m, vectors));
            const PairEnd end = k % 3 == 0 ? PairEnd::add : PairEnd::store;
            BatchProducts& products = k % 5 < 3 ? small_panels : large_panels;
            const auto y = on_host_of(s.multiplied(by_library(products), end, nullptr));
            for (std::int64_t v = 0; v < vectors; ++v)
              for (std::int64_t r = 0; r < rows; ++r) {
                const auto at = std::size_t(v * rows + r);
                const double off = std::abs(y(v, r) - s.exact[at] - (end == PairEnd::add ? 1 : 0));
                ASSERT_LE(off, s.size[at] * own_rounding(type))
                    << format.name << " " << name_of(type) << ", " << rows << " x " << columns << ", row "
                    << r << ", vector " << v;
                worst = std::max(worst, off / s.size[at]);
              }
          }
  EXPECT_GT(worst, 1e-4) << "nothing was rounded to bf16";
}

TEST(BatchProducts, GateAndUpMeetInSwiglu) {
  if (!MatrixLibrary::there()) GTEST_SKIP() << "no library";
  BatchProducts products(16);
  for (const Format format : {Format::dense, Format::csr, Format::bit_mask})
    for (const std::int64_t hidden : {1, 7, 200})
      for (const float threshold : {-1.0f, 0.0f, 0.5f}) {
        const Sample s(format, ValueType::bf16, 2 * hidden, 100, 16, 0.5, true);
        const Kokkos::View<std::int64_t, MemSpace> zeros("zeros");
        const auto y =
            on_host_of(s.multiplied(by_library(products), PairEnd::swiglu, nullptr, threshold, zeros));
        std::int64_t found = 0;
        for (std::int64_t v = 0; v < s.vectors; ++v)
          for (std::int64_t u = 0; u < hidden; ++u) {
            const auto gate_at = std::size_t(v * 2 * hidden + u), up_at = gate_at + std::size_t(hidden);
            const double gate = s.exact[gate_at], up = s.exact[up_at],
                         unit = gate / (1 + std::exp(-gate)) * up,
                         // SiLU is at most 1.1 steep, and at most as large as its argument.
                bound = 0x1p-8 * (1.1 * s.size[gate_at] * (std::abs(up) + 0x1p-8 * s.size[up_at]) +
                                  std::abs(gate) * s.size[up_at]);
            found += y(v, u) == 0;
            if (y(v, u) == 0 && threshold >= 0)
              ASSERT_LE(std::abs(unit), double(threshold) + bound);
            else
              ASSERT_NEAR(y(v, u), unit, bound);
          }
        EXPECT_EQ(on_host_of(zeros)(), threshold < 0 ? 0 : found);
        if (threshold == 0.5f && hidden == 200) {
          EXPECT_GT(found, 0);
        }
      }
}

TEST(BatchProducts, AreTheSameBitsAgain) {
  if (!MatrixLibrary::there()) GTEST_SKIP() << "no library";
  const Sample s(Format::csr, ValueType::int8, 150, 4200, 20, 0.3, true);
  BatchProducts products(20, 1);
  const auto a = on_host_of(s.multiplied(by_library(products), PairEnd::add, nullptr)),
             b = on_host_of(s.multiplied(by_library(products), PairEnd::add, nullptr));
  for (std::int64_t v = 0; v < s.vectors; ++v)
    for (std::int64_t r = 0; r < s.rows; ++r) EXPECT_EQ(a(v, r), b(v, r));
}

TEST(BatchProducts, AreNotForFewVectorsOrForExactNumbers) {
  const auto matrix = [](ValueType type, std::int64_t slice) {
    return pack(
        64, 64, Format::dense, type, [](std::int64_t, float* out) { std::fill_n(out, 64, 1.0f); }, "ones",
        slice);
  };
  EXPECT_TRUE(BatchProducts::suits(matrix(ValueType::bf16, 1), library_from));
  EXPECT_FALSE(BatchProducts::suits(matrix(ValueType::bf16, 1), library_from - 1));
  EXPECT_FALSE(BatchProducts::suits(matrix(ValueType::fp32, 1), library_from));
  EXPECT_FALSE(BatchProducts::suits(matrix(ValueType::bf16, tile_rows), library_from));
  EXPECT_FALSE(BatchProducts::suits(matrix(ValueType::int4, 1), library_from));
}

std::string refusal(const std::string& wanted, bool library_there) {
  try {
    choose_batch_form(wanted, library_there);
  } catch (const InputError& e) {
    return e.what();
  }
  return "";
}

TEST(BatchProducts, AreChosenByTheBuildOrByHand) {
  EXPECT_EQ(choose_batch_form("", true), BatchForm::library);
  EXPECT_EQ(choose_batch_form("", false), BatchForm::warps);
  EXPECT_EQ(choose_batch_form("warps", true), BatchForm::warps);
  EXPECT_EQ(choose_batch_form("library", true), BatchForm::library);
  EXPECT_THAT(refusal("cublas", true), testing::HasSubstr("found 'cublas', expected warps or library"));
  EXPECT_THAT(refusal("library", false), testing::HasSubstr("this build has none"));
}

}  // namespace
}  // namespace wafermark::llama

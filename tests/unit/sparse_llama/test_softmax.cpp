// The polynomial exp of the float kernels, and softmax on top of it, against the C library in double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "sparse_llama/kernels/softmax.hpp"

namespace wafermark::llama {
namespace {

TEST(Exponential, IsWithinOneUnitInTheLastPlace) {
  for (double v = -87.2; v < 88; v += 1e-3) {
    const auto x = float(v);
    const double exact = std::exp(double(x));
    ASSERT_NEAR(exponential(x), exact, exact * std::numeric_limits<float>::epsilon()) << x;
  }
  EXPECT_EQ(exponential(0.0f), 1.0f);
}

TEST(Exponential, OfWhatFloatCannotHold) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(exponential(-infinity), 0.0f);
  EXPECT_EQ(exponential(-200.0f), 0.0f);
  EXPECT_GT(exponential(infinity), 1e38f);
  EXPECT_TRUE(std::isnan(exponential(std::nanf(""))));
}

TEST(Softmax, OfRowsOfEveryLength) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 10);
  for (std::int64_t n = 1; n < 70; ++n) {
    std::vector<float> x;
    for (std::int64_t i = 0; i < n; ++i) x.push_back(normal(random));
    const double top = *std::max_element(x.begin(), x.end());
    double sum = 0;
    for (const float value : x) sum += std::exp(double(value) - top);
    std::vector<float> p = x;
    const SoftmaxSum<float> s = softmax(p.data(), n);
    EXPECT_EQ(s.top, float(top));
    EXPECT_NEAR(s.sum, sum, 1e-6 * sum);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double exact = std::exp(double(x[i] - s.top)) / sum;
      EXPECT_NEAR(p[i], exact, 1e-6 * exact + 1e-37) << "element " << i << " of " << n;
    }
  }
}

}  // namespace
}  // namespace wafermark::llama

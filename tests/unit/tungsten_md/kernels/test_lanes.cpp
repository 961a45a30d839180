// The words of kernels/lanes.hpp mean the same for packs as for one value after another.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "tungsten_md/dynamics/particles.hpp"
#include "tungsten_md/kernels/cubic_table.hpp"

namespace wafermark::tungsten {
namespace {

template <class Pack>
struct LanesOf : testing::Test {
  using Real = typename Lanes<Pack>::Value;
  static constexpr int width = Lanes<Pack>::width;

  /// Memory as the kernels have it: quads and pairs of them aligned.
  static Kokkos::View<Real*, Kokkos::HostSpace> numbers(int n) {
    Kokkos::View<Real*, Kokkos::HostSpace> out("numbers", static_cast<std::size_t>(n));
    std::mt19937 random(7);
    std::uniform_real_distribution<double> uniform(-1.0, 1.0);
    for (int k = 0; k < n; ++k) out(static_cast<std::size_t>(k)) = static_cast<Real>(uniform(random));
    return out;
  }
  static std::array<int, 16> indices() {
    std::array<int, 16> out{};
    for (int l = 0; l < 16; ++l) out[static_cast<std::size_t>(l)] = (5 * l + 3) % 17;
    return out;
  }
  static std::array<Real, 16> values(const Pack& x) {
    std::array<Real, 16> out{};
    store_values(out.data(), x);
    return out;
  }
  static std::array<Real, 16> ramp(double from) {
    std::array<Real, 16> out{};
    for (int l = 0; l < 16; ++l) out[static_cast<std::size_t>(l)] = static_cast<Real>(from + 0.37 * l * l);
    return out;
  }
};

using Packs = testing::Types<double, float, native_lanes<double, Kokkos::DefaultHostExecutionSpace>,
                             native_lanes<float, Kokkos::DefaultHostExecutionSpace>>;
TYPED_TEST_SUITE(LanesOf, Packs);

TYPED_TEST(LanesOf, LoadQuadsAndPairsOfThem) {
  using T = TypeParam;
  const auto base = this->numbers(17 * 8);
  const auto index = this->indices();
  const Quad<T> quad = load_quads<T>(base.data(), index.data());
  const QuadPair<T> pair = load_quad_pairs<T>(base.data(), index.data());
  const std::array<T, 4> quads{quad.a, quad.b, quad.c, quad.d};
  const std::array<T, 8> pairs{pair.first.a,  pair.first.b,  pair.first.c,  pair.first.d,
                               pair.second.a, pair.second.b, pair.second.c, pair.second.d};
  for (std::size_t l = 0; l < static_cast<std::size_t>(this->width); ++l) {
    const auto at = static_cast<std::size_t>(index[l]);
    for (std::size_t c = 0; c < 4; ++c) EXPECT_EQ(this->values(quads[c])[l], base(4 * at + c));
    for (std::size_t c = 0; c < 8; ++c) EXPECT_EQ(this->values(pairs[c])[l], base(8 * at + c));
  }
}

TYPED_TEST(LanesOf, AddAtTheirIndices) {
  using T = TypeParam;
  const auto base = this->numbers(20), before = this->numbers(20);
  const auto index = this->indices();
  const auto x = this->ramp(0.5);
  add_at(base.data(), index.data(), load_values<T>(x.data()));
  std::vector<double> expected(20);
  for (std::size_t k = 0; k < 20; ++k) expected[k] = static_cast<double>(before(k));
  for (std::size_t l = 0; l < static_cast<std::size_t>(this->width); ++l)
    expected[static_cast<std::size_t>(index[l])] += static_cast<double>(x[l]);
  for (std::size_t k = 0; k < 20; ++k) EXPECT_NEAR(static_cast<double>(base(k)), expected[k], 1e-5);
}

TYPED_TEST(LanesOf, ExchangeForces) {
  using T = TypeParam;
  const auto base = this->numbers(4 * 20), before = this->numbers(4 * 20);
  const auto index = this->indices();
  const auto x = this->ramp(0.5), y = this->ramp(-3.0), z = this->ramp(11.0);
  constexpr int i = 18;
  exchange_quads(base.data(), i, index.data(), load_values<T>(x.data()), load_values<T>(y.data()),
                 load_values<T>(z.data()));
  std::vector<double> expected(80);
  for (std::size_t k = 0; k < 80; ++k) expected[k] = static_cast<double>(before(k));
  for (std::size_t l = 0; l < static_cast<std::size_t>(this->width); ++l) {
    const std::array<double, 3> force{static_cast<double>(x[l]), static_cast<double>(y[l]),
                                      static_cast<double>(z[l])};
    for (std::size_t d = 0; d < 3; ++d) {
      expected[4 * i + d] += force[d];
      expected[4 * static_cast<std::size_t>(index[l]) + d] -= force[d];
    }
  }
  for (std::size_t k = 0; k < 80; ++k) EXPECT_NEAR(static_cast<double>(base(k)), expected[k], 1e-4) << k;
}

TYPED_TEST(LanesOf, TakeRootsToAFewUnitsInTheLastPlace) {
  using T = TypeParam;
  using Real = typename Lanes<T>::Value;
  const double few = 4.0 * static_cast<double>(Kokkos::Experimental::epsilon_v<Real>);
  for (double x = 1e-4; x < 1e8; x *= 1.0137) {
    const auto square = static_cast<Real>(x);
    const Roots<T> found = quick_roots(T(square));
    const double root = std::sqrt(static_cast<double>(square));
    ASSERT_NEAR(static_cast<double>(this->values(found.root)[0]), root, few * root) << x;
    ASSERT_NEAR(static_cast<double>(this->values(found.inverse)[0]) * root, 1.0, few) << x;
  }
}

TYPED_TEST(LanesOf, StayInTheTableWhereAtomsCoincideOrAreNowhere) {
  using T = TypeParam;
  using Real = typename Lanes<T>::Value;
  const Real nan = std::numeric_limits<Real>::quiet_NaN();
  for (const Real square :
       {Real(0), nan, std::numeric_limits<Real>::infinity(), std::numeric_limits<Real>::max()}) {
    const T r2(square);
    std::array<int, 16> piece{};
    store_indices<T>(piece.data(), locate(T(quick_roots(r2).root * T(Real(10))), r2 < T(Real(25)), 51).index);
    EXPECT_GE(piece[0], 0) << square;
    EXPECT_LE(piece[0], 51) << square;
  }
}

using Floats = native_lanes<float, Kokkos::DefaultHostExecutionSpace>;

TEST(Indices, AreChosenByTheirBitsInTheirOrder) {
  constexpr int width = Lanes<Floats>::width;
  std::array<int, 8> index{31, 4, 15, 9, 26, 5, 35, 8};
  for (unsigned chosen = 0; chosen < (1u << width); ++chosen) {
    std::vector<int> expected;
    for (int l = 0; l < width; ++l)
      if ((chosen >> l) & 1u) expected.push_back(index[static_cast<std::size_t>(l)]);
    std::array<int, 8> to{};
    const int n = store_chosen<Floats>(to.data(), index.data(), chosen);
    EXPECT_EQ(std::vector<int>(to.begin(), to.begin() + n), expected) << chosen;
  }
}

TEST(Indices, AreCompared) {
  const std::array<int, 8> index{3, 4, 5, 6, 3, 2, 4, 9};
  constexpr unsigned all = (1u << Lanes<Floats>::width) - 1u;
  EXPECT_EQ(above<Floats>(index.data(), 4), 0b10001100u & all);
  EXPECT_EQ(differs<Floats>(index.data(), 4), 0b10111101u & all);
}

}  // namespace
}  // namespace wafermark::tungsten

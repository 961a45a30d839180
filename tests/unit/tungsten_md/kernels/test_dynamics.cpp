// The arithmetic of motion: velocity Verlet, random numbers, the heat bath, electronic stopping.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "tungsten_md/kernels/heat_bath.hpp"
#include "tungsten_md/kernels/random.hpp"
#include "tungsten_md/kernels/stopping.hpp"
#include "tungsten_md/kernels/velocity_verlet.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

// ---- velocity Verlet on one degree of freedom of a tungsten atom on a spring

constexpr double mass = 183.84, spring = 10.0;  // amu, eV/Angstrom^2

struct Oscillator {
  double x = 0.1, v = 0.0;
  void step(double dt) {
    v = kick(v, -spring * x, 1.0 / mass, 0.5 * dt);
    x = drift(x, v, dt);
    v = kick(v, -spring * x, 1.0 / mass, 0.5 * dt);
  }
  double energy() const { return 0.5 * units::amu_a2_per_ps2_in_ev * mass * v * v + 0.5 * spring * x * x; }
};

double largest_energy_error(double dt) {
  Oscillator o;
  const double start = o.energy();
  double worst = 0.0;
  for (double t = 0.0; t < 2.0; t += dt) {
    o.step(dt);
    worst = std::max(worst, std::abs(o.energy() - start));
  }
  return worst;
}

TEST(VelocityVerlet, EnergyErrorShrinksWithTheSquareOfTheTimeStep) {
  EXPECT_NEAR(largest_energy_error(0.002) / largest_energy_error(0.001), 4.0, 0.02);
}

TEST(VelocityVerlet, OscillatesAtTheSpringsFrequencyInMetalUnits) {
  const double omega = std::sqrt(spring / (mass * units::amu_a2_per_ps2_in_ev));
  Oscillator o;
  const int steps = 20000;
  const double dt = 2.0 * M_PI / omega / steps;
  for (int k = 0; k < steps; ++k) o.step(dt);
  EXPECT_NEAR(o.x, 0.1, 1e-8);
  EXPECT_NEAR(o.v / (0.1 * omega), 0.0, 1e-6);
}

TEST(VelocityVerlet, RunsBackwardsWhenVelocitiesAreReversed) {
  Oscillator o;
  for (int k = 0; k < 1000; ++k) o.step(0.002);
  EXPECT_GT(std::abs(o.x - 0.1), 1e-3);
  o.v = -o.v;
  for (int k = 0; k < 1000; ++k) o.step(0.002);
  EXPECT_NEAR(o.x, 0.1, 1e-12);
}

// ---- random numbers

TEST(Random, ReproducesThePublishedPhiloxVectors) {
  // Random123's kat_vectors, philox 4x32 10 rounds.
  const r123::Philox4x32::ctr_type zero = {{0, 0, 0, 0}}, ones = {{~0u, ~0u, ~0u, ~0u}};
  const auto a = r123::Philox4x32()(zero, {{0, 0}});
  const auto b = r123::Philox4x32()(ones, {{~0u, ~0u}});
  const std::array<std::uint32_t, 4> expect_a{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
      expect_b{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
  for (std::size_t k = 0; k < 4; ++k) {
    EXPECT_EQ(a[k], expect_a[k]);
    EXPECT_EQ(b[k], expect_b[k]);
  }
}

TEST(Random, SeedAtomStepAndPurposeEachChangeTheNumbers) {
  const auto first = random_words(1, 2, 3, Stream::velocity);
  EXPECT_EQ(first, random_words(1, 2, 3, Stream::velocity));
  EXPECT_NE(first, random_words(2, 2, 3, Stream::velocity));
  EXPECT_NE(first, random_words(1ull << 32 | 1, 2, 3, Stream::velocity));
  EXPECT_NE(first, random_words(1, 3, 3, Stream::velocity));
  EXPECT_NE(first, random_words(1, 1ull << 32 | 2, 3, Stream::velocity));
  EXPECT_NE(first, random_words(1, 2, 4, Stream::velocity));
  EXPECT_NE(first, random_words(1, 2, 1ull << 32 | 3, Stream::velocity));
  EXPECT_NE(first, random_words(1, 2, 3, Stream::langevin));
  // Ids up to 2^63 - 1: the highest bits are the id's, not the stream's.
  constexpr std::uint64_t huge = (1ull << 63) - 1;
  for (int bit = 0; bit < 63; ++bit)
    EXPECT_NE(random_words(1, huge, 3, Stream::velocity),
              random_words(1, huge ^ (1ull << bit), 3, Stream::velocity))
        << bit;
  for (const Stream stream : {Stream::langevin, Stream::pka})
    EXPECT_NE(random_words(1, huge, 3, Stream::velocity), random_words(1, huge, 3, stream));
  EXPECT_NE(random_words(1, 3ull << 56 | 2, 3, Stream::velocity), random_words(1, 2, 3, Stream::langevin));
}

TEST(Random, UniformNumbersNeverReachZero) {
  EXPECT_GT(uniform(0), 0.0);
  EXPECT_EQ(uniform(~0u), 1.0);
}

TEST(Random, GaussianTriplesHaveTheMomentsOfThreeIndependentNormals) {
  const int n = 200000;
  double mean[3] = {}, second[3] = {}, fourth[3] = {}, cross[3] = {};
  for (int i = 0; i < n; ++i) {
    const Triple t = gaussian_triple(5, static_cast<std::uint64_t>(i), 0, Stream::velocity);
    const double g[3] = {t.x, t.y, t.z};
    for (int d = 0; d < 3; ++d) {
      mean[d] += g[d] / n;
      second[d] += g[d] * g[d] / n;
      fourth[d] += std::pow(g[d], 4) / n;
      cross[d] += g[d] * g[(d + 1) % 3] / n;
    }
  }
  // Five standard errors: 1, sqrt(2), sqrt(96) and 1 over sqrt(n).
  const double sigma = 5.0 / std::sqrt(n);
  for (int d = 0; d < 3; ++d) {
    EXPECT_NEAR(mean[d], 0.0, sigma);
    EXPECT_NEAR(second[d], 1.0, std::sqrt(2.0) * sigma);
    EXPECT_NEAR(fourth[d], 3.0, std::sqrt(96.0) * sigma);
    EXPECT_NEAR(cross[d], 0.0, sigma);
  }
}

TEST(Random, GaussianTriplesPassAChiSquareTest) {
  // Twenty bins of equal probability: the error function's image of a normal number is uniform.
  const int n = 100000, bins = 20;
  std::vector<int> count(bins, 0);
  for (int i = 0; i < n; ++i) {
    const Triple t = gaussian_triple(9, static_cast<std::uint64_t>(i), 7, Stream::langevin);
    for (const double g : {t.x, t.y, t.z})
      ++count[static_cast<std::size_t>(
          std::min(bins - 1, static_cast<int>(bins * 0.5 * std::erfc(-g / std::sqrt(2.0)))))];
  }
  double chi2 = 0.0;
  for (const int c : count) chi2 += std::pow(c - 3.0 * n / bins, 2) / (3.0 * n / bins);
  EXPECT_LT(chi2, 43.8);  // 19 degrees of freedom, one in a thousand
}

TEST(Random, DirectionsAreUniformOnTheSphere) {
  const int n = 100000;
  double mean[3] = {}, second[3] = {};
  for (int i = 0; i < n; ++i) {
    const Triple t = random_direction(3, static_cast<std::uint64_t>(i), 0, Stream::pka);
    const double u[3] = {t.x, t.y, t.z};
    ASSERT_NEAR(t.x * t.x + t.y * t.y + t.z * t.z, 1.0, 1e-12);
    for (int d = 0; d < 3; ++d) {
      mean[d] += u[d] / n;
      second[d] += u[d] * u[d] / n;
    }
  }
  for (int d = 0; d < 3; ++d) {
    EXPECT_NEAR(mean[d], 0.0, 5.0 * std::sqrt(1.0 / 3.0 / n));
    EXPECT_NEAR(second[d], 1.0 / 3.0, 5.0 * std::sqrt(4.0 / 45.0 / n));
  }
}

// ---- heat bath

TEST(HeatBath, TwoHalfStepsAreOneWholeStep) {
  // Ornstein-Uhlenbeck is exact for any step: means multiply, and variances compose.
  const HeatBath<double> half = heat_bath(0.35, 2.0), whole = heat_bath(0.7, 2.0);
  EXPECT_NEAR(half.keep * half.keep, whole.keep, 1e-15);
  EXPECT_NEAR(half.noise * half.noise * (1.0 + half.keep * half.keep), whole.noise * whole.noise, 1e-15);
}

TEST(HeatBath, KeepsTheThermalVarianceAndForgetsTheRest) {
  for (const double step : {1e-3, 0.1, 5.0}) {
    const HeatBath<double> b = heat_bath(step, 2.5);
    EXPECT_NEAR(b.keep * b.keep * 2.5 + b.noise * b.noise, 2.5, 1e-14);
  }
  EXPECT_LT(heat_bath(50.0, 2.5).keep, 1e-20);
}

// ---- electronic stopping

constexpr double heavy = mass * units::amu_a2_per_ps2_in_ev;

TEST(Stopping, ASquareRootLawStopsAnAtomInItsAnalyticRange) {
  // dE/dx = -k sqrt(E): range from E0 down to E1 is 2 (sqrt(E0) - sqrt(E1)) / k.
  const double k = 0.2167, e0 = 10000.0, e1 = 10.0, dt = 1e-4;
  double v = std::sqrt(2.0 * e0 / heavy), x = 0.0;
  while (0.5 * heavy * v * v > e1) {
    const double before = v;
    v *= stopping_factor_sqrt(k, heavy, dt);
    x += 0.5 * (before + v) * dt;
  }
  EXPECT_NEAR(x, 2.0 * (std::sqrt(e0) - std::sqrt(0.5 * heavy * v * v)) / k, 1e-4 * x);
}

TEST(Stopping, ASquareRootLawDoesNotDependOnTheTimeStep) {
  double split = 1.0;
  for (int i = 0; i < 64; ++i) split *= stopping_factor_sqrt(0.2167, heavy, 0.01 / 64);
  EXPECT_NEAR(split, stopping_factor_sqrt(0.2167, heavy, 0.01), 1e-14);
}

TEST(Stopping, ATableStopsAnAtomInItsAnalyticRange) {
  // S = E / 50 up to 1000 eV (a linear table): E falls as exp(-x / 50 A).
  const double energy[] = {1.0, 10.0, 1000.0}, power[] = {0.02, 0.2, 20.0}, dt = 1e-5;
  double v = std::sqrt(2.0 * 900.0 / heavy), x = 0.0;
  while (x < 100.0) {
    const double e = 0.5 * heavy * v * v, before = v;
    v *= stopping_factor(interpolate_stopping(energy, power, 3, e), heavy, v, dt);
    x += 0.5 * (before + v) * dt;
  }
  EXPECT_NEAR(0.5 * heavy * v * v, 900.0 * std::exp(-x / 50.0), 0.1);
}

TEST(Stopping, NeverReversesAVelocity) {
  EXPECT_EQ(stopping_factor(1e6, heavy, 0.1, 1.0), 0.0);
  EXPECT_GE(stopping_factor_sqrt(1e6, heavy, 1.0), 0.0);
  EXPECT_LE(stopping_factor_sqrt(0.2, heavy, 0.0), 1.0);
}

TEST(Stopping, TablesAreLinearBetweenTheirLinesZeroBelowAndConstantAbove) {
  const double energy[] = {10.0, 20.0, 40.0}, power[] = {1.0, 3.0, 4.0};
  EXPECT_EQ(interpolate_stopping(energy, power, 3, 9.999), 0.0);
  EXPECT_EQ(interpolate_stopping(energy, power, 3, 10.0), 1.0);
  EXPECT_DOUBLE_EQ(interpolate_stopping(energy, power, 3, 15.0), 2.0);
  EXPECT_DOUBLE_EQ(interpolate_stopping(energy, power, 3, 20.0), 3.0);
  EXPECT_DOUBLE_EQ(interpolate_stopping(energy, power, 3, 30.0), 3.5);
  EXPECT_EQ(interpolate_stopping(energy, power, 3, 1e9), 4.0);
}

}  // namespace
}  // namespace wafermark::tungsten

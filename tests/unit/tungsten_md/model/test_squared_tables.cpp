// Tables over r^2 against the tables over r that they are made from, and on every kind of lanes.
#include <gtest/gtest.h>

#include <cmath>

#include "tungsten_md/kernels/eam.hpp"
#include "tungsten_md/model/squared_tables.hpp"

using namespace wafermark;
using namespace wafermark::tungsten;

namespace {

/// phi = e^-r / r and rho = (4 - r)^2, which ends smoothly at the cut-off.
PotentialTables smooth() {
  PotentialTables t;
  t.nr = 4001;
  t.dr = 0.001;
  t.cutoff_angstrom = 4.0;
  std::vector<double> density, r_phi;
  for (int k = 0; k < t.nr; ++k) {
    const double r = k * t.dr;
    density.push_back((4.0 - r) * (4.0 - r));
    r_phi.push_back(std::exp(-r));
  }
  t.density = {{density}};
  t.r_phi = {{r_phi}};
  return t;
}

template <class Real>
struct Looked {
  Real density, phi;
  RadialSlopes<Real> slopes;
};
template <class Real>
Looked<Real> look_up(const SquaredTables& t, Real u) {
  const std::vector<Real> density(t.density.begin(), t.density.end()),
      slopes(t.slopes.begin(), t.slopes.end());
  const TablePosition<Real> at = locate_or_beyond(u * Real(1.0 / t.du), Real(t.pieces - 1));
  const Quad<Real> of_rho = load_quads(slopes.data(), 2 * at.index),
                   of_phi = load_quads(slopes.data() + 4, 2 * at.index);
  return {cubic_value(load_quads(density.data(), at.index), at.p),
          phi_of_squares(of_phi, at.p, Real(0.5 * t.du)), eam_radial_of_squares(of_rho, of_phi, at.p)};
}

TEST(SquaredTables, FollowTheFunctionsAndTheirSlopes) {
  const SquaredTables t = over_squares(smooth(), 0, 0, 500);
  for (double r = 0.8; r < 3.999; r += 0.0137) {
    const auto found = look_up(t, r * r);
    const double phi = std::exp(-r) / r;
    EXPECT_NEAR(found.density, (4.0 - r) * (4.0 - r), 1e-7) << r;
    EXPECT_NEAR(found.phi, phi, 1e-6 * phi) << r;
    EXPECT_NEAR(found.slopes.density_slope_over_r_ij, -2.0 * (4.0 - r) / r, 3e-4) << r;
    EXPECT_NEAR(found.slopes.phi_slope_over_r, -phi * (1.0 + 1.0 / r) / r, 3e-4 * phi) << r;
    EXPECT_EQ(found.slopes.density_slope_over_r_ij, found.slopes.density_slope_over_r_ji);
  }
}

TEST(SquaredTables, GetFourthOrderCloserWithMorePoints) {
  const auto error = [](int pieces) {
    const SquaredTables t = over_squares(smooth(), 0, 0, pieces);
    double worst = 0.0;
    for (double r = 1.0; r < 3.99; r += 0.00173)
      worst = std::max(worst, std::abs(look_up(t, r * r).phi - std::exp(-r) / r));
    return worst;
  };
  const double coarse = error(101), fine = error(201);
  EXPECT_GT(coarse / fine, 12.0);
  EXPECT_LT(coarse / fine, 20.0);
}

TEST(SquaredTables, HoldTheSlopesOfTheirOwnEnergy) {
  const SquaredTables t = over_squares(smooth(), 0, 0, 100);
  for (double u = 0.01; u < 15.9; u += 0.0371) {
    const double h = 1e-5;
    const double of_phi = (look_up(t, u + h).phi - look_up(t, u - h).phi) / (2 * h),
                 of_rho = (look_up(t, u + h).density - look_up(t, u - h).density) / (2 * h);
    const auto found = look_up(t, u).slopes;  // f'(r)/r = 2 df/du
    EXPECT_NEAR(found.phi_slope_over_r, 2.0 * of_phi, 2e-4 * (1.0 + std::abs(of_phi))) << u;
    EXPECT_NEAR(found.density_slope_over_r_ij, 2.0 * of_rho, 2e-4 * (1.0 + std::abs(of_rho))) << u;
  }
}

TEST(SquaredTables, AreZeroFromTheCutoffOnAndFiniteAtNoDistance) {
  const SquaredTables t = over_squares(smooth(), 0, 0, 50);
  for (const double u : {16.0, 16.5, 1e12, std::numeric_limits<double>::infinity(), std::nan("")}) {
    const auto found = look_up(t, u);
    EXPECT_EQ(found.density, 0.0) << u;
    EXPECT_EQ(found.phi, 0.0) << u;
    EXPECT_EQ(found.slopes.phi_slope_over_r, 0.0) << u;
    EXPECT_EQ(found.slopes.density_slope_over_r_ij, 0.0) << u;
  }
  const auto nearest = look_up(t, 0.0);
  EXPECT_TRUE(std::isfinite(nearest.phi));
  EXPECT_LT(nearest.slopes.phi_slope_over_r, 0.0);  // it still repels
  // The same polynomial; a compiler may contract its terms otherwise where the argument is a constant.
  EXPECT_DOUBLE_EQ(nearest.slopes.phi_slope_over_r, look_up(t, 0.5 * t.du).slopes.phi_slope_over_r);
}

TEST(SquaredTables, AreTheSameInSinglePrecisionUpToRounding) {
  const SquaredTables t = over_squares(smooth(), 0, 0, 500);
  for (double r = 0.9; r < 3.99; r += 0.0211) {
    const auto u = static_cast<float>(r * r);
    const auto single = look_up<float>(t, u);
    const auto twice = look_up<double>(t, static_cast<double>(u));
    EXPECT_NEAR(single.density, twice.density, 2e-6) << r;
    EXPECT_NEAR(single.slopes.phi_slope_over_r, twice.slopes.phi_slope_over_r, 1e-6) << r;
  }
}

#if defined(WAFERMARK_LANES_AVX2)
// A layout that native lanes take as well: eight pairs at once, those beyond the cut-off among them.
TEST(SquaredTables, AreLookedUpByNativeLanesAsByTiles) {
  using Pack = avx2::Pack<float>;
  const SquaredTables t = over_squares(smooth(), 0, 0, 500);
  alignas(32) float u[8], found[8];
  for (int l = 0; l < 8; ++l) u[l] = 1.3f + 2.31f * static_cast<float>(l);
  struct alignas(32) Eight {
    float c[8];
  };
  std::vector<Eight> aligned(t.slopes.size() / 8);
  for (std::size_t k = 0; k < t.slopes.size(); ++k) aligned[k / 8].c[k % 8] = static_cast<float>(t.slopes[k]);
  const auto at = locate_or_beyond(load_values<Pack>(u) * Pack(static_cast<float>(1.0 / t.du)),
                                   Pack(static_cast<float>(t.pieces - 1)));
  const auto both = avx2::Int8(at.index + at.index);
  const auto slopes =
      eam_radial_of_squares(load_quads(aligned[0].c, both), load_quads(aligned[0].c + 4, both), at.p);
  store_values(found, slopes.phi_slope_over_r);
  for (int l = 0; l < 8; ++l)
    EXPECT_NEAR(found[l], look_up<float>(t, u[l]).slopes.phi_slope_over_r, 1e-6f) << u[l];
  EXPECT_EQ(found[7], 0.0f);
}
#endif

}  // namespace

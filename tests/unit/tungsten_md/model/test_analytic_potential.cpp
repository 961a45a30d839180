#include <gmock/gmock.h>

#include <cmath>

#include "common/errors.hpp"
#include "tungsten_md/model/analytic_potential.hpp"
#include "tungsten_md/model/perfect_crystal.hpp"
#include "tungsten_md/model/potential_file.hpp"
#include "tungsten_md/model/potential_grid.hpp"
#include "tungsten_md/model/potential_library.hpp"

namespace wafermark::tungsten {
namespace {

/// A table through its cubics, at a place of its argument.
class Curve {
 public:
  Curve(const std::vector<double>& samples, double step) : quads_(lammps_spline(samples)), step_(step) {}
  double operator()(double x) const { return table_value(quads_, x / step_); }

 private:
  std::vector<double> quads_;
  double step_;
};

TEST(AcklandThetford, PerfectTungstenHasThePublishedLatticeConstantAndCohesiveEnergy) {
  const auto t = make_analytic_potential("ackland_thetford_1987", {"W"});
  const PerfectCrystal crystal(t, 0, LatticeKind::bcc);
  const double a = crystal.relaxed_lattice_constant(3.1);
  EXPECT_NEAR(a, 3.16520, 5e-6);
  EXPECT_NEAR(crystal.atom(a).energy_ev, -8.9000, 5e-5);
  EXPECT_EQ(crystal.atom(a).neighbours, 14);
}

TEST(AcklandThetford, TablesFollowTheFunctionsBetweenTheSamples) {
  const auto t = make_analytic_potential("ackland_thetford_1987", {"W"});
  const Curve density(t.density[0][0], t.dr), r_phi(t.r_phi[0][0], t.dr), embedding(t.embedding[0], t.drho);
  for (double r = 0.3; r < 4.5; r += 0.0137) {
    const double d = std::max(0.0, 4.400224 - r), c = std::max(0.0, 3.25 - r), b = std::max(0.0, 2.7411 - r);
    EXPECT_NEAR(density(r), d * d, 1e-6) << r;
    const double phi =
        c * c * (47.1346499 - 33.7665655 * r + 6.2541999 * r * r) + 90.3 * b * b * b * std::exp(-1.2 * r);
    EXPECT_NEAR(r_phi(r), r * phi, 1e-6) << r;
  }
  for (double rho = 1.003; rho < 200.0; rho += 0.717)
    EXPECT_NEAR(embedding(rho), -1.896373 * std::sqrt(rho), 1e-9) << rho;
  EXPECT_EQ(embedding(0.0), 0.0);
  EXPECT_NEAR(embedding(0.005), -1.896373 * std::sqrt(0.005), 0.04);  // as documented
}

TEST(Zhou, ElementsHaveThePublishedCohesiveEnergies) {
  const auto t = make_analytic_potential("zhou_2004", {"W", "Ta", "Cu"});
  const double energies[] = {-8.76, -8.09, -3.54};
  for (std::size_t k = 0; k < 3; ++k) {
    const PerfectCrystal crystal(t, k, lattice_kind(t.elements[k].lattice, "test"));
    const double published = t.elements[k].lattice_constant_angstrom;
    const double a = crystal.relaxed_lattice_constant(published);
    EXPECT_NEAR(a, published, 1e-4) << t.elements[k].symbol;
    EXPECT_NEAR(crystal.atom(a).energy_ev, energies[k], 1e-3) << t.elements[k].symbol;
  }
}

TEST(Zhou, TungstenIsTheTableThatLammpsShipsUpToFifteenPercentOverdensity) {
  std::string path;
  try {
    path = find_potential("W_zhou.eam.alloy");
  } catch (const InputError& missing) {
    GTEST_SKIP() << missing.what();
  }
  const auto file = read_potential(path), model = make_analytic_potential("zhou_2004", {"W"});
  const Curve density(model.density[0][0], model.dr), r_phi(model.r_phi[0][0], model.dr),
      embedding(model.embedding[0], model.drho);
  for (std::size_t k = 300; static_cast<double>(k) * file.dr < model.cutoff_angstrom; ++k) {
    const double r = static_cast<double>(k) * file.dr;
    EXPECT_NEAR(density(r), file.density[0][0][k], 1e-8 + 1e-9 * file.density[0][0][k]) << r;
    EXPECT_NEAR(r_phi(r), file.r_phi[0][0][k], 1e-8 + 1e-9 * std::abs(file.r_phi[0][0][k])) << r;
  }
  // The file has the other sign of eta: F differs from 1.15 rho_e = 42.82 on.
  for (std::size_t k = 1; static_cast<double>(k) * file.drho < 42.7; ++k) {
    const double rho = static_cast<double>(k) * file.drho;
    EXPECT_NEAR(embedding(rho), file.embedding[0][k], 2e-6) << rho;  // F'' jumps at 0.85 rho_e
  }
}

TEST(Zhou, EmbeddingEnergiesAndTheirSlopesAreContinuous) {
  const auto t = make_analytic_potential("zhou_2004", {"W", "Ta", "Cu"});
  const double rho_e[] = {37.234847, 33.787168, 21.175871};
  for (std::size_t k = 0; k < 3; ++k)
    for (const double joint : {0.85, 1.0, 1.15}) {
      // Slopes over three samples at either side; between them the function moves by at most slope times
      // distance.
      const auto at = static_cast<std::size_t>(joint * rho_e[k] / t.drho);
      const auto& f = t.embedding[k];
      const double before = (f[at - 1] - f[at - 4]) / 3.0, after = (f[at + 5] - f[at + 2]) / 3.0;
      EXPECT_NEAR(f[at + 2] - f[at - 1], 1.5 * (before + after), 1e-4) << t.elements[k].symbol << joint;
      EXPECT_NEAR(before / t.drho, after / t.drho, 3e-3) << t.elements[k].symbol << joint;
    }
}

TEST(Zhou, MixedPairsAreSymmetricAndDensitiesBelongToTheNeighbour) {
  const auto t = make_analytic_potential("zhou_2004", {"Ta", "W", "Ta"});
  EXPECT_EQ(t.density[0][1], t.density[2][1]);
  EXPECT_NE(t.density[0][1], t.density[1][0]);
  for (std::size_t k = 0; k < t.r_phi[0][1].size(); k += 100)
    EXPECT_NEAR(t.r_phi[0][1][k], t.r_phi[1][0][k], 1e-12 * (1 + std::abs(t.r_phi[0][1][k])));
  EXPECT_EQ(t.r_phi[0][0], t.r_phi[0][2]);  // two types of one element
  // The rule by hand at 2.8 A, from the pure tables.
  const double r = 2.8;
  const auto at = [&](const std::vector<double>& f) { return Curve(f, t.dr)(r); };
  const double fa = at(t.density[1][0]), fb = at(t.density[0][1]);
  EXPECT_NEAR(at(t.r_phi[0][1]), 0.5 * (fb / fa * at(t.r_phi[0][0]) + fa / fb * at(t.r_phi[1][1])), 1e-9);
}

TEST(AnalyticModels, UnknownNamesAndElementsAreRefused) {
  EXPECT_THROW(make_analytic_potential("zhou_2004", {"W", "He"}), InputError);
  EXPECT_THROW(make_analytic_potential("ackland_thetford_1987", {"Ta"}), InputError);
  EXPECT_THROW(make_analytic_potential("zhou_2005", {"W"}), InputError);
  EXPECT_THROW(make_analytic_potential("zhou_2004", {}), InputError);
}

}  // namespace
}  // namespace wafermark::tungsten

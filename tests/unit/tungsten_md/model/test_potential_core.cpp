#include <gmock/gmock.h>

#include <cmath>

#include "common/errors.hpp"
#include "tungsten_md/kernels/zbl.hpp"
#include "tungsten_md/model/analytic_potential.hpp"
#include "tungsten_md/model/element_symbols.hpp"
#include "tungsten_md/model/potential_grid.hpp"

namespace wafermark::tungsten {
namespace {

TEST(ScreenedCoulomb, IsTheBareNucleiAtZeroDistance) {
  const double bare = 14.399645 * 74 * 74;
  EXPECT_NEAR(ZblScreening<double>::universal(74, 74).r_phi(0.0), bare, 1e-4 * bare);
  EXPECT_NEAR(ZblScreening<double>::tungsten_dft().r_phi(0.0), bare, 2e-3 * bare);
}

TEST(ScreenedCoulomb, UniversalScreeningMatchesAHandValue) {
  // Z = 74 on 1 at a = 0.46850 / (74^0.23 + 1) = 0.126944 A, r = a: phi(1) = sum c exp(-d).
  const auto zbl = ZblScreening<double>::universal(74, 1);
  EXPECT_EQ(zbl.r_phi(0.7), ZblScreening<double>::universal(1, 74).r_phi(0.7));
  const double a = 0.46850 / (std::pow(74.0, 0.23) + 1.0);
  const double screening = 0.18175 * std::exp(-3.1998) + 0.50986 * std::exp(-0.94229) +
                           0.28022 * std::exp(-0.4029) + 0.02817 * std::exp(-0.20162);
  EXPECT_NEAR(zbl.r_phi(a), 14.399645 * 74 * screening, 1e-9);
  EXPECT_NEAR(ZblScreening<float>::universal(74, 1).r_phi(float(a)), zbl.r_phi(a), 1e-4 * zbl.r_phi(a));
}

TEST(ScreenedCoulomb, DftAndUniversalScreeningOfTungstenAgreeWithinAFifthBelow0p7Angstrom) {
  const auto dft = ZblScreening<double>::tungsten_dft(), zbl = ZblScreening<double>::universal(74, 74);
  for (double r = 0.05; r < 0.7; r += 0.05) EXPECT_NEAR(dft.r_phi(r) / zbl.r_phi(r), 1.0, 0.2) << r;
}

TEST(CoreWeight, FallsFromOneToZeroWithTwoContinuousDerivatives) {
  const double inner = 1.0, outer = 2.0, h = 1e-4;
  EXPECT_EQ(core_weight(0.5, inner, outer), 1.0);
  EXPECT_EQ(core_weight(2.5, inner, outer), 0.0);
  EXPECT_DOUBLE_EQ(core_weight(1.5, inner, outer), 0.5);
  double before = 1.0;
  for (double r = 1.01; r < 2.0; r += 0.01) {
    EXPECT_LT(core_weight(r, inner, outer), before);
    before = core_weight(r, inner, outer);
  }
  for (const double r : {inner, outer}) {
    const double up = core_weight(r + h, inner, outer), here = core_weight(r, inner, outer),
                 down = core_weight(r - h, inner, outer);
    EXPECT_NEAR((up - down) / (2 * h), 0.0, 1e-6) << r;
    EXPECT_NEAR((up - 2 * here + down) / (h * h), 0.0, 1e-2)
        << r;  // third derivative is 60: first order in h
  }
}

TEST(Core, ReplacesThePairBelowTheInnerRadiusAndLeavesItBeyondTheOuter) {
  const auto bare = make_analytic_potential("ackland_thetford_1987", {"W"});
  for (const std::string kind : {"zbl", "zbl_dft"}) {
    const auto t = with_core(bare, kind, 1.0, 2.0);
    const auto core =
        kind == "zbl" ? ZblScreening<double>::universal(74, 74) : ZblScreening<double>::tungsten_dft();
    const auto before = lammps_spline(bare.r_phi[0][0]), after = lammps_spline(t.r_phi[0][0]);
    for (double r = 0.02; r < 0.99; r += 0.0173)
      EXPECT_NEAR(table_value(after, r / t.dr), core.r_phi(r), 1e-6 * core.r_phi(r)) << r;
    for (double r = 2.01; r < 4.4; r += 0.0173)
      EXPECT_NEAR(table_value(after, r / t.dr), table_value(before, r / bare.dr), 1e-9) << r;
    EXPECT_EQ(t.cutoff_angstrom, bare.cutoff_angstrom);
    EXPECT_FALSE(has_repulsive_core(bare));
    EXPECT_TRUE(has_repulsive_core(t));
  }
}

TEST(Core, RefinesACoarseTableAndKeepsItsSamples) {
  const auto coarse = resample(make_analytic_potential("zhou_2004", {"W", "Ta"}), 501, 2001);
  const auto t = with_core(coarse, "zbl", 1.0, 2.0);
  ASSERT_EQ((t.nr - 1) % 500, 0);
  EXPECT_LE(t.dr, 0.00125);
  const auto refine = static_cast<std::size_t>((t.nr - 1) / 500);
  for (std::size_t k = 0; k <= 500; ++k) {
    EXPECT_NEAR(t.density[0][1][k * refine], coarse.density[0][1][k], 1e-9 * coarse.density[0][1][k]);
    if (static_cast<double>(k) * coarse.dr > 2.0) {
      EXPECT_NEAR(t.r_phi[0][1][k * refine], coarse.r_phi[0][1][k], 1e-10);
    }
  }
  EXPECT_EQ(t.embedding, coarse.embedding);
}

TEST(Core, RefusesWhatItCannotJoin) {
  const auto t = make_analytic_potential("zhou_2004", {"W", "Ta"});
  EXPECT_THROW(with_core(t, "zbl_dft", 1.0, 2.0), InputError);
  EXPECT_THROW(with_core(t, "hard", 1.0, 2.0), InputError);
  EXPECT_THROW(with_core(t, "zbl", 2.0, 1.0), InputError);
  EXPECT_THROW(with_core(t, "zbl", 1.0, 7.0), InputError);
}

TEST(Elements, SymbolsAndChargesBelongTogether) {
  EXPECT_EQ(atomic_number("H"), 1);
  EXPECT_EQ(atomic_number("Cu"), 29);
  EXPECT_EQ(atomic_number("W"), 74);
  EXPECT_EQ(atomic_number("Xx"), 0);
  for (int z = 1; z <= 96; ++z) EXPECT_EQ(atomic_number(element_symbol(z)), z);
  EXPECT_EQ(element_symbol(0), "X");
}

}  // namespace
}  // namespace wafermark::tungsten

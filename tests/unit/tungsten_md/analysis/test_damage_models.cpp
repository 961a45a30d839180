// Reference numbers: the publications' tables as collected for the issue (Frenkel pairs at 1, 5, 10, 20 keV).
#include <gtest/gtest.h>

#include "tungsten_md/analysis/damage_models.hpp"

namespace wafermark::tungsten {
namespace {

TEST(DamageModels, LindhardConstantsOfTungsten) {
  const auto w = LindhardRobinson::of(74, 183.84, 74, 183.84);
  EXPECT_NEAR(w.energy_scale_ev, 1.9979e6, 100.0);
  EXPECT_NEAR(w.stopping_factor, 0.1734, 1e-4);
}

TEST(DamageModels, DamageEnergyIsPartOfTheRecoilEnergyAndTendsToAll) {
  const auto w = LindhardRobinson::of(74, 183.84, 74, 183.84);
  double share = 1.0;
  for (double e : {10.0, 100.0, 1e3, 1e4, 1e5, 1e6}) {
    EXPECT_LT(w.damage_energy(e) / e, share);
    share = w.damage_energy(e) / e;
  }
  EXPECT_NEAR(w.damage_energy(1e-6) / 1e-6, 1.0, 0.01);
  EXPECT_GT(share, 0.5);
}

TEST(DamageModels, NrtHasItsThreeRanges) {
  EXPECT_EQ(nrt_displacements(89.9, 90.0), 0.0);
  EXPECT_EQ(nrt_displacements(90.0, 90.0), 1.0);
  EXPECT_EQ(nrt_displacements(224.9, 90.0), 1.0);
  EXPECT_DOUBLE_EQ(nrt_displacements(225.0, 90.0), 1.0);
  EXPECT_DOUBLE_EQ(nrt_displacements(9000.0, 90.0), 40.0);
}

TEST(DamageModels, ArcDpaIsContinuousAndTendsToItsPlateau) {
  const double onset = 2.0 * 70.0 / 0.8;
  EXPECT_NEAR(tungsten_arc_dpa.displacements(onset * (1 + 1e-12)), 1.0, 1e-9);
  EXPECT_EQ(tungsten_arc_dpa.displacements(onset * 0.99), 1.0);
  EXPECT_EQ(tungsten_arc_dpa.displacements(69.0), 0.0);
  EXPECT_NEAR(tungsten_arc_dpa.displacements(1e12) / nrt_displacements(1e12, 70.0), 0.12, 1e-4);
}

TEST(DamageModels, TungstenPredictionsAtFourEnergies) {
  const double energies[] = {1e3, 5e3, 1e4, 2e4};
  const double arc[] = {2.4, 6.3, 10.2, 17.1}, setyawan[] = {1.9, 6.3, 10.5, 17.5},
               he[] = {3.8, 10.3, 15.9, 24.4};
  for (int k = 0; k < 4; ++k) {
    const auto p = tungsten_predictions(energies[k]);
    ASSERT_EQ(p.size(), 4u);
    EXPECT_EQ(p[1].name, "arc-dpa");
    EXPECT_NEAR(p[1].pairs, arc[k], 0.051);
    EXPECT_NEAR(p[2].pairs, setyawan[k], 0.051);
    EXPECT_NEAR(p[3].pairs, he[k], 0.051);
    EXPECT_GT(p[0].pairs, p[1].pairs) << "NRT counts what recombines";
  }
}

}  // namespace
}  // namespace wafermark::tungsten

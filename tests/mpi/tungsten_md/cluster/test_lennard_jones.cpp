// The Lennard-Jones force field against plain loops over all pairs, and runs with it.
#include <gtest/gtest.h>

#include <cmath>

#include "expect_all_pairs.hpp"
#include "tungsten_md/cluster/simulation.hpp"
#include "tungsten_md/model/crystal.hpp"
#include "tungsten_md/model/lennard_jones.hpp"

namespace wafermark::tungsten {
namespace {

constexpr std::array<bool, 3> everywhere{true, true, true}, slab{true, true, false},
    nowhere{false, false, false};
const LennardJones argon{0.010323565, 3.405, 8.5125, false};

/// The formula as it is written in textbooks, by powers of r.
toy::Reference all_pairs(const LennardJones& c, const Configuration& all) {
  const auto energy = [&](double r) {
    return 4.0 * c.epsilon_ev * (std::pow(c.sigma_angstrom / r, 12) - std::pow(c.sigma_angstrom / r, 6));
  };
  const double shift = c.shifted ? energy(c.cutoff_angstrom) : 0.0;
  const std::size_t n = all.atoms.size();
  toy::Reference result;
  result.force.assign(n, {0, 0, 0});
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < i; ++j) {
      Vec3 d{};
      for (std::size_t k = 0; k < 3; ++k) d[k] = all.atoms.x[i][k] - all.atoms.x[j][k];
      d = all.box.minimum_image(d);
      const double r = std::hypot(d[0], d[1], d[2]);
      if (r >= c.cutoff_angstrom) continue;
      result.energy += energy(r) - shift;
      const double slope = -24.0 * c.epsilon_ev / r *
                           (2.0 * std::pow(c.sigma_angstrom / r, 12) - std::pow(c.sigma_angstrom / r, 6));
      Vec3 f{};
      for (std::size_t k = 0; k < 3; ++k) {
        f[k] = -slope * d[k] / r;
        result.force[i][k] += f[k];
        result.force[j][k] -= f[k];
      }
      const double v[6] = {d[0] * f[0], d[1] * f[1], d[2] * f[2], d[0] * f[1], d[0] * f[2], d[1] * f[2]};
      for (std::size_t k = 0; k < 6; ++k) result.virial[k] += v[k];
    }
  return result;
}

struct Variant {
  ListKind list;
  const char* precision;
  std::array<bool, 3> periodic;
  bool shifted;
  double tolerance;  ///< relative to the largest force
  int lanes = 0;     ///< an atom; 0: chosen
};

class LennardJonesForces : public ::testing::TestWithParam<Variant> {};

TEST_P(LennardJonesForces, EqualAllPairsLoopsOnAnyNumberOfRanks) {
  const Variant v = GetParam();
  if (!suits_machine(v.list)) GTEST_SKIP() << "half lists are for CPUs";
  const Communicator comm;
  const auto potential = make_lennard_jones({0.02, 2.45, 4.6, v.shifted}, {"Ar"});
  const auto all = toy::shaken_crystal(potential, {8, 7, 6}, v.periodic, 0.2);
  const auto expected = all_pairs(*potential.lennard_jones, all);

  RegionTimes times;
  DomainSettings settings;
  settings.precision = v.precision;
  settings.list = v.list;
  settings.lanes_per_atom = v.lanes;
  Domain domain(comm, toy::slice(all, comm.rank(), comm.size()), potential, settings, times);
  expect_all_pairs(domain, expected, v.tolerance);
}

INSTANTIATE_TEST_SUITE_P(Cluster, LennardJonesForces,
                         ::testing::Values(Variant{ListKind::half, "double", everywhere, false, 1e-12},
                                           Variant{ListKind::full, "double", slab, true, 1e-12},
                                           Variant{ListKind::half, "double", nowhere, true, 1e-12},
                                           Variant{ListKind::full, "double", everywhere, false, 1e-12},
                                           Variant{ListKind::half, "mixed", slab, true, 1e-5},
                                           Variant{ListKind::full, "mixed", everywhere, false, 1e-5},
                                           Variant{ListKind::full, "double", everywhere, true, 1e-12, 8},
                                           Variant{ListKind::full, "mixed", nowhere, false, 1e-5, 16}));

/// LAMMPS' bench/in.lj: fcc of density 0.8442, temperature 1.44, cut-off 2.5, skin 0.3, time step 0.005.
struct Melt : public ::testing::Test {
  Communicator comm;
  RegionTimes times;
  Case what;
  PotentialTables potential = make_lennard_jones(argon, {"Ar"});

  Melt() {
    what.run.timestep_ps = 0.010782;
    what.run.skin_angstrom = 0.3 * argon.sigma_angstrom;
    what.run.seed = 5;
    what.potential.elements = {"Ar"};
    what.dynamics.temperature.draw_k = 1.44 * 119.8;
  }
  Configuration crystal() const {
    const auto all =
        build_crystal(make_lattice(LatticeKind::fcc, 5.719025, {8, 7, 7}), everywhere, "Ar", 39.95);
    return toy::slice(all, comm.rank(), comm.size());
  }
};

TEST_F(Melt, BeginsWithTheEnergyAndPressureThatLammpsPrintsForItsBenchmark) {
  const Simulation s(comm, what, potential, crystal(), times);
  const Thermo t = s.thermo();
  EXPECT_NEAR(t.potential_ev / static_cast<double>(s.atoms()) / argon.epsilon_ev, -6.7733681, 2e-7);
  // log.lj of LAMMPS has 32,000 atoms: the temperature's N - 1 differs.
  const double n = static_cast<double>(s.atoms()), kinetic = 0.8442 * 1.44;
  const double pressure = t.pressure_gpa / 160.2176634 * std::pow(argon.sigma_angstrom, 3) / argon.epsilon_ev;
  EXPECT_NEAR(pressure - kinetic * (n - 1) / n, -5.0197073 - kinetic * 31999.0 / 32000.0, 2e-5);
}

TEST_F(Melt, KeepsItsEnergyWhereThePotentialIsShifted) {
  LennardJones shifted = argon;
  shifted.shifted = true;
  potential = make_lennard_jones(shifted, {"Ar"});
  for (const char* precision : {"double", "mixed"}) {
    what.run.precision = precision;
    Simulation s(comm, what, potential, crystal(), times);
    const double kinetic = s.thermo().kinetic_ev;
    for (int k = 0; k < 200; ++k) s.step(k == 199);
    // The force has a step at the cut-off: the energy wanders at random, as in every code.
    EXPECT_LT(std::abs(s.energy_error_ev(s.thermo())), 2e-3 * kinetic) << precision;
    EXPECT_LT(s.thermo().temperature_k, 0.6 * 1.44 * 119.8) << "it melts";
  }
}

TEST_F(Melt, MakesListsAtFixedStepsAndGoesOnFromAStateBitForBit) {
  what.run.list_every = 20;
  Simulation s(comm, what, potential, crystal(), times);
  for (int k = 0; k < 50; ++k) s.step(false);
  EXPECT_EQ(s.domain().rebuilds(), 1 + 2);  // the first, and those of steps 20 and 40
  EXPECT_EQ(s.domain().late_lists(), 2);    // the benchmark's own choice is a bold one
  Simulation again(comm, what, potential, s.state(), times);
  for (int k = 50; k < 90; ++k) {
    s.step(k == 89);
    again.step(k == 89);
  }
  const auto a = s.configuration().atoms, b = again.configuration().atoms;
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.x, b.x);
  EXPECT_EQ(a.v, b.v);
  what.run.list_every = 1;
  Simulation careful(comm, what, potential, crystal(), times);
  for (int k = 0; k < 4; ++k) careful.step(false);
  EXPECT_EQ(careful.domain().rebuilds(), 5);
  EXPECT_EQ(careful.domain().late_lists(), 0);
}

}  // namespace
}  // namespace wafermark::tungsten

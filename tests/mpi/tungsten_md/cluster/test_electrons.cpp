// Electrons beside the atoms: their heat is kept, flows as Fourier says, and comes to the atoms' temperature.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "resting_crystal.hpp"
#include "tungsten_md/cluster/simulation.hpp"
#include "tungsten_md/dynamics/electrons.hpp"
#include "tungsten_md/dynamics/velocities.hpp"
#include "tungsten_md/model/analytic_potential.hpp"
#include "tungsten_md/model/crystal.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

using Model = ElectronSettings::Model;
constexpr double mass_amu = 183.84;

/// A table whose heat capacity grows with the temperature, as that of free electrons.
struct FreeElectronTable {
  double kelvin[3] = {0.0, 1000.0, 4000.0}, capacity[3] = {0.0, 2e-7, 8e-7},
         conductivity[3] = {2.0, 1.0, 1.0};
  double energy[3] = {0.0, 1e-4, 1.6e-3};
  ElectronProperties<double> of() const { return {3, kelvin, capacity, conductivity, energy}; }
};

TEST(ElectronHeat, TemperatureAndEnergyAreEachOthersInverse) {
  const FreeElectronTable table;
  const auto p = table.of();
  for (const double t : {1e-3, 5.0, 300.0, 999.0, 1000.0, 2500.0, 4000.0, 9000.0}) {
    EXPECT_NEAR(p.temperature_at(p.energy_at(t)), t, 1e-9 * t);
    if (t <= 4000.0) {
      EXPECT_NEAR(p.energy_at(t), 1e-10 * t * t, 1e-12);
    }
  }
  EXPECT_EQ(p.temperature_at(0.0), 0.0);
  EXPECT_EQ(p.temperature_at(-1.0), 0.0);
  EXPECT_NEAR(p.conductivity_at(500.0), 1.5, 1e-12);
}

TEST(ElectronHeat, WhatACellTakesItsNeighbourGivesAndNeitherOvertakesTheOther) {
  const FreeElectronTable table;
  const auto p = table.of();
  for (const double t : {1e-6, 30.0, 2000.0})
    for (const double dt : {1e-9, 1e-3, 1e6}) {
      const double mine = p.energy_at(t), theirs = p.energy_at(800.0);
      const double taken = heat_exchanged(p, mine, t, theirs, 800.0, dt);
      EXPECT_EQ(taken, -heat_exchanged(p, theirs, 800.0, mine, t, dt));
      EXPECT_LE(std::abs(taken), std::abs(mine - theirs) / 12.0);
      EXPECT_GE(taken * (800.0 - t), 0.0);
    }
}

TEST(ElectronHeat, CellsOfPeriodicAxesAreRingsAndThoseOfOpenOnesEnd) {
  const HeatCells cells{{3, 2, 4}, {0, 0, 0}, {0.3, 0.2, 0.4}, {true, false, true}};
  EXPECT_EQ(cells.cell_of(-0.1, -5.0, 10.1), (2 * 2 + 0) * 4 + 0);
  EXPECT_EQ(cells.cell_of(9.9, 15.0, 9.9), (2 * 2 + 1) * 4 + 3);
  for (int c = 0; c < cells.size(); ++c)
    for (int d = 0; d < 3; ++d) {
      const int up = cells.neighbour(c, d, 1);
      if (up != c) {
        EXPECT_EQ(cells.neighbour(up, d, -1), c);
      }
    }
  EXPECT_EQ(cells.neighbour(4, 1, 1), 4);
  EXPECT_EQ(cells.neighbour(16, 0, 1), 0);
}

struct Metal : public ::testing::Test {
  static constexpr int edge = 16;
  static constexpr std::int64_t atoms = edge * edge * edge;
  Communicator comm;
  Box box = resting_box(edge);
  Particles p;
  ElectronSettings settings;

  Metal() {
    p = resting_crystal(comm, edge, mass_amu);
    settings.model = Model::two_temperature;
    settings.coupling_time_ps = 0.5;
    settings.cells = {2, 2, 4};
    settings.properties = {{1.0}, {2.0 * atoms / box.volume() * units::boltzmann_ev_per_k}, {0.1}};
  }
  Thermo thermo() const { return measure(comm, p, {}, atoms, box); }
};

TEST_F(Metal, FrictionBringsAtomsToTheElectronsTemperatureAndBooksTheHeat) {
  settings.model = Model::friction;
  settings.temperature_k = 800.0;
  const Electrons electrons(settings, box, 3);
  RunningSum heat;
  for (int k = 0; k < 200; ++k) electrons.couple(p, box, 0.02, k, heat);
  EXPECT_NEAR(thermo().temperature_k, 800.0, 5.0 * 800.0 * std::sqrt(2.0 / (3.0 * atoms)));
  EXPECT_NEAR(comm.sum(heat.value()), thermo().kinetic_ev, 1e-9 * thermo().kinetic_ev);
}

TEST_F(Metal, FastAndVerySlowAtomsAreLeftAlone) {
  settings.model = Model::friction;
  draw_velocities(comm, p, atoms, 1000.0, 4);
  const double mean = thermo().kinetic_ev / atoms;
  settings.temperature_k = 0.0;
  for (const auto& [least, most] : {std::pair{0.0, 0.1 * mean}, {mean, 1e3}}) {
    settings.min_energy_ev = least;
    settings.max_energy_ev = most;
    const Atoms before = to_host(p);
    RunningSum heat;
    Electrons(settings, box, 3).couple(p, box, 0.05, 0, heat);
    const Atoms after = to_host(p);
    for (std::size_t i = 0; i < before.size(); ++i) {
      const auto& v = before.v[i];
      const double e =
          0.5 * mass_amu * units::amu_a2_per_ps2_in_ev * (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
      EXPECT_EQ(before.v[i] == after.v[i], e < least || e >= most);
    }
  }
}

/// Free atoms have 3/2 k each, so the difference of temperatures decays as exp(-(2/tau)(1 + C_a/C_e) t).
TEST_F(Metal, TwoTemperaturesBecomeOneAtTheirRateAndNoEnergyIsLost) {
  draw_velocities(comm, p, atoms, 1200.0, 4);
  settings.temperature_k = 300.0;
  Electrons electrons(settings, box, 3);
  const double before = thermo().kinetic_ev + electrons.energy_ev(), ratio = 1.5 / 2.0;
  RunningSum taken;
  double time = 0.0;
  for (int k = 0; k < 100; ++k, time += 0.002) {
    electrons.couple(p, box, 0.002, k, taken);
    electrons.conduct(comm, box, 0.002);
  }
  const double apart = thermo().temperature_k - electrons.mean_temperature_k(box);
  EXPECT_NEAR(apart, 900.0 * std::exp(-2.0 / 0.5 * (1.0 + ratio) * time), 25.0);
  EXPECT_NEAR(thermo().kinetic_ev + electrons.energy_ev(), before, 1e-9 * before);
  EXPECT_NEAR(electrons.gained_ev(), -comm.sum(taken.value()), 1e-8);
}

TEST_F(Metal, AWaveOfTemperatureDecaysAsFourierSays) {
  for (const double kappa : {0.1, 20.0}) {
    settings.properties.conductivity = {kappa};
    settings.cells = {1, 1, 16};
    Electrons electrons(settings, box, 3);
    std::vector<double> cells = electrons.cells_ev();
    for (std::size_t k = 0; k < 16; ++k)
      cells[k] *= 1.0 + 0.2 * std::cos(2.0 * std::numbers::pi * static_cast<double>(k) / 16.0);
    electrons.resume(cells, 0.0);
    const double total = electrons.energy_ev(), edge_of_cell = 3.0;
    const double rate = kappa / settings.properties.heat_capacity[0] * 2.0 *
                        (1.0 - std::cos(2.0 * std::numbers::pi / 16.0)) / (edge_of_cell * edge_of_cell);
    const double time = 1.0 / rate;
    for (int k = 0; k < 100; ++k) electrons.conduct(comm, box, time / 100.0);
    const auto kelvin = electrons.temperatures_k(box);
    EXPECT_NEAR((kelvin[0] - kelvin[8]) / (0.4 * settings.temperature_k), std::exp(-1.0), 0.004) << kappa;
    EXPECT_NEAR(electrons.energy_ev(), total, 1e-12 * total);
  }
}

TEST_F(Metal, CellsAreTheSameToTheBitOnAnyNumberOfRanks) {
  draw_velocities(comm, p, atoms, 1200.0, 4);
  const Communicator self(MPI_COMM_SELF);
  Atoms all;
  for (std::int64_t k = 0; k < atoms; ++k) {
    all.id.push_back(k + 1);
    all.type.push_back(0);
    all.x.push_back({3.0 * static_cast<double>(k % edge) + 1.5,
                     3.0 * static_cast<double>(k / edge % edge) + 1.5,
                     3.0 * static_cast<double>(k / edge / edge) + 1.5});
    all.v.push_back({1.0, 0.1 * static_cast<double>(k % 7), -0.3});
  }
  Atoms mine;
  for (std::size_t k = 0; k < all.size(); ++k)
    if (static_cast<int>(k) % comm.size() == comm.rank()) {
      mine.id.push_back(all.id[k]);
      mine.type.push_back(0);
      mine.x.push_back(all.x[k]);
      mine.v.push_back(all.v[k]);
    }
  Particles together = to_device(mine, {mass_amu}), alone = to_device(all, {mass_amu});
  Electrons a(settings, box, 3), b(settings, box, 3);
  RunningSum heat;
  for (int k = 0; k < 10; ++k) {
    a.couple(together, box, 0.01, k, heat);
    a.conduct(comm, box, 0.01);
    b.couple(alone, box, 0.01, k, heat);
    b.conduct(self, box, 0.01);
  }
  EXPECT_EQ(a.cells_ev(), b.cells_ev());
}

TEST_F(Metal, ARunWithCellsGoesOnBitForBitAndBooksStoppingInThem) {
  const PotentialTables potential = make_analytic_potential("ackland_thetford_1987", {"W"});
  Case what;
  RegionTimes times;
  what.potential.elements = {"W"};
  what.dynamics.temperature.draw_k = 600.0;
  what.dynamics.electrons = settings;
  what.dynamics.stopping = {StoppingSettings::Kind::sqrt, 0.2167, "", 10.0};
  what.dynamics.pkas.push_back({60.0, Vec3{0.6, 0.8, 0.0}, {}, false, 0.0});
  what.dynamics.adaptive.max_displacement_angstrom = 0.02;
  const Lattice lattice = make_lattice(LatticeKind::bcc, 3.1652, {8, 8, 8});
  const Box whole = lattice.box({true, true, true});
  Vec3 lo = whole.lo, hi = whole.hi;
  lo[0] += whole.length(0) * comm.rank() / comm.size();
  if (comm.rank() + 1 < comm.size()) hi[0] = whole.lo[0] + whole.length(0) * (comm.rank() + 1) / comm.size();
  Simulation s(comm, what, potential, build_crystal(lattice, {true, true, true}, "W", mass_amu, lo, hi),
               times);
  for (int k = 0; k < 33; ++k) s.step(false);
  Simulation again(comm, what, potential, s.state(), times);
  for (int k = 0; k < 40; ++k) {
    s.step(k == 39);
    again.step(k == 39);
  }
  EXPECT_EQ(s.configuration().atoms.v, again.configuration().atoms.v);
  EXPECT_EQ(s.electrons().cells_ev(), again.electrons().cells_ev());
  EXPECT_GT(s.ledger().stopping_ev, 0.5);
  EXPECT_NEAR(s.electron_balance_ev(), 0.0, 1e-7);
  EXPECT_NEAR(s.energy_error_ev(s.thermo()) / 1024.0, 0.0, 2e-5);
}

}  // namespace
}  // namespace wafermark::tungsten

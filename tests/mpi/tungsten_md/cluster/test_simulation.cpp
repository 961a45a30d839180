// Runs as statements about physics: conserved energy, the same trajectory for any ranks, exact restarts, a
// ledger that balances.
#include <gtest/gtest.h>

#include "common/errors.hpp"
#include "toy_alloy.hpp"
#include "tungsten_md/cluster/fire.hpp"
#include "tungsten_md/cluster/memory_estimate.hpp"
#include "tungsten_md/cluster/simulation.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

constexpr std::array<bool, 3> everywhere{true, true, true}, slab{true, true, false};

struct Runs : public ::testing::Test {
  Communicator comm;
  PotentialTables potential = toy::alloy(1);
  RegionTimes times;
  Case what;

  Runs() {
    what.run.timestep_ps = 0.002;
    what.run.seed = 11;
    what.dynamics.temperature.draw_k = 600.0;
    what.potential.elements = {"A"};
  }
  Configuration crystal(std::array<bool, 3> periodic = everywhere) const {
    auto c = toy::slice(toy::shaken_crystal(potential, {8, 7, 6}, periodic, 0.0), comm.rank(), comm.size());
    return c;
  }
  /// Every atom's position or velocity by id, on all ranks.
  std::vector<Vec3> by_id(const std::vector<std::int64_t>& ids, const std::vector<Vec3>& values) const {
    std::vector<double> all(3 * static_cast<std::size_t>(comm.sum(static_cast<int>(ids.size()))), 0.0);
    for (std::size_t i = 0; i < ids.size(); ++i)
      for (std::size_t d = 0; d < 3; ++d) all[3 * static_cast<std::size_t>(ids[i] - 1) + d] = values[i][d];
    all = comm.sum(all);
    std::vector<Vec3> result(all.size() / 3);
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = {all[3 * i], all[3 * i + 1], all[3 * i + 2]};
    return result;
  }
};

// All atoms but one rank's share of the space are elsewhere.
TEST_F(Runs, GoOnWhereRanksHaveNoAtoms) {
  Configuration start = crystal();
  start.box.periodic = {false, false, false};
  for (double& high : start.box.hi) high *= 10.0;
  for (const ListKind kind : {ListKind::half, ListKind::full}) {
    if (!suits_machine(kind)) continue;
    for (const char* precision : {"double", "mixed"}) {
      what.run.precision = precision;
      what.run.neighbour_list = kind == ListKind::half ? "half" : "full";
      Simulation s(comm, what, potential, start, times);
      for (int k = 0; k < 30; ++k) s.step(k == 29);
      EXPECT_LT(std::abs(s.energy_error_ev(s.thermo())), 1e-3 * s.thermo().kinetic_ev) << precision;
    }
  }
}

TEST_F(Runs, KeepEnergyAndMomentumWithoutOutsideForces) {
  for (const char* precision : {"double", "mixed"}) {
    what.run.precision = precision;
    Simulation s(comm, what, potential, crystal(), times);
    const Thermo first = s.thermo();
    EXPECT_NEAR(first.temperature_k, 600.0, 1e-9);
    for (int k = 0; k < 500; ++k) s.step(k == 499);
    const Thermo last = s.thermo();
    EXPECT_LT(std::abs(s.energy_error_ev(last)), 2e-4 * first.kinetic_ev) << precision;
    EXPECT_LT(last.temperature_k, 450.0);  // the springs of the perfect lattice took their half
    for (const double p : last.momentum)
      EXPECT_LT(std::abs(p), (what.run.precision == "double" ? 1e-13 : 1e-7) * last.thermal_momentum)
          << precision;
  }
}

TEST_F(Runs, DrawTheSameVelocitiesOnAnyNumberOfRanks) {
  const Simulation s(comm, what, potential, crystal(), times);
  const auto c = s.configuration();
  const auto v = by_id(c.atoms.id, c.atoms.v);
  // The same drawn by one rank alone from all atoms.
  const Communicator self(MPI_COMM_SELF);
  const Simulation alone(self, what, potential, toy::shaken_crystal(potential, {8, 7, 6}, everywhere, 0.0),
                         times);
  const auto a = alone.configuration();
  for (std::size_t i = 0; i < a.atoms.size(); ++i)
    for (std::size_t d = 0; d < 3; ++d)
      EXPECT_NEAR(v[static_cast<std::size_t>(a.atoms.id[i] - 1)][d], a.atoms.v[i][d], 1e-12);
}

TEST_F(Runs, FollowTheSameTrajectoryOnAnyNumberOfRanks) {
  what.dynamics.thermostat = ThermostatSettings::of_kind(ThermostatSettings::Kind::langevin, 300.0);
  what.dynamics.thermostat.border_only = true;
  what.dynamics.thermostat.border_width_angstrom = 4.0;
  what.dynamics.pkas.push_back({50.0, Vec3{0.6, 0.8, 0.0}, {}, false, 0.01});
  what.dynamics.adaptive.max_displacement_angstrom = 0.02;
  const auto run = [&](const Communicator& c, const Configuration& start) {
    auto s = std::make_unique<Simulation>(c, what, potential, start, times);
    for (int k = 0; k < 40; ++k) s->step(false);
    return s;
  };
  const auto together = run(comm, crystal());
  const Communicator self(MPI_COMM_SELF);
  const auto alone = run(self, toy::shaken_crystal(potential, {8, 7, 6}, everywhere, 0.0));
  EXPECT_NEAR(together->time_ps(), alone->time_ps(), 1e-9);
  const auto c = together->configuration();
  const auto x = by_id(c.atoms.id, c.atoms.x);
  const auto a = alone->configuration();
  for (std::size_t i = 0; i < a.atoms.size(); ++i) {
    Vec3 d{};
    for (std::size_t k = 0; k < 3; ++k)
      d[k] = x[static_cast<std::size_t>(a.atoms.id[i] - 1)][k] - a.atoms.x[i][k];
    d = a.box.minimum_image(d);
    for (const double component : d) EXPECT_NEAR(component, 0.0, 1e-8);
  }
}

TEST_F(Runs, GoOnFromAStateBitForBit) {
  what.dynamics.thermostat = ThermostatSettings::of_kind(ThermostatSettings::Kind::langevin, 300.0);
  what.dynamics.thermostat.border_only = true;
  what.dynamics.thermostat.border_width_angstrom = 4.0;
  what.dynamics.stopping.kind = StoppingSettings::Kind::sqrt;
  what.dynamics.stopping.coefficient = 0.2;
  what.dynamics.pkas.push_back({60.0, {}, {}, true, 0.0});
  what.dynamics.adaptive.max_displacement_angstrom = 0.02;
  Simulation s(comm, what, potential, crystal(slab), times);
  for (int k = 0; k < 37; ++k) s.step(false);  // in the middle of a list's life
  const SimulationState state = s.state();
  Simulation again(comm, what, potential, state, times);
  for (int k = 0; k < 60; ++k) {
    s.step(k == 59);
    again.step(k == 59);
  }
  EXPECT_EQ(s.time_ps(), again.time_ps());
  const auto a = s.configuration().atoms, b = again.configuration().atoms;
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.x, b.x);
  EXPECT_EQ(a.v, b.v);
  EXPECT_NEAR(s.energy_error_ev(s.thermo()), again.energy_error_ev(again.thermo()), 1e-9);
}

/// An adaptive time step that is held at one length asks for displacements in every step: the same run
/// otherwise.
TEST_F(Runs, MakeTheirListsInTheSameStepsWhetherDisplacementsAreMeasuredInAllOrInSome) {
  struct Start {
    double kelvin, shake, recoil_ev, timestep_ps;
  };
  for (const Start& start : {Start{600, 0.0, 0.0, 0.002}, Start{3000, 0.0, 0.0, 0.001},
                             Start{0, 0.4, 0.0, 0.001}, Start{300, 0.0, 100.0, 0.0005}}) {
    what.dynamics = {};
    what.dynamics.temperature.draw_k = start.kelvin;
    what.run.timestep_ps = start.timestep_ps;
    if (start.recoil_ev > 0.0) what.dynamics.pkas.push_back({start.recoil_ev, {}, {}, false, 0.02});
    Case every = what;
    every.dynamics.adaptive.max_displacement_angstrom = 1e3;
    every.dynamics.adaptive.max_ps = start.timestep_ps;
    const Configuration atoms = toy::slice(toy::shaken_crystal(potential, {8, 7, 6}, everywhere, start.shake),
                                           comm.rank(), comm.size());
    Simulation some(comm, what, potential, atoms, times), all(comm, every, potential, atoms, times);
    for (int k = 0; k < 120; ++k) {
      some.step(false);
      all.step(false);
      ASSERT_EQ(some.domain().rebuilds(), all.domain().rebuilds()) << start.kelvin << " K, step " << k;
    }
    EXPECT_GT(some.domain().rebuilds(), 1) << start.kelvin << " K";
    EXPECT_EQ(some.domain().late_lists(), 0);
    EXPECT_EQ(some.configuration().atoms.x, all.configuration().atoms.x);
  }
}

TEST_F(Runs, BalanceTheirEnergyLedger) {
  what.dynamics.thermostat = ThermostatSettings::of_kind(ThermostatSettings::Kind::langevin, 300.0, 0.05);
  what.dynamics.stopping = {StoppingSettings::Kind::sqrt, 0.2167, "", 1.0};
  what.dynamics.pkas.push_back({100.0, {}, {}, false, 0.0});
  what.dynamics.pkas.push_back({30.0, {}, Vec3{3.0, 3.0, 3.0}, false, 0.02});
  what.dynamics.adaptive.max_displacement_angstrom = 0.005;
  what.dynamics.adaptive.max_ps = 0.001;
  Simulation s(comm, what, potential, crystal(), times);
  while (s.time_ps() < 0.1) s.step(true);
  const EnergyLedger l = s.ledger();
  EXPECT_NEAR(l.pka_ev, 130.0, 1e-9);
  EXPECT_GT(l.stopping_ev, 1.0);
  EXPECT_LT(l.thermostat_ev, -1.0);
  EXPECT_NEAR(s.energy_error_ev(s.thermo()), 0.0, 0.02);
  ASSERT_EQ(s.recoils().size(), 2u);
  EXPECT_EQ(comm.max(s.recoils()[0].atom), comm.min(s.recoils()[0].atom));
}

TEST_F(Runs, AThermostatBringsTheBoxToItsTemperature) {
  what.dynamics.temperature.draw_k = 0.0;
  what.dynamics.thermostat = ThermostatSettings::of_kind(ThermostatSettings::Kind::langevin, 300.0, 0.02);
  Simulation s(comm, what, potential, crystal(), times);
  for (int k = 0; k < 300; ++k) s.step(false);
  double sum = 0.0;
  for (int k = 0; k < 300; ++k) {
    s.step(true);
    sum += s.thermo().temperature_k / 300.0;
  }
  EXPECT_NEAR(sum, 300.0, 9.0);
}

TEST_F(Runs, RelaxationFindsTheLatticeAgain) {
  const auto start =
      toy::slice(toy::shaken_crystal(potential, {8, 7, 6}, everywhere, 0.1), comm.rank(), comm.size());
  Domain perfect(comm, crystal(), potential, {}, times), shaken(comm, start, potential, {}, times);
  const double lowest = comm.sum(perfect.compute_forces_and_energy().energy);
  const FireResult r = relax(shaken, {2000, 1e-7, {}});
  EXPECT_TRUE(r.converged);
  EXPECT_LE(r.max_force, 1e-7);
  EXPECT_NEAR(r.energy_ev, lowest, 1e-6);
}

TEST_F(Runs, APkaOutsideTheBoxIsRejected) {
  what.dynamics.pkas.push_back({50.0, {}, Vec3{1000.0, 0.0, 0.0}, false, 0.0});
  EXPECT_THROW(Simulation(comm, what, potential, crystal(), times), InputError);
}

/// A slab that is open along z, and two atoms beyond its upper face: one on its way out, one that follows it.
Configuration slab_with_escaping_atoms(const PotentialTables& potential, const Communicator& comm) {
  Configuration all = toy::shaken_crystal(potential, {8, 7, 6}, slab, 0.0);
  const auto add = [&](double above, double speed) {
    all.atoms.id.push_back(static_cast<std::int64_t>(all.atoms.id.size()) + 1);
    all.atoms.type.push_back(0);
    all.atoms.x.push_back({8.0, 8.0, all.box.hi[2] + above});
    all.atoms.v.push_back({0, 0, speed});
  };
  add(4.9, 200.0);
  add(2.9, 190.0);
  return toy::slice(all, comm.rank(), comm.size());
}

TEST_F(Runs, AnAtomThatLeavesAnOpenBoxEndsTheRunWithItsNameAndPlace) {
  what.dynamics.temperature.draw_k = 0.0;
  const Configuration start = slab_with_escaping_atoms(potential, comm);
  const std::int64_t first = comm.sum(static_cast<std::int64_t>(start.atoms.size())) - 1;
  Simulation s(comm, what, potential, start, times);
  try {
    for (int k = 0; k < 20; ++k) s.step(false);
    FAIL() << "no atom was lost";
  } catch (const std::runtime_error& e) {
    const std::string text = e.what(),
                      name = "atom " + std::to_string(first) + " left the open box at (8, 8, ";
    EXPECT_EQ(text.substr(0, name.size()), name);
    EXPECT_NE(text.find(", step "), std::string::npos);
  }
}

TEST_F(Runs, LostAtomsAreDroppedWithTheirEnergyAndTheRunGoesOnFromAStateBitForBit) {
  what.dynamics.temperature.draw_k = 0.0;
  what.structure.lost_atoms = LostAtoms::drop;
  what.dynamics.adaptive.max_displacement_angstrom = 0.1;
  const Configuration start = slab_with_escaping_atoms(potential, comm);
  Simulation s(comm, what, potential, start, times);
  const std::int64_t atoms = s.atoms();
  const double mass = start.masses[0] * units::amu_a2_per_ps2_in_ev;
  for (int k = 0; k < 30; ++k) s.step(false);
  const SimulationState state = s.state();
  Simulation again(comm, what, potential, state, times);
  for (int k = 0; k < 60; ++k) {
    s.step(k == 59);
    again.step(k == 59);
  }
  EXPECT_EQ(s.atoms(), atoms - 2);
  EXPECT_EQ(again.atoms(), atoms - 2);
  EXPECT_EQ(s.configuration().atoms.x, again.configuration().atoms.x);
  EXPECT_EQ(s.ledger().lost_ev, again.ledger().lost_ev);
  EXPECT_NEAR(s.ledger().lost_ev, 0.5 * mass * (200.0 * 200.0 + 190.0 * 190.0), 10.0);
  EXPECT_NEAR(s.energy_error_ev(s.thermo()), 0.0, 1e-3);
  EXPECT_EQ(s.timestep_ps(), again.timestep_ps());
  EXPECT_GT(s.timestep_ps(), 0.0009);  // which a fast atom held below 0.1 Angstrom / 200 Angstrom/ps
  EXPECT_FALSE(s.momentum_is_kept());
}

TEST_F(Runs, SurfacesThatVibrateAndCrystalsThatOutgrowTheirBoxLoseNoAtom) {
  what.dynamics.temperature.draw_k = 2000.0;
  Simulation hot(comm, what, potential, crystal(slab), times);
  for (int k = 0; k < 100; ++k) hot.step(false);
  // The same crystal in a box that ends in its middle: half of it lies outside.
  Configuration tight = crystal(slab);
  tight.box.hi[2] = 0.5 * tight.box.hi[2];
  what.run.rank_grid = {1, comm.size() > 4 ? 1 : comm.size(), comm.size() > 4 ? comm.size() : 1};
  if (comm.size() == 1) {
    EXPECT_NO_THROW(Simulation(comm, what, potential, tight, times).step(false));
  }
}

TEST_F(Runs, KeepEveryBitOfIdsUpToTheLargest) {
  what.dynamics.temperature.draw_k = 3000.0;
  Configuration start = crystal();
  const std::int64_t atoms = comm.sum(static_cast<std::int64_t>(start.atoms.size()));
  constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  for (std::int64_t& id : start.atoms.id) id = largest - 3 * (id - 1);
  Simulation s(comm, what, potential, start, times);
  for (int k = 0; k < 60; ++k) s.step(false);  // atoms change ranks
  std::vector<std::int64_t> ids = comm.all_gather(s.configuration().atoms.id);
  std::sort(ids.begin(), ids.end());
  ASSERT_EQ(static_cast<std::int64_t>(ids.size()), atoms);
  for (std::int64_t k = 0; k < atoms; ++k)
    ASSERT_EQ(ids[static_cast<std::size_t>(k)], largest - 3 * (atoms - 1 - k));
}

TEST_F(Runs, TakeTheMemoryThatArithmeticSays) {
  for (const char* precision : {"double", "mixed"}) {
    DomainSettings settings;
    settings.precision = precision;
    Domain domain(comm, crystal(), potential, settings, times);
    domain.compute_forces();
    RunShape shape;
    shape.atoms = static_cast<double>(domain.atoms());
    shape.box = crystal().box;
    shape.grid = domain.subdomain().grid;
    shape.list_radius = domain.cutoff() + settings.skin_angstrom;
    shape.mixed = settings.precision == "mixed";
    shape.list = domain.list().kind;
    const Domain::Memory held = domain.bytes();  // per atom of this rank
    const double bytes = (held.particles + held.list + held.force_field) * domain.particles().n_local;
    EXPECT_GT(domain_bytes(shape), 0.8 * comm.min(bytes));
    EXPECT_LT(domain_bytes(shape), 2.0 * comm.max(bytes));
  }
}

TEST(MemoryEstimate, GrowsWithoutOverflow) {
  RunShape shape;
  shape.atoms = 4e18;
  shape.box = {{0, 0, 0}, {1e15, 1e-9, 1e300}, {true, true, false}};
  shape.list_radius = 1e100;
  EXPECT_GT(domain_bytes(shape), 1e20);
  EXPECT_GT(start_bytes(4e18), 1e20);
}

TEST_F(Runs, ATimeStepThatIsTooLongLosesAtomsWithAMessage) {
  what.run.timestep_ps = 50.0;
  Simulation s(comm, what, potential, crystal(), times);
  EXPECT_THROW(
      {
        for (int k = 0; k < 200; ++k) s.step(false);
      },
      InputError);
}

}  // namespace
}  // namespace wafermark::tungsten

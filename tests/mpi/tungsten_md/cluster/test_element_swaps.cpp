// Monte Carlo exchanges of elements: as likely as their energy says, the same on any ranks, booked, and
// resumed bit for bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "common/errors.hpp"
#include "toy_alloy.hpp"
#include "tungsten_md/cluster/element_swaps.hpp"
#include "tungsten_md/cluster/simulation.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

struct Swaps : public ::testing::Test {
  Communicator comm;
  PotentialTables potential = toy::alloy(2);
  RegionTimes times;
  Case what;

  Swaps() {
    what.run.timestep_ps = 0.002;
    what.run.seed = 5;
    what.dynamics.temperature.draw_k = what.dynamics.temperature.initial_k = 300.0;
    what.potential.elements = {"A", "B"};
    what.dynamics.swaps.every = 2;
    what.dynamics.swaps.attempts = 5;
  }
  Configuration whole() const { return toy::shaken_crystal(potential, {6, 6, 6}, {true, true, true}, 0.0); }
  Configuration part() const { return toy::slice(whole(), comm.rank(), comm.size()); }
  /// Type of each atom by id, on all ranks.
  std::vector<int> types(const Simulation& s) const {
    const Atoms atoms = s.configuration().atoms;
    std::vector<std::int64_t> all(static_cast<std::size_t>(s.atoms()), 0);
    for (std::size_t i = 0; i < atoms.size(); ++i)
      all[static_cast<std::size_t>(atoms.id[i] - 1)] = atoms.type[i];
    all = s.atoms() == static_cast<std::int64_t>(atoms.size()) ? all : comm.sum(all);
    return {all.begin(), all.end()};
  }
};

TEST_F(Swaps, AreAcceptedAsOftenAsMetropolisSays) {
  ElementSwaps swaps({1, 1, 0.0}, 3);
  const double temperature = 1000.0, rise = 0.1;
  for (int k = 0; k < 20000; ++k) swaps.accepts(rise, temperature);
  const double expected = std::exp(-rise / (units::boltzmann_ev_per_k * temperature));
  EXPECT_NEAR(static_cast<double>(swaps.accepted()) / 20000.0, expected, 0.01);
  ElementSwaps down({1, 1, 0.0}, 3);
  for (int k = 0; k < 100; ++k) EXPECT_TRUE(down.accepts(-rise, 0.0));
}

TEST_F(Swaps, ChooseEveryPairOfTwoElementsAsOften) {
  Atoms atoms;
  for (std::int64_t id = 1 + comm.rank(); id <= 6; id += comm.size()) {
    atoms.id.push_back(id);
    atoms.type.push_back(id <= 2 ? 0 : 1);
    atoms.x.push_back({});
    atoms.v.push_back({});
  }
  const Particles p = to_device(atoms, {1.0, 2.0});
  ElementSwaps swaps({1, 1, 0.0}, 3);
  std::map<std::pair<std::int64_t, std::int64_t>, int> seen;
  constexpr int draws = 4000;
  for (int k = 0; k < draws; ++k) {
    const AtomPair pair = swaps.choose(comm, p);
    ++seen[std::minmax(pair.first, pair.second)];
    swaps.accepts(0.0, 1.0);
  }
  ASSERT_EQ(seen.size(), 8u) << "two of one element, four of the other";
  for (const auto& [pair, count] : seen) {
    EXPECT_LE(pair.first, 2);
    EXPECT_GT(pair.second, 2);
    EXPECT_NEAR(count, draws / 8.0, 5.0 * std::sqrt(draws / 8.0));
  }
}

TEST_F(Swaps, LowerTheEnergyOfAColdAlloyAndKeepItsComposition) {
  what.dynamics.swaps.temperature_k = 1.0;
  what.dynamics.temperature.draw_k = 0.0;
  Simulation s(comm, what, potential, part(), times);
  const auto before = types(s);
  const double first = s.thermo().potential_ev;
  for (int k = 0; k < 20; ++k) s.step(true);
  const auto after = types(s);
  EXPECT_LT(s.thermo().potential_ev, first - 0.1);
  EXPECT_NE(before, after);
  EXPECT_EQ(std::count(before.begin(), before.end(), 1), std::count(after.begin(), after.end(), 1));
  EXPECT_LT(s.ledger().thermostat_ev, -0.1) << "the bath takes what the exchanges free";
  EXPECT_LT(std::abs(s.energy_error_ev(s.thermo())), 1e-3);
  EXPECT_FALSE(s.momentum_is_kept());
}

TEST_F(Swaps, AreTheSameOnAnyNumberOfRanks) {
  Simulation together(comm, what, potential, part(), times);
  const Communicator self(MPI_COMM_SELF);
  Simulation alone(self, what, potential, whole(), times);
  for (int k = 0; k < 10; ++k) {
    together.step(false);
    alone.step(false);
  }
  EXPECT_EQ(types(together), types(alone));
}

TEST_F(Swaps, GoOnFromAStateBitForBit) {
  Simulation s(comm, what, potential, part(), times);
  for (int k = 0; k < 7; ++k) s.step(false);
  const SimulationState state = s.state();
  Simulation again(comm, what, potential, state, times);
  for (int k = 0; k < 9; ++k) {
    s.step(k == 8);
    again.step(k == 8);
  }
  const Atoms a = s.configuration().atoms, b = again.configuration().atoms;
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.type, b.type);
  EXPECT_EQ(a.x, b.x);
  EXPECT_EQ(s.thermo().total_ev(), again.thermo().total_ev());
  EXPECT_EQ(s.ledger().thermostat_ev, again.ledger().thermostat_ev);
}

TEST_F(Swaps, NeedTwoElements) {
  Configuration start = part();
  std::fill(start.atoms.type.begin(), start.atoms.type.end(), 1);
  EXPECT_THROW(Simulation(comm, what, potential, start, times), InputError);
}

}  // namespace
}  // namespace wafermark::tungsten

// Steps that are graphs, or that one kernel makes until a list or output is due, are those of kernels that
// are started one by one, bit for bit, by one lane an atom or by several; teams that do not run at once do
// nothing instead of waiting for ever; what neither does is refused.
#include <gtest/gtest.h>

#include "common/errors.hpp"
#include "common/kokkos_graphs.hpp"
#include "toy_alloy.hpp"
#include "tungsten_md/cluster/many_steps.hpp"
#include "tungsten_md/cluster/row_lanes.hpp"
#include "tungsten_md/cluster/run_ahead.hpp"
#include "tungsten_md/cluster/simulation.hpp"
#include "tungsten_md/model/lennard_jones.hpp"

namespace wafermark::tungsten {
namespace {

constexpr std::array<bool, 3> everywhere{true, true, true}, slab{true, true, false},
    nowhere{false, false, false};

struct Launches : public ::testing::Test {
  Communicator comm;
  RegionTimes times;
  Case what;

  Launches() {
    what.run.timestep_ps = 0.002;
    what.run.neighbour_list = "full";
    what.run.skin_angstrom = 0.3;
    what.dynamics.temperature.draw_k = 1500.0;
  }

  /// The same steps, kernel by kernel and otherwise; every twentieth is looked at.
  void expect_same_bits(Launch launch, const PotentialTables& potential, const Configuration& start,
                        const char* name) {
    what.potential.elements = {};
    for (const auto& e : potential.elements) what.potential.elements.push_back(e.symbol);
    for (const char* precision : {"double", "mixed"}) {
      what.run.precision = precision;
      Simulation one_by_one(comm, what, potential, start, times);
      Case ahead = what;
      ahead.run.launch = launch;
      Simulation many(comm, ahead, potential, start, times);
      for (const std::int64_t look : {20, 40, 60, 80}) {
        while (one_by_one.steps_done() < look) one_by_one.step(one_by_one.steps_done() + 1 == look);
        while (many.steps_done() < look - 1) many.run_ahead(look - 1 - many.steps_done());
        many.step(true);
        ASSERT_EQ(many.steps_done(), look);
        EXPECT_EQ(many.thermo().total_ev(), one_by_one.thermo().total_ev()) << name << ' ' << precision;
      }
      const Atoms a = one_by_one.configuration().atoms, b = many.configuration().atoms;
      EXPECT_EQ(a.id, b.id);
      EXPECT_EQ(a.x, b.x) << name << ' ' << precision;
      EXPECT_EQ(a.v, b.v) << name << ' ' << precision;
      EXPECT_EQ(one_by_one.time_ps(), many.time_ps());
      EXPECT_EQ(one_by_one.domain().rebuilds(), many.domain().rebuilds());
      EXPECT_GT(many.domain().rebuilds(), 4) << name << ": lists are made on the way";
      EXPECT_EQ(one_by_one.domain().late_lists() + many.domain().late_lists(), 0);
    }
  }
};

const PotentialTables argon = make_lennard_jones({0.010323565, 3.405, 8.5125, true}, {"Ar"});
Configuration argon_crystal(const std::array<bool, 3>& periodic) {
  const Lattice lattice = make_lattice(LatticeKind::fcc, 5.3, {5, 5, 5});
  return build_crystal(lattice, periodic, "Ar", argon.elements[0].mass_amu);
}

TEST_F(Launches, GiveTheSameBits) {
  for (const Launch launch : {Launch::graph, Launch::persistent}) {
    what.dynamics.temperature.draw_k = 1500.0;
    what.run.timestep_ps = 0.002;
    for (const auto& periodic : {everywhere, slab, nowhere})
      expect_same_bits(launch, toy::alloy(1), toy::shaken_crystal(toy::alloy(1), {7, 6, 6}, periodic, 0.0),
                       "one element");
    expect_same_bits(launch, toy::alloy(2), toy::shaken_crystal(toy::alloy(2), {7, 6, 6}, everywhere, 0.0),
                     "an alloy");
    what.dynamics.temperature.draw_k = 400.0;
    what.run.timestep_ps = 0.005;
    for (const auto& periodic : {everywhere, nowhere})
      expect_same_bits(launch, argon, argon_crystal(periodic), "argon");
  }
}

TEST_F(Launches, GiveTheSameBitsByEightLanesAnAtom) {
  what.run.lanes_per_atom = 8;
  for (const Launch launch : {Launch::graph, Launch::persistent}) {
    if (launch == Launch::graph && !graphs_take_teams) continue;
    what.dynamics.temperature.draw_k = 1500.0;
    what.run.timestep_ps = 0.002;
    expect_same_bits(launch, toy::alloy(1), toy::shaken_crystal(toy::alloy(1), {7, 6, 6}, slab, 0.0),
                     "one element");
    expect_same_bits(launch, toy::alloy(2), toy::shaken_crystal(toy::alloy(2), {7, 6, 6}, everywhere, 0.0),
                     "an alloy");
    what.dynamics.temperature.draw_k = 400.0;
    what.run.timestep_ps = 0.005;
    expect_same_bits(launch, argon, argon_crystal(everywhere), "argon");
  }
}

TEST_F(Launches, GoTheSameWayByAnyNumberOfLanes) {
  constexpr std::int64_t steps = 200;
  for (const bool metal : {true, false}) {
    const PotentialTables potential = metal ? toy::alloy(2) : argon;
    const Configuration start =
        metal ? toy::shaken_crystal(potential, {7, 6, 6}, everywhere, 0.0) : argon_crystal(everywhere);
    what.potential.elements = metal ? std::vector<std::string>{"A", "B"} : std::vector<std::string>{"Ar"};
    what.dynamics.temperature.draw_k = metal ? 1500.0 : 150.0;
    what.run.timestep_ps = metal ? 0.001 : 0.005;
    what.run.launch = Launch::persistent;
    std::vector<std::vector<Vec3>> places;
    for (const int lanes : {1, 4, 32}) {
      what.run.lanes_per_atom = lanes;
      Simulation s(comm, what, potential, start, times);
      while (s.steps_done() < steps - 1) s.run_ahead(steps - 1 - s.steps_done());
      s.step(true);
      EXPECT_EQ(s.domain().list().lanes, lanes);
      EXPECT_GT(s.domain().rebuilds(), 1);
      EXPECT_LT(std::abs(s.energy_error_ev(s.thermo())), 2e-3 * s.thermo().kinetic_ev) << lanes << " lanes";
      places.push_back(s.configuration().atoms.x);
    }
    for (std::size_t k = 1; k < places.size(); ++k) {
      if (!on_cpu ||
          Lanes<native_lanes<double, ExecSpace>>::width > 1)  // else a CPU's lanes are its one lane
        EXPECT_NE(places[k], places[0]) << "other lanes add up in another order";
      for (std::size_t i = 0; i < places[0].size(); ++i)
        for (std::size_t d = 0; d < 3; ++d) ASSERT_NEAR(places[k][i][d], places[0][i][d], 1e-9);
    }
  }
}

TEST(Lanes, AreAsManyAsADeviceRunsAtOnce) {
  constexpr std::int64_t h100 = 132 * 2048 / 4;
  const std::pair<std::int64_t, int> expected[] = {{1, 32},     {500, 32},   {2'000, 32},
                                                   {4'000, 16}, {8'000, 8},  {16'000, 4},
                                                   {33'792, 2}, {33'793, 1}, {800'000, 1}};
  for (const auto& [atoms, lanes] : expected) EXPECT_EQ(lanes_for(atoms, h100), lanes) << atoms;
}

TEST_F(Launches, HaveOneLaneAnAtomOnCpus) {
  if (!on_cpu) GTEST_SKIP() << "on a GPU";
  const PotentialTables potential = toy::alloy(1);
  const Simulation s(comm, what, potential, toy::shaken_crystal(potential, {4, 4, 4}, everywhere, 0.0),
                     times);
  EXPECT_EQ(threads_at_once(), 1);
  EXPECT_EQ(s.layout().find("lanes"), std::string::npos);
}

TEST_F(Launches, GoOnFromAStateBitForBit) {
  const PotentialTables potential = toy::alloy(1);
  what.potential.elements = {"A"};
  what.run.launch = Launch::persistent;
  what.run.lanes_per_atom = 4;
  const auto run_to = [](Simulation& s, std::int64_t step) {
    while (s.steps_done() < step) s.run_ahead(step - s.steps_done());
  };
  Simulation whole(comm, what, potential, toy::shaken_crystal(potential, {7, 6, 6}, everywhere, 0.0), times);
  run_to(whole, 37);
  Simulation again(comm, what, potential, whole.state(), times);
  run_to(whole, 80);
  run_to(again, 80);
  EXPECT_EQ(whole.configuration().atoms.x, again.configuration().atoms.x);
  EXPECT_EQ(whole.configuration().atoms.v, again.configuration().atoms.v);
}

TEST_F(Launches, WaitForRecoilsThatAreToCome) {
  const PotentialTables potential = toy::alloy(1);
  const Configuration start = toy::shaken_crystal(potential, {7, 6, 6}, everywhere, 0.0);
  what.potential.elements = {"A"};
  what.dynamics.pkas.push_back({20.0, Vec3{0.6, 0.8, 0.0}, {}, false, 0.021});
  Simulation one_by_one(comm, what, potential, start, times);
  what.run.launch = Launch::persistent;
  Simulation many(comm, what, potential, start, times);
  while (one_by_one.steps_done() < 40) one_by_one.step(false);
  while (many.steps_done() < 40) many.run_ahead(40 - many.steps_done());
  EXPECT_EQ(many.recoils().size(), 1u);
  EXPECT_EQ(many.configuration().atoms.x, one_by_one.configuration().atoms.x);
}

TEST_F(Launches, AreRefusedWhereMoreThanForcesActs) {
  const PotentialTables potential = toy::alloy(1);
  const auto refusal = [&](int ranks) -> std::string {
    try {
      require_launch(what, potential, ranks);
    } catch (const InputError& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(refusal(2), "") << "nobody asked for it";
  what.run.launch = Launch::persistent;
  EXPECT_EQ(refusal(1), "");
  EXPECT_EQ(refusal(2), "run.launch = \"persistent\": found 2 ranks, expected one");
  what.dynamics.thermostat = ThermostatSettings::of_kind(ThermostatSettings::Kind::langevin, 300.0);
  EXPECT_EQ(refusal(1),
            "run.launch = \"persistent\": found a thermostat, expected thermostat.kind = \"none\"");
}

/// Neighbours tell each other the round, many times, and look at what they were told behind the barrier.
struct TellNeighbours {
  static constexpr int rounds = 500;
  Kokkos::View<LeagueWords, MemSpace> words;
  Kokkos::View<int*, MemSpace> told, wrong;
  Kokkos::View<int, MemSpace> met, last_to_leave;

  KOKKOS_FUNCTION void operator()(const Team& team) const {
    League league(team, words.data());
    if (league.meet()) {
      const int me = team.league_rank(), next = (me + 1) % team.league_size();
      const auto once = [&](const auto& body) { Kokkos::single(Kokkos::PerTeam(team), body); };
      once([&] { Kokkos::atomic_inc(&met()); });
      for (int round = 1; round <= rounds; ++round) {
        once([&] { told(next) = round; });
        league.barrier();
        once([&] { wrong(me) += told(me) != round ? 1 : 0; });
        league.barrier();
      }
    }
    if (league.leave()) Kokkos::atomic_inc(&last_to_leave());
  }
};

struct Outcome {
  int met, wrong, last_to_leave;
};
Outcome run_league(int teams) {
  const int lanes = std::min(8, Kokkos::TeamPolicy<ExecSpace>::vector_length_max());
  const TellNeighbours kernel{Kokkos::View<LeagueWords, MemSpace>("words"),
                              Kokkos::View<int*, MemSpace>("told", teams),
                              Kokkos::View<int*, MemSpace>("wrong", teams),
                              Kokkos::View<int, MemSpace>("met"), Kokkos::View<int, MemSpace>("last")};
  Outcome outcome{};
  for (int again = 0; again < 2; ++again)  // its words are as they were
    Kokkos::parallel_for("tell_neighbours", Kokkos::TeamPolicy<ExecSpace>(teams, 1, lanes), kernel);
  Kokkos::deep_copy(outcome.met, kernel.met);
  Kokkos::deep_copy(outcome.last_to_leave, kernel.last_to_leave);
  const auto wrong = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), kernel.wrong);
  for (int t = 0; t < teams; ++t) outcome.wrong += wrong(t);
  return outcome;
}

TEST(Leagues, MeetAtBarriersWhereEachTeamHasAProcessor) {
  const int teams = LeagueShape::of(1 << 20, 1, 1).teams;
  const Outcome n = run_league(teams);
  EXPECT_EQ(n.met, 2 * teams);
  EXPECT_EQ(n.wrong, 0);
  EXPECT_EQ(n.last_to_leave, 2);
}

TEST(Leagues, LeaveWhenTeamsDoNotRunAtOnce) {
  if (!on_cpu) GTEST_SKIP() << "a device's multiprocessor takes several small teams";
  const Outcome n = run_league(LeagueShape::of(1 << 20, 1, 1).teams + 1);
  EXPECT_EQ(n.met, 0);
  EXPECT_EQ(n.last_to_leave, 2);
}

}  // namespace
}  // namespace wafermark::tungsten

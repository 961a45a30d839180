// The wafer target against the native one, and the machine model's promises.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "common/errors.hpp"
#include "common/results/result.hpp"
#include "tungsten_md/cluster/domain.hpp"
#include "wafer_case.hpp"

using namespace wafermark;
using namespace wafermark::tungsten;

namespace {

/// Largest difference of a force component from the native target's in double, at the wafer's positions, with
/// these tables; eV/Angstrom.
double force_error(const WaferRun& run, const PotentialTables& tables) {
  const auto all = run.simulation.all_atoms();
  const Communicator alone(MPI_COMM_SELF);
  RegionTimes times;
  Domain native(alone, all.configuration, tables, {}, times);
  native.compute_forces();
  const Atoms atoms = native.atoms_on_host();
  const auto forces = native.forces_on_host();
  double worst = 0.0;
  for (std::size_t k = 0; k < atoms.size(); ++k)
    for (std::size_t d = 0; d < 3; ++d)
      worst =
          std::max(worst, std::abs(forces[k][d] - all.forces[static_cast<std::size_t>(atoms.id[k] - 1)][d]));
  return worst;
}

/// With those that the tiles hold over r.
double force_error(const WaferRun& run) { return force_error(run, run.simulation.plan().tables); }

/// The same from the tiles' tables over r^2 in double, over all pairs of atoms.
double force_error_over_squares(const WaferRun& run) {
  const auto all = run.simulation.all_atoms();
  const TilePlan& plan = run.simulation.plan();
  const SquaredTables& t = plan.squares.at(0);
  const SquaredTileTables<double> squares{t.density.data(), t.slopes.data(), 1.0 / t.du, 0.5 * t.du,
                                          double(t.pieces - 1)};
  const auto& x = all.configuration.atoms.x;
  const Box& box = all.configuration.box;
  const std::vector<double> embedding = lammps_spline(plan.tables.embedding[0]);
  std::vector<double> slope(x.size());
  const auto over_pairs = [&](std::size_t i, const auto& body) {
    for (std::size_t j = 0; j < x.size(); ++j) {
      const Vec3 d = box.minimum_image({x[i][0] - x[j][0], x[i][1] - x[j][1], x[i][2] - x[j][2]});
      if (j != i) body(j, d, neighbour_distance(squares, d[0] * d[0] + d[1] * d[1] + d[2] * d[2]));
    }
  };
  for (std::size_t i = 0; i < x.size(); ++i) {
    double density = 0.0;
    over_pairs(i, [&](std::size_t, const Vec3&, const TablePosition<double>& r) {
      add_density(squares, r, density);
    });
    slope[i] = embed(embedding.data(), plan.tables.nrho, 1.0 / plan.tables.drho, density).slope;
  }
  double worst = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    Vector<double> f{0.0, 0.0, 0.0};
    over_pairs(i, [&](std::size_t j, const Vec3& d, const TablePosition<double>& r) {
      add_force(squares, r, {d[0], d[1], d[2]}, slope[i], slope[j], f);
    });
    const auto& found = all.forces[static_cast<std::size_t>(all.configuration.atoms.id[i] - 1)];
    worst = std::max({worst, std::abs(f.x - found[0]), std::abs(f.y - found[1]), std::abs(f.z - found[2])});
  }
  return worst;
}

double largest_force(const WaferRun& run) {
  double most = 0.0;
  for (const auto& f : run.simulation.all_atoms().forces)
    for (const double c : f) most = std::max(most, std::abs(c));
  return most;
}

TEST(WaferForces, AreTheNativeTargetsOnAPerfectCrystal) {
  const WaferRun open(wafer_case("[6, 6, 4]", all_open)), periodic(wafer_case("[8, 8, 4]", all_periodic));
  EXPECT_GT(largest_force(open), 0.1);  // surfaces pull
  EXPECT_LT(force_error(open), 5e-6);
  EXPECT_LT(largest_force(periodic), 2e-5);
  EXPECT_LT(force_error(periodic), 2e-5);
}

TEST(WaferForces, AreTheNativeTargetsInAThermalCrystalOfEveryBoundary) {
  for (const char* boundary : {all_open, all_periodic, "[\"periodic\", \"open\", \"open\"]"}) {
    WaferRun run(wafer_case("[8, 8, 4]", boundary));
    for (int k = 0; k < 50; ++k) run.simulation.step(false);
    EXPECT_GT(largest_force(run), 1.0);
    EXPECT_LT(force_error(run), 3e-5) << boundary;
    EXPECT_EQ(run.simulation.missed().interactions, 0) << boundary;
  }
}

TEST(WaferForces, AreTheNativeTargetsInThickSamplesOfLayers) {
  for (const char* boundary : {all_open, all_periodic, "[\"open\", \"periodic\", \"periodic\"]"})
    for (const char* cells : {"1", "2", "3"}) {
      // 11 cells make layers of two thicknesses.
      WaferRun run(wafer_case("[8, 8, 11]", boundary, std::string("wafer.layer_cells = ") + cells + "\n"));
      EXPECT_GT(run.simulation.plan().layout.layers(), 3);
      for (int k = 0; k < 30; ++k) run.simulation.step(false);
      EXPECT_GT(largest_force(run), 1.0);
      EXPECT_LT(force_error(run), 3e-5) << boundary << ", layers of " << cells;
      EXPECT_EQ(run.simulation.missed().interactions, 0) << boundary << ", layers of " << cells;
      EXPECT_EQ(run.simulation.missed_now(), 0);
    }
}

TEST(WaferForces, OfLayersAreThoseOfOneLayerToRounding) {
  const char* const cells = "[8, 8, 6]";
  WaferRun one(wafer_case(cells, all_open)), layers(wafer_case(cells, all_open, "wafer.layer_cells = 2\n"));
  const auto a = one.simulation.all_atoms(), b = layers.simulation.all_atoms();
  EXPECT_EQ(a.neighbours, b.neighbours);
  for (std::size_t k = 0; k < a.forces.size(); ++k)
    for (std::size_t d = 0; d < 3; ++d) EXPECT_NEAR(a.forces[k][d], b.forces[k][d], 2e-5);
}

TEST(MissedInteractions, OfAtomsTooManyLayersApartAreFound) {
  // An atom two layers below its site's, without a tile of its own there.
  WaferRun run(wafer_case("[8, 8, 10]", all_open, "wafer.layer_cells = 2\n"));
  TileBlock& block = const_cast<TileBlock&>(run.simulation.block());
  ASSERT_EQ(run.simulation.plan().layout.layers_each_side, 1);
  std::size_t high = 0;
  double highest = -1e9;
  for (std::size_t k = 0; k < block.tiles(); ++k)
    if (block.atom(k).id >= 0 && block.position(k)[2] > highest) {
      highest = block.position(k)[2];
      high = k;
    }
  block.atom(high).x.z -= 5.3f * 3.1652f;
  block.atom(high).x.x += 0.3f;
  block.atoms_changed();
  run.simulation.evaluate_energy();
  EXPECT_GT(block.missed_interactions(), 0);
  EXPECT_EQ(block.missed_interactions(), run.simulation.missed_now());
}

TEST(WaferForces, AreTheNativeTargetsInACascade) {
  WaferRun run(wafer_case(
      "[12, 12, 4]", all_periodic,
      "adaptive_timestep = {max_displacement_angstrom = 0.02, max_ps = 0.002}\n"
      "potential = {core = \"zbl_dft\"}\n[[pka]]\nenergy_ev = 300.0\ndirection = [1.0, 3.0, 0.5]\n"));
  double hardest = 0.0;
  for (int k = 0; k < 200; ++k) {
    run.simulation.step(false);
    hardest = std::max(hardest, largest_force(run));
  }
  EXPECT_GT(hardest, 20.0);
  EXPECT_LT(force_error(run), 1e-4);
  EXPECT_EQ(run.simulation.missed().interactions, 0);
  EXPECT_NEAR(run.simulation.recoils().at(0).energy_gained_ev, 300.0, 1e-3);
}

TEST(WaferEnergy, IsConservedOverAThousandSteps) {
  WaferRun run(wafer_case("[8, 8, 4]", all_open));
  for (int k = 0; k < 1000; ++k) run.simulation.step(k == 999);
  const Thermo end = run.simulation.thermo();
  EXPECT_NEAR(run.simulation.energy_error_ev(end) / static_cast<double>(run.simulation.atoms()), 0.0, 3e-5);
  EXPECT_GT(end.temperature_k, 250.0);
  EXPECT_LT(end.temperature_k, 450.0);  // the springs of the perfect lattice took part of 600 K
}

TEST(AtomSwaps, BringTwoExchangedAtomsBackToTheirSites) {
  WaferRun run(wafer_case("[6, 6, 4]", all_open));
  TileBlock& block = const_cast<TileBlock&>(run.simulation.block());
  // Two tiles side by side hand their atoms' places to each other.
  const auto at = [&](std::size_t tile) { return block.position(tile); };
  std::size_t a = block.tiles() / 2 + 5;
  while (block.atom(a).id < 0) ++a;
  std::size_t b = a;
  double nearest = 1e9;
  for (std::size_t k = 0; k < block.tiles(); ++k) {
    if (k == a || block.atom(k).id < 0) continue;
    const Vec3 p = at(a), q = at(k);
    const double d = std::hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
    if (d < nearest) {
      nearest = d;
      b = k;
    }
  }
  ASSERT_NEAR(nearest, 3.1652 * std::sqrt(0.75), 1e-4);
  const Vec3 p = at(a), q = at(b);
  for (const auto& [tile, move] : {std::pair{a, Vec3{q[0] - p[0], q[1] - p[1], q[2] - p[2]}},
                                   std::pair{b, Vec3{p[0] - q[0], p[1] - q[1], p[2] - q[2]}}}) {
    auto& x = block.atom(tile).x;
    x = {x.x + static_cast<float>(move[0]), x.y + static_cast<float>(move[1]),
         x.z + static_cast<float>(move[2])};
  }
  const auto id_a = block.atom(a).id, id_b = block.atom(b).id;
  block.atoms_changed();
  block.multicast_positions(*run.simulation.plan().positions, true);
  EXPECT_GT(block.displacement_squared(a), 7.0f);
  const TilePlan& plan = run.simulation.plan();
  EXPECT_EQ(block.swap_atoms(*plan.choices, *plan.swapped_atoms, *plan.swapped_tables), 2);
  EXPECT_EQ(block.atom(a).id, id_b);
  EXPECT_EQ(block.atom(b).id, id_a);
  EXPECT_LT(block.displacement_squared(a), 1e-6f);
  EXPECT_LT(block.displacement_squared(b), 1e-6f);
  block.multicast_positions(*run.simulation.plan().positions, true);
  EXPECT_EQ(block.swap_atoms(*plan.choices, *plan.swapped_atoms, *plan.swapped_tables), 0);
}

std::int64_t cycles_of(const std::string& change, int steps = 5) {
  WaferRun run(wafer_case("[6, 6, 4]", all_open, change));
  for (int k = 0; k < steps; ++k) run.simulation.step(false);
  return run.simulation.clock_cycles();
}

const std::string options[] = {"wafer.list_reuse_steps = 10\n", "wafer.force_symmetry = true\n",
                               "wafer.tiles_per_atom = 4\n",
                               "wafer.list_reuse_steps = 10\nwafer.tiles_per_atom = 4\n"};

TEST(Options, ChangeTheForcesByNoMoreThanRounding) {
  for (const std::string& option : options) {
    WaferRun run(wafer_case("[8, 8, 4]", all_periodic, option)), plain(wafer_case("[8, 8, 4]", all_periodic));
    for (int k = 0; k < 35; ++k) {
      run.simulation.step(false);
      plain.simulation.step(false);
    }
    EXPECT_LT(force_error(run), 3e-5) << option;
    EXPECT_EQ(run.simulation.missed().interactions, 0) << option;
    EXPECT_NE(run.simulation.clock_cycles(), plain.simulation.clock_cycles()) << option;
  }
}

const std::string records =
    "wafer.list_reuse_steps = 10\nwafer.squared_tables = true\nwafer.fused_density = true\n"
    "wafer.blocking_receives = true\n";

const std::string untested = records + "wafer.untested_lists = true\n";

TEST(TablesOverSquares, GiveTheirOwnForcesToRoundingAndTheNativeTargetsAsWellAsTablesOverR) {
  const std::string four = "wafer.tiles_per_atom = 4\n", symmetric = "wafer.force_symmetry = true\n";
  WaferRun over_r(wafer_case("[8, 8, 4]", all_periodic));
  for (int k = 0; k < 35; ++k) over_r.simulation.step(false);
  const double of_points = force_error(over_r, over_r.potential);  // of the tiles' fewer points
  EXPECT_GT(of_points, 1e-4);
  for (const std::string& option :
       {std::string("wafer.squared_tables = true\n"), records + four, untested + four, untested + symmetric})
    for (const char* boundary : {all_open, all_periodic}) {
      WaferRun run(wafer_case("[8, 8, 4]", boundary, option));
      for (int k = 0; k < 35; ++k) run.simulation.step(false);
      EXPECT_GT(largest_force(run), 1.0);
      EXPECT_LT(force_error_over_squares(run), 3e-5) << option << boundary;
      EXPECT_LT(force_error(run, run.potential), 2.0 * of_points) << option << boundary;
      EXPECT_EQ(run.simulation.missed().interactions, 0) << option << boundary;
    }
}

TEST(TablesOverSquares, ConserveTheEnergyOverAThousandSteps) {
  for (const std::string& option : {std::string("wafer.squared_tables = true\n"), untested}) {
    WaferRun run(wafer_case("[8, 8, 4]", all_open, option));
    for (int k = 0; k < 1000; ++k) run.simulation.step(k == 999);
    const Thermo end = run.simulation.thermo();
    EXPECT_NEAR(run.simulation.energy_error_ev(end) / static_cast<double>(run.simulation.atoms()), 0.0, 3e-5)
        << option;
  }
}

TEST(TablesOverSquares, HoldInACascade) {
  WaferRun run(wafer_case(
      "[12, 12, 4]", all_periodic,
      "adaptive_timestep = {max_displacement_angstrom = 0.02, max_ps = 0.002}\nwafer.squared_tables = true\n"
      "potential = {core = \"zbl_dft\"}\n[[pka]]\nenergy_ev = 300.0\ndirection = [1.0, 3.0, 0.5]\n"));
  double hardest = 0.0;
  for (int k = 0; k < 200; ++k) {
    run.simulation.step(k == 199);
    hardest = std::max(hardest, largest_force(run));
  }
  EXPECT_GT(hardest, 20.0);
  EXPECT_LT(force_error_over_squares(run), 1e-4);
  EXPECT_NEAR(run.simulation.energy_error_ev(run.simulation.thermo()), 0.0, 0.05);
}

/// A cascade of 300 eV whose limit of the time step is found every so many steps, up to 0.1 ps.
std::unique_ptr<WaferRun> cascade(int every) {
  auto run = std::make_unique<WaferRun>(wafer_case(
      "[12, 12, 4]", all_periodic,
      "adaptive_timestep = {max_displacement_angstrom = 0.02, max_ps = 0.002}\nwafer.time_step_every_steps "
      "= " +
          std::to_string(every) +
          "\npotential = {core = \"zbl_dft\"}\n[[pka]]\nenergy_ev = 300.0\ndirection = [1.0, 3.0, 0.5]\n"
          "time_ps = 0.02\n"));
  while (run->simulation.time_ps() < 0.1) run->simulation.step(false);
  run->simulation.evaluate_energy();
  return run;
}

TEST(TimeStepLimit, HoldsForSeveralStepsThatAreNoLongerThanThoseOfEveryStep) {
  const auto each = cascade(1), several = cascade(8);
  const WaferSimulation &a = each->simulation, &b = several->simulation;
  EXPECT_EQ(a.time_step_limits(), a.steps_done());
  EXPECT_LE(b.time_step_limits(), b.steps_done() / 8 + 2);  // the recoil asks for one of its own
  EXPECT_EQ(b.steps_too_long(), 0);
  EXPECT_GE(b.steps_done(), a.steps_done());
  EXPECT_LT(b.steps_done(), 2 * a.steps_done());
  for (const WaferSimulation* run : {&a, &b}) {
    ASSERT_EQ(run->recoils().size(), 1u);
    EXPECT_NEAR(run->energy_error_ev(run->thermo()), 0.0, 0.05);
  }
}

TEST(TimeStepLimit, ThatAnAtomOutrunsIsCounted) {
  WaferRun run(wafer_case("[6, 6, 4]", all_open,
                          "adaptive_timestep = {max_displacement_angstrom = 0.02, max_ps = 0.002}\n"
                          "wafer.time_step_every_steps = 10\n"));
  for (int k = 0; k < 3; ++k) run.simulation.step(false);
  EXPECT_EQ(run.simulation.steps_too_long(), 0);
  TileBlock& block = const_cast<TileBlock&>(run.simulation.block());
  std::size_t i = 0;
  while (block.atom(i).id < 0) ++i;
  block.atom(i).v.x = 100.0f;
  for (int k = 3; k < 11; ++k) run.simulation.step(false);
  EXPECT_EQ(run.simulation.steps_too_long(), 7);  // until the next reduction, before the eleventh step
  Result result(run.comm, "tungsten_md", "limit", "wafer");
  RunLoop loop;
  loop.steps = 11;
  loop.seconds = 1.0;
  run.simulation.report(result, loop);
  EXPECT_NE(result.failed_checks().find("steps_longer_than_allowed"), std::string::npos);
}

TEST(TimeStepLimit, IsRefusedForStepsThatNothingLimitsOrThatItCannotBound) {
  for (const char* step :
       {"", "adaptive_timestep = {max_energy_change_ev = 0.5}\n",
        "adaptive_timestep = {max_displacement_angstrom = 0.02, max_energy_change_ev = 0.5}\n"})
    EXPECT_THROW(wafer_case("[6, 6, 4]", all_open, std::string("wafer.time_step_every_steps = 2\n") + step),
                 InputError)
        << step;
}

/// Fused loops and blocking receives change when things happen, and nothing that is computed.
TEST(Options, OfTimeAloneKeepEveryBit) {
  const auto state = [](const std::string& option) {
    WaferRun run(wafer_case("[8, 8, 4]", all_open, option));
    for (int k = 0; k < 12; ++k) run.simulation.step(false);
    const auto all = run.simulation.all_atoms();
    return std::tuple(all.configuration.atoms.x, all.configuration.atoms.v, all.forces);
  };
  const std::string lists = "wafer.list_reuse_steps = 4\n", squares = "wafer.squared_tables = true\n",
                    fused = "wafer.fused_density = true\n", all = "wafer.untested_lists = true\n",
                    blocking = "wafer.blocking_receives = true\n", four = "wafer.tiles_per_atom = 4\n";
  EXPECT_EQ(state(""), state(fused + blocking));
  EXPECT_EQ(state(lists), state(lists + fused));
  EXPECT_EQ(state(lists + squares), state(lists + squares + fused + blocking));
  EXPECT_EQ(state(lists + squares), state(lists + squares + fused + all));
  EXPECT_EQ(state(four + lists + squares), state(four + lists + squares + fused + all));
}

// A list of this potential holds a shell more than acts, so that looking at it without a test takes longer.
TEST(Options, OfTheLaterRecordsEachTakeLessTime) {
  const std::string lists = "wafer.list_reuse_steps = 10\n";
  for (const std::string& base : {lists, lists + "wafer.tiles_per_atom = 4\n"}) {
    std::int64_t before = cycles_of(base, 10);
    std::string on = base;
    for (const char* more : {"wafer.squared_tables = true\n", "wafer.fused_density = true\n",
                             "wafer.blocking_receives = true\n"}) {
      on += more;
      const std::int64_t now = cycles_of(on, 10);
      EXPECT_LT(now, before) << on;
      before = now;
    }
    EXPECT_GT(cycles_of(on + "wafer.untested_lists = true\n", 10), before);
  }
}

/// Both ways of looking for missed interactions, at the present positions.
void expect_the_watch_to_see_what_a_search_finds(WaferRun& run, bool some, const char* what) {
  TileBlock& block = const_cast<TileBlock&>(run.simulation.block());
  const std::int64_t searched = run.simulation.missed_now();
  EXPECT_EQ(block.missed_interactions(), searched) << what;
  EXPECT_EQ(searched > 0, some) << what;
}

TEST(MissedInteractions, AreSeenWhereverAtomsStray) {
  for (const char* boundary : {all_open, all_periodic, "[\"periodic\", \"open\", \"periodic\"]"}) {
    WaferRun run(wafer_case("[10, 10, 4]", boundary));
    run.simulation.step(false);
    expect_the_watch_to_see_what_a_search_finds(run, false, boundary);
    // Ten atoms across the crystal, two of them to the same place.
    TileBlock& block = const_cast<TileBlock&>(run.simulation.block());
    const Box& box = run.simulation.configuration().box;
    int moved = 0;
    for (std::size_t i = 7; i < block.tiles() && moved < 10; i += block.tiles() / 13) {
      if (block.atom(i).id < 0) continue;
      const double share = moved < 2 ? 0.5 : 0.1 + 0.08 * moved;
      const Vec3 at = block.position(i);
      auto& x = block.atom(i).x;
      x.x += static_cast<float>(box.lo[0] + share * box.length(0) + 0.3 * moved - at[0]);
      x.y += static_cast<float>(box.lo[1] + (1.0 - share) * box.length(1) - at[1]);
      ++moved;
    }
    block.atoms_changed();
    run.simulation.evaluate_energy();
    expect_the_watch_to_see_what_a_search_finds(run, true, boundary);
  }
}

TEST(MissedInteractions, AreSeenAtTheRimOfATightNeighbourhood) {
  for (const char* boundary : {all_open, all_periodic}) {
    WaferRun run(wafer_case("[10, 10, 4]", boundary, "wafer.margin_angstrom = 0.0\n"));
    TileBlock& block = const_cast<TileBlock&>(run.simulation.block());
    for (int k = 0; k < 40; ++k) run.simulation.step(false);
    std::int64_t some = 0;
    for (const float by : {0.1f, 0.3f, 0.5f}) {
      for (std::size_t i = 0; i < block.tiles(); ++i)
        if (block.atom(i).id >= 0) block.atom(i).x.x += block.atom(i).id % 2 == 0 ? by : -by;
      block.atoms_changed();
      run.simulation.evaluate_energy();
      expect_the_watch_to_see_what_a_search_finds(run, run.simulation.missed_now() > 0, boundary);
      some += run.simulation.missed_now();
    }
    EXPECT_GT(some, 0) << boundary;
  }
}

TEST(MissedInteractions, OfAnAtomThatLeavesAndReturnsAreReportedWithTheirFirstStep) {
  WaferRun run(wafer_case("[12, 12, 4]", all_open));
  for (int k = 0; k < 3; ++k) run.simulation.step(false);
  EXPECT_EQ(run.simulation.missed().first_step, -1);
  TileBlock& block = const_cast<TileBlock&>(run.simulation.block());
  std::size_t i = 3;
  while (block.atom(i).id < 0) ++i;
  const std::vector<TileAtom> all = [&] {
    std::vector<TileAtom> atoms;
    for (std::size_t k = 0; k < block.tiles(); ++k) atoms.push_back(block.atom(k));
    return atoms;
  }();
  block.atom(i).x.x += 19.3f;
  block.atoms_changed();
  run.simulation.step(false);
  for (std::size_t k = 0; k < block.tiles(); ++k) block.atom(k) = all[k];
  block.atoms_changed();
  for (int k = 0; k < 2; ++k) run.simulation.step(true);
  EXPECT_EQ(run.simulation.missed_now(), 0);  // nothing to be seen any more
  EXPECT_EQ(run.simulation.missed().first_step, 4);
  EXPECT_GT(run.simulation.missed().interactions, 0);
}

TEST(Trace, OfATileOffTheGridIsRefused) {
  EXPECT_THROW(WaferRun(wafer_case("[6, 6, 4]", all_open, "[[wafer.trace]]\nx = 99\ny = 0\n")), InputError);
}

TEST(Layout, RefusesMoreCandidatesThanAListCanNumber) {
  EXPECT_THROW(WaferRun(wafer_case("[6, 6, 4]", all_open, "wafer.neighbourhood = 128\n")), InputError);
}

TEST(Options, ListsThatServeTooLongMissNeighboursAndTheResultSaysSo) {
  WaferRun run(wafer_case("[8, 8, 4]", all_periodic,
                          "wafer.list_reuse_steps = 1000\nwafer.list_skin_angstrom = 0.02\n"));
  for (int k = 0; k < 60; ++k) {
    run.simulation.step(false);
    EXPECT_EQ(const_cast<TileBlock&>(run.simulation.block()).missed_interactions(),
              run.simulation.missed_now());
  }
  EXPECT_GT(run.simulation.missed().interactions, 0);
}

TEST(Options, CostWhatTheirPartsCost) {
  const auto plain = cycles_of("", 10), reused = cycles_of(options[0], 10),
             symmetric = cycles_of(options[1], 10), four = cycles_of(options[2], 10),
             both = cycles_of(options[3], 10);
  // Nine of ten steps look at the list alone; four tiles share all work over pairs.
  EXPECT_LT(reused, plain);
  EXPECT_LT(four, plain);
  EXPECT_LT(both, four);
  // Symmetry saves at most half of the force loop and pays the reverse multicast.
  const WaferRun run(wafer_case("[6, 6, 4]", all_open, options[1]));
  const auto& plan = run.simulation.plan();
  const double saved = plan.code.force.cycles(plan.neighbours) / 2.0;
  const auto paid = static_cast<double>(plan.partners_forces->cycles(plan.machine.fabric, plan.grid)) +
                    plan.partners_forces->tasks() * plan.machine.task_start_cycles;
  EXPECT_NEAR(static_cast<double>(symmetric - plain) / 10.0, paid - saved, 0.25 * (paid + saved));
}

TEST(Options, ThatExcludeEachOtherAreRefused) {
  for (const char* missing : {"wafer.squared_tables = true\nwafer.fused_density = true\n",
                              "wafer.list_reuse_steps = 4\nwafer.fused_density = true\n",
                              "wafer.list_reuse_steps = 4\nwafer.squared_tables = true\n"})
    EXPECT_THROW(wafer_case("[6, 6, 4]", all_open, std::string("wafer.untested_lists = true\n") + missing),
                 InputError)
        << missing;
  EXPECT_THROW(wafer_case("[6, 6, 4]", all_open, "wafer.tiles_per_atom = 4\nwafer.force_symmetry = true\n"),
               InputError);
  EXPECT_THROW(wafer_case("[6, 6, 4]", all_open, "wafer.tiles_per_atom = 3\n"), InputError);
}

TEST(Patterns, OfAStepNeverShareAColorOnALink) {
  const WaferRun run(wafer_case("[6, 6, 4]", all_open,
                                "wafer.swap_every_steps = 5\nwafer.tiles_per_atom = 4\n"
                                "adaptive_timestep = {max_displacement_angstrom = 0.02, max_ps = 0.002}\n"));
  const TilePlan& plan = run.simulation.plan();
  const TileItems none(1);
  auto program = tile_step(plan, none, nullptr).patterns(plan.grid);
  EXPECT_EQ(program.size(), 7u);
  EXPECT_NO_THROW(wse::reject_collisions(plan.machine.fabric, program));
  program[1].uses = program[0].uses;
  EXPECT_THROW(wse::reject_collisions(plan.machine.fabric, program), std::invalid_argument);
}

TEST(LinkWords, AreMostInTheMiddleAndGrowWithTheSteps) {
  WaferRun run(wafer_case("[8, 8, 4]", all_open));
  run.simulation.step(false);
  const auto once = run.simulation.executor().link_words();
  run.simulation.step(false);
  const auto twice = run.simulation.executor().link_words();
  const auto& plan = run.simulation.plan();
  const auto most = twice.summarize();
  EXPECT_LT(most.mean, most.max);
  EXPECT_EQ(twice.word_hops(), 2 * once.word_hops());
  // The busiest link leads along a column, where b heads send the words of a row of 2 b + 1 tiles and a
  // command.
  const int b = plan.layout.reach, words = plan.positions->words() + plan.slopes->words();
  EXPECT_EQ(most.max, 2.0 * b * ((2 * b + 1) * words + 2));
}

TEST(WhatIf, HalvingTheClockHalvesTheRate) {
  const WaferRun fast(wafer_case("[6, 6, 4]", all_open)),
      slow(wafer_case("[6, 6, 4]", all_open, "wafer.changes = [\"core.clock_mhz.value=425\"]\n"));
  EXPECT_EQ(slow.simulation.plan().machine.clock_hz * 2.0, fast.simulation.plan().machine.clock_hz);
  EXPECT_EQ(cycles_of(""), cycles_of("wafer.changes = [\"core.clock_mhz.value=425\"]\n"));
}

TEST(WhatIf, AddedHopLatencyCostsWhatTheModelSays) {
  const std::string longer = "wafer.changes = [\"fabric.hop_cycles.value=3\"]\n";
  const WaferRun before(wafer_case("[6, 6, 4]", all_open)), after(wafer_case("[6, 6, 4]", all_open, longer));
  const auto extra = [](const WaferRun& r) {
    const TilePlan& plan = r.simulation.plan();
    return plan.positions->cycles(plan.machine.fabric, plan.grid) +
           plan.slopes->cycles(plan.machine.fabric, plan.grid);
  };
  // The last words travel b hops of two more cycles in each of four stages, and the one-word phases wait for
  // the hop.
  const int b = before.simulation.plan().layout.reach;
  EXPECT_GE(extra(after) - extra(before), 4 * 2 * b);
  EXPECT_EQ(cycles_of(longer) - cycles_of(""), 5 * (extra(after) - extra(before)));
}

TEST(WhatIf, MoreWordsPerCycleAndCheaperArithmeticAreFaster) {
  EXPECT_LT(cycles_of("wafer.changes = [\"fabric.cycles_per_word.value=0.5\"]\n"), cycles_of(""));
  EXPECT_LT(cycles_of("wafer.changes = [\"core.vector_startup_cycles.value=10\"]\n"), cycles_of(""));
  EXPECT_GT(cycles_of("wafer.changes = [\"cycles.fma.value=2\"]\n"), cycles_of(""));
}

TEST(WhatIf, LessMemoryMeansCoarserTablesThenMoreBatches) {
  const auto with = [](int bytes) {
    return WaferRun(
        wafer_case("[6, 6, 4]", all_open,
                   "potential = {table_points = 2000}\nwafer.changes = [\"core.sram_bytes.value=" +
                       std::to_string(bytes) + "\"]\n"));
  };
  const WaferRun much = with(200000), real = with(49152), little = with(32000);
  EXPECT_EQ(much.simulation.plan().tables.nr, 2000);
  EXPECT_LT(real.simulation.plan().tables.nr, 1000);
  EXPECT_GE(real.simulation.plan().tables.nr, 500);
  EXPECT_EQ(real.simulation.plan().batches, 1);
  EXPECT_GT(little.simulation.plan().batches, 1);
}

TEST(TileMemory, ThatDoesNotHoldTheProgramIsAnErrorWithTheLedger) {
  try {
    WaferRun run(wafer_case("[6, 6, 4]", all_open, "wafer.changes = [\"core.sram_bytes.value=9000\"]\n"));
    FAIL() << "9,000 bytes hold no tables";
  } catch (const InputError& e) {
    const std::string text = e.what();
    EXPECT_NE(text.find("potential tables"), std::string::npos) << text;
    EXPECT_NE(text.find("neighbour list"), std::string::npos) << text;
    EXPECT_NE(text.find("to fit 9000"), std::string::npos) << text;
  }
}

TEST(Layout, RefusesANeighbourhoodThatWouldMeetItselfRoundARing) {
  EXPECT_THROW(WaferRun(wafer_case("[3, 3, 4]", all_periodic)), InputError);
  EXPECT_THROW(WaferRun(wafer_case("[6, 6, 4]", all_open, "wafer.tiles = [8, 8]\n")), InputError);
  EXPECT_THROW(WaferRun(wafer_case("[6, 6, 4]", all_open, "wafer.neighbourhood = 1\n")), InputError);
}

TEST(Layout, FoldedAxesTakeTwoHopsAndTheSameRampTime) {
  const WaferRun open(wafer_case("[8, 8, 4]", "[\"open\", \"open\", \"periodic\"]")),
      ring(wafer_case("[8, 8, 4]", all_periodic));
  const auto &p = open.simulation.plan(), &q = ring.simulation.plan();
  ASSERT_EQ(p.layout.reach, q.layout.reach);
  const auto cycles = [](const TilePlan& plan) {
    return static_cast<double>(plan.positions->cycles(plan.machine.fabric, plan.grid));
  };
  EXPECT_GT(cycles(q), cycles(p));
  EXPECT_LT(cycles(q), 1.1 * cycles(p));
}

}  // namespace

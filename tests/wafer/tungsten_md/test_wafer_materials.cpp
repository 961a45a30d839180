// More than perfect crystals of one element on the tiles: structures, alloys, relaxation, runs that began
// elsewhere. Forces are the native target's from the same tables, to fp32 rounding.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <random>

#include "common/errors.hpp"
#include "tungsten_md/cluster/simulation.hpp"
#include "wafer_case.hpp"

namespace wafermark::tungsten {
namespace {

constexpr const char* periodic_slab = "[\"periodic\", \"periodic\", \"open\"]";

struct NativeForces {
  double energy_ev = 0.0;
  std::vector<Vec3> of_atoms;  ///< by id
};

/// Of the native target in double at these positions.
NativeForces native_forces(const Configuration& atoms, const PotentialTables& tables) {
  const Communicator alone(MPI_COMM_SELF);
  RegionTimes times;
  Domain native(alone, atoms, tables, {}, times);
  NativeForces all{native.compute_forces_and_energy().energy, std::vector<Vec3>(atoms.atoms.size())};
  const Atoms placed = native.atoms_on_host();
  const auto forces = native.forces_on_host();
  for (std::size_t k = 0; k < placed.size(); ++k)
    all.of_atoms.at(static_cast<std::size_t>(placed.id[k] - 1)) = forces[k];
  return all;
}

/// Largest difference of a force component from the native target's, with the tables that tiles hold,
/// eV/Angstrom.
double force_error(const WaferRun& run) {
  const auto all = run.simulation.all_atoms();
  const NativeForces native = native_forces(all.configuration, run.simulation.plan().tables);
  double worst = 0.0;
  for (std::size_t k = 0; k < all.forces.size(); ++k)
    for (std::size_t d = 0; d < 3; ++d) {
      const auto id = static_cast<std::size_t>(all.configuration.atoms.id[k] - 1);
      worst = std::max(worst, std::abs(native.of_atoms[id][d] - all.forces[k][d]));
    }
  return worst;
}

void steps(WaferRun& run, int n) {
  for (int k = 0; k < n; ++k) run.simulation.step(k + 1 == n);
}

// --- Structures ---

/// Two crystals turned against each other by the angle of a sigma-5 boundary, in an open box.
Configuration grain_boundary(const PotentialTables& potential) {
  Configuration c{{{-20.0, -20.0, -1.0}, {20.0, 20.0, 12.0}, {false, false, false}},
                  {"W"},
                  {potential.elements[0].mass_amu},
                  {}};
  constexpr double a = 3.1652;
  const double angle = std::atan2(1.0, 2.0), cosine = std::cos(angle), sine = std::sin(angle);
  for (int side : {-1, 1})
    for (int ix = -14; ix <= 14; ++ix)
      for (int iy = -14; iy <= 14; ++iy)
        for (int half = 0; half < 6; ++half) {
          const double x = a * (ix + 0.5 * (half % 2)), y = a * (iy + 0.5 * (half % 2));
          const Vec3 at{cosine * x - side * sine * y, side * sine * x + cosine * y, 0.5 * a * half};
          if (std::abs(at[0]) > 18.0 || std::abs(at[1]) > 18.0 || side * at[0] < 0.8) continue;
          c.atoms.id.push_back(static_cast<std::int64_t>(c.atoms.id.size()) + 1);
          c.atoms.type.push_back(0);
          c.atoms.x.push_back(at);
          c.atoms.v.push_back({});
        }
  return c;
}

TEST(Structures, HaveTheNativeTargetsForces) {
  const auto hot = [](const char* cells, const char* boundary) {
    return from_file(wafer_case(cells, boundary));
  };
  const Case slab = wafer_case("[10, 10, 4]", periodic_slab), block = wafer_case("[9, 9, 6]", all_periodic);
  const PotentialTables potential = slab.load_potential();
  const Configuration with_void = structure_of(
      block, potential, [](const Vec3& x) { return std::hypot(x[0] - 14.0, x[1] - 14.0, x[2] - 9.0) < 6.0; });
  const Configuration stepped =
      structure_of(slab, potential, [](const Vec3& x) { return x[0] > 16.0 && x[2] > 6.0; });
  const std::pair<Case, Configuration> cases[] = {{hot("[9, 9, 6]", all_periodic), with_void},
                                                  {hot("[10, 10, 4]", periodic_slab), stepped},
                                                  {hot("[4, 4, 4]", all_open), grain_boundary(potential)}};
  for (const auto& [what, start] : cases) {
    WaferRun run(what, start, potential);
    steps(run, 30);
    EXPECT_LT(force_error(run), 5e-5);
    EXPECT_EQ(run.simulation.missed().interactions, 0);
    EXPECT_EQ(run.simulation.missed_now(), 0);
    EXPECT_TRUE(run.simulation.plan().layout.structure.has_value());
  }
}

TEST(Structures, WhoseAtomsLieAnywhereInTheBoxGiveTheForcesOfACrystal) {
  const Case what = wafer_case("[8, 8, 3]", all_periodic);
  const PotentialTables potential = what.load_potential();
  Configuration moved = crystal_of(what, potential);
  for (Vec3& x : moved.atoms.x) x = moved.box.wrap({x[0] + 5.3, x[1] - 11.7, x[2] + 0.9});
  WaferRun run(from_file(what), moved, potential);
  steps(run, 20);
  EXPECT_LT(force_error(run), 3e-5);
  EXPECT_EQ(run.simulation.missed().interactions, 0);
}

TEST(Structures, RefuseBoxesInWhichANeighbourhoodWouldMeetItself) {
  const Case narrow = wafer_case("[3, 12, 3]", all_periodic);
  const PotentialTables potential = narrow.load_potential();
  EXPECT_THROW(WaferRun(from_file(narrow), crystal_of(narrow, potential), potential), InputError);
}

TEST(Structures, SeeAtomsThatStray) {
  Case what = from_file(wafer_case("[8, 8, 3]", all_open));
  const Case crystal = wafer_case("[8, 8, 3]", all_open);
  const PotentialTables potential = what.load_potential();
  WaferRun run(what, crystal_of(crystal, potential), potential);
  TileBlock& block = const_cast<TileBlock&>(run.simulation.block());
  // An atom of one corner stands beside one of the other.
  std::size_t near = 0, far = 0;
  const auto at = [&](std::size_t k) { return block.position(k)[0] + block.position(k)[1]; };
  for (std::size_t k = 0; k < block.tiles(); ++k) {
    if (block.atom(k).id < 0) continue;
    if (block.atom(near).id < 0 || at(k) < at(near)) near = k;
    if (block.atom(far).id < 0 || at(k) > at(far)) far = k;
  }
  const Vec3 there = block.position(far);
  block.place_atom(near, block.atom(near).id, 0, {there[0] + 2.0, there[1] + 1.0, there[2]}, {});
  run.simulation.step(false);
  EXPECT_GT(run.simulation.missed().interactions, 0);
  EXPECT_GT(run.simulation.missed_now(), 0);
}

// --- Alloys ---

Case alloy_case(const std::string& elements, const std::string& more = "",
                const char* boundary = periodic_slab) {
  return wafer_case("[9, 9, 3]", boundary,
                    "potential = {model = \"zhou_2004\", elements = " + elements + "}\n" + more);
}

WaferRun alloy_run(const Case& what, const PotentialTables& potential) {
  return WaferRun(what, as_alloy(crystal_of(what, potential), potential), potential);
}

TEST(Alloys, HaveTheNativeTargetsForces) {
  for (const char* elements : {"[\"W\", \"Ta\"]", "[\"W\", \"Ta\", \"Cu\"]"})
    for (const char* options : {"", "wafer.list_reuse_steps = 5\n", "wafer.tiles_per_atom = 4\n",
                                "wafer.force_symmetry = true\n", "wafer.swap_every_steps = 5\n"}) {
      const Case what = alloy_case(elements, options);
      WaferRun run = alloy_run(what, what.load_potential());
      EXPECT_LT(force_error(run), 3e-5) << elements << options;
      steps(run, 20);
      EXPECT_LT(force_error(run), 5e-5) << elements << options;
      EXPECT_EQ(run.simulation.missed().interactions, 0) << elements << options;
    }
}

TEST(Alloys, OfManyPointsHoldTheFilesOwnForces) {
  const Case what = alloy_case("[\"W\", \"Ta\"]"),
             over_squares = alloy_case("[\"W\", \"Ta\"]", "wafer.squared_tables = true\n");
  const PotentialTables potential = what.load_potential();
  std::vector<double> errors;
  for (const Case* c : {&what, &over_squares}) {
    WaferRun run = alloy_run(*c, potential);
    steps(run, 10);
    const auto all = run.simulation.all_atoms();
    const NativeForces native = native_forces(all.configuration, potential);
    double worst = 0.0;
    for (std::size_t k = 0; k < all.forces.size(); ++k)
      for (std::size_t d = 0; d < 3; ++d)
        worst = std::max(worst, std::abs(native.of_atoms[k][d] - all.forces[k][d]));
    EXPECT_GE(run.simulation.plan().tables.nr, 300);
    errors.push_back(worst);
  }
  EXPECT_LT(errors[0], 5e-3);
  EXPECT_LT(errors[1], 1e-2);
}

TEST(Alloys, OfPublishedPotentialsHaveTheNativeTargetsForces) {
  for (const auto& [file, elements] : {std::pair{"WRe_bonny2017.eam.alloy", "[\"W\", \"Re\"]"},
                                       {"WHHe_bonny2014_eam2.eam.alloy", "[\"W\", \"H\", \"He\"]"}}) {
    Case what;
    try {
      what = wafer_case("[8, 8, 3]", periodic_slab,
                        std::string("potential = {file = \"") + file + "\", elements = " + elements + "}\n");
    } catch (const InputError&) {
      GTEST_SKIP() << file << " is not here: jobscripts/fetch_potentials.sh brings it";
    }
    what.run.timestep_ps = 0.0002;  // hydrogen is light
    const PotentialTables potential = what.load_potential();
    Configuration start = as_alloy(crystal_of(what, potential), potential);
    for (std::size_t k = 0; k < start.atoms.size(); ++k)
      if (k % 11 != 0) start.atoms.type[k] = 0;
    WaferRun run(what, start, potential);
    EXPECT_GE(run.simulation.plan().tables.nr, 300) << file;
    steps(run, 20);
    EXPECT_LT(force_error(run), 1e-4) << file;
  }
}

TEST(Alloys, WhoseDensitiesDependOnBothElementsToo) {
  const Case what = alloy_case("[\"W\", \"Ta\"]");
  PotentialTables potential = what.load_potential();
  const auto elements = potential.elements.size();
  for (std::size_t a = 0; a < elements; ++a)
    for (std::size_t b = 0; b < elements; ++b)
      for (double& rho : potential.density[a][b])
        rho *= 1.0 + 0.1 * static_cast<double>(a) + 0.03 * static_cast<double>(b);
  WaferRun run = alloy_run(what, potential), by_source = alloy_run(what, what.load_potential());
  steps(run, 10);
  EXPECT_LT(force_error(run), 5e-5);
  // Both ways' densities take room.
  EXPECT_LT(run.simulation.plan().tables.nr, by_source.simulation.plan().tables.nr);
}

TEST(Alloys, ConserveTheEnergyAndKeepTheirElementsThroughSwaps) {
  const Case what =
      alloy_case("[\"W\", \"Ta\"]", "wafer.swap_every_steps = 5\nwafer.margin_angstrom = 1.0\n");
  const PotentialTables potential = what.load_potential();
  const Configuration start = as_alloy(crystal_of(what, potential), potential);
  WaferRun run(what, start, potential);
  // Two unlike neighbours take each other's places.
  TileBlock& block = const_cast<TileBlock&>(run.simulation.block());
  std::size_t a = block.tiles() / 2 + 5, b = 0;
  while (block.atom(a).id < 0) ++a;
  double nearest = 1e9;
  for (std::size_t k = 0; k < block.tiles(); ++k) {
    if (block.atom(k).id < 0 || block.atom(k).type == block.atom(a).type) continue;
    const Vec3 p = block.position(a), q = block.position(k);
    if (const double d = std::hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]); d < nearest) nearest = d, b = k;
  }
  const Vec3 p = block.position(a), q = block.position(b);
  const TileAtom of_a = block.atom(a), of_b = block.atom(b);
  block.place_atom(a, of_a.id, of_a.type, q, {});
  block.place_atom(b, of_b.id, of_b.type, p, {});
  run.simulation.evaluate_energy();
  steps(run, 6);
  EXPECT_EQ(block.atom(a).id, of_b.id);
  EXPECT_EQ(block.atom(b).id, of_a.id);
  const auto all = run.simulation.all_atoms();
  EXPECT_EQ(all.configuration.atoms.type, start.atoms.type);
  EXPECT_LT(force_error(run), 5e-5);
  bool tables_moved = false;
  for (const auto& phase : run.simulation.record().summarize())
    tables_moved = tables_moved || (phase.name == "swapped_tables" && phase.mean > 0.0);
  EXPECT_TRUE(tables_moved);
}

TEST(Alloys, ConserveTheEnergy) {
  const Case what = alloy_case("[\"W\", \"Ta\"]");
  WaferRun run = alloy_run(what, what.load_potential());
  steps(run, 400);
  const Thermo end = run.simulation.thermo();
  EXPECT_NEAR(run.simulation.energy_error_ev(end) / static_cast<double>(run.simulation.atoms()), 0.0, 3e-5);
}

TEST(Alloys, TakeTheRoomThatTheyNeed) {
  const Case two = alloy_case("[\"W\", \"Ta\"]"), three = alloy_case("[\"W\", \"Ta\", \"Cu\"]");
  const Communicator alone(MPI_COMM_SELF);
  const TilePlan of_two = TilePlan::make(alone, two, two.load_potential()),
                 of_three = TilePlan::make(alone, three, three.load_potential());
  for (const TilePlan* plan : {&of_two, &of_three}) {
    EXPECT_GE(plan->tables.nr, 250);
    EXPECT_LE(plan->memory.high_water(), 48 * 1024);
    EXPECT_NE(plan->describe().find("elements"), std::string::npos);
  }
  EXPECT_LT(of_three.tables.nr, of_two.tables.nr);
}

// --- Relaxation ---

Case relaxing(const std::string& more = "") {
  return wafer_case("[8, 8, 3]", periodic_slab,
                    "relax = {max_steps = 400, force_tolerance_ev_per_angstrom = 2e-4}\n" + more);
}

TEST(Relaxation, EndsWhereTheNativeTargetsDoes) {
  const Case what = relaxing();
  const PotentialTables potential = what.load_potential();
  Configuration start = crystal_of(what, potential);
  std::mt19937 random(5);
  std::normal_distribution<double> noise(0.0, 0.1);
  for (Vec3& x : start.atoms.x)
    for (double& component : x) component += noise(random);
  WaferRun run(from_file(what), start, potential);
  int asked = 0;
  run.simulation.relax([&] { ++asked; });
  ASSERT_TRUE(run.simulation.relaxation().has_value());
  const FireResult& on_tiles = run.simulation.relaxation()->result;
  EXPECT_TRUE(on_tiles.converged);
  EXPECT_EQ(asked, on_tiles.steps + 1);
  EXPECT_LE(on_tiles.max_force, 2e-4);
  EXPECT_GT(run.simulation.relaxation()->cycles_of_step, 1000.0);
  EXPECT_LT(force_error(run), 2e-5);

  const Communicator alone(MPI_COMM_SELF);
  RegionTimes times;
  const PotentialTables same_tables = run.simulation.plan().tables;
  const Simulation native(alone, what, same_tables, start, times);
  ASSERT_TRUE(native.relaxation().has_value() && native.relaxation()->converged);
  EXPECT_NEAR(on_tiles.energy_ev, native.relaxation()->energy_ev, 1e-4);
  // The run begins with the velocities that it would have had.
  EXPECT_NEAR(run.simulation.thermo().temperature_k, 600.0, 0.1);
  EXPECT_EQ(run.simulation.steps_done(), 0);
}

TEST(Relaxation, RefusesTolerancesThatTheTilesArithmeticDoesNotReach) {
  const Case what = wafer_case("[8, 8, 3]", periodic_slab, "relax = {max_steps = 10}\n");
  EXPECT_THROW(require_reachable(what.dynamics.relax), InputError);
  EXPECT_NO_THROW(require_reachable(relaxing().dynamics.relax));
}

// --- Runs that change targets ---

void expect_the_clusters_forces(const std::string& more) {
  const Case what =
      wafer_case("[10, 10, 4]", periodic_slab,
                 more +
                     "potential = {core = \"zbl_dft\"}\nwafer.margin_angstrom = 3.0\n"
                     "[[pka]]\nenergy_ev = 60.0\ndirection = [1.0, 3.0, 0.5]\ntime_ps = 0.01\n");
  const PotentialTables potential = what.load_potential();
  const Configuration start = crystal_of(what, potential);
  const Communicator alone(MPI_COMM_SELF);
  RegionTimes times;
  Simulation native(alone, what, potential, start, times);
  for (int k = 0; k < 60; ++k) native.step(k == 59);
  CarriedState state;
  state.configuration = native.configuration();
  const SimulationState whole = native.state();
  // In the order of ids.
  Configuration& c = state.configuration;
  Atoms sorted = c.atoms;
  for (std::size_t k = 0; k < c.atoms.size(); ++k) {
    const auto to = static_cast<std::size_t>(c.atoms.id[k] - 1);
    sorted.id[to] = c.atoms.id[k];
    sorted.x[to] = c.atoms.x[k];
    sorted.v[to] = c.atoms.v[k];
  }
  c.atoms = sorted;
  state.timestep_ps = native.timestep_ps();
  state.ledger = native.ledger();
  state.pkas_fired = 1;
  state.recoils = native.recoils();

  WaferRun run(what);
  run.simulation.carry_on(state);
  EXPECT_EQ(run.simulation.steps_done(), 60);
  EXPECT_EQ(run.simulation.recoils().size(), 1u);
  EXPECT_LT(force_error(run), 1e-4);
  EXPECT_EQ(run.simulation.missed_now(), 0);
  EXPECT_NEAR(run.simulation.energy_error_ev(run.simulation.thermo()), 0.0, 1e-9);
  steps(run, 5);
  EXPECT_EQ(run.simulation.recoils().size(), 1u);
  EXPECT_LT(std::abs(run.simulation.energy_error_ev(run.simulation.thermo())), 0.05);
}

TEST(CarriedState, FromTheClusterGoesOnWithTheSameForces) {
  expect_the_clusters_forces("");
  expect_the_clusters_forces("wafer.layer_cells = 1\n");
}

TEST(CarriedState, FromTheWaferIsReadBackAtomByAtom) {
  const Case what = alloy_case("[\"W\", \"Ta\"]");
  WaferRun run = alloy_run(what, what.load_potential());
  steps(run, 7);
  const std::string path = std::filesystem::temp_directory_path() / "wafermark_test_carried.h5";
  run.simulation.save(path, "", "", {});
  const CarriedState state = read_wafer_checkpoint(run.comm, path);
  const auto all = run.simulation.all_atoms();
  ASSERT_EQ(state.configuration.atoms.size(), all.configuration.atoms.size());
  for (std::size_t k = 0; k < state.configuration.atoms.size(); ++k) {
    const auto at = static_cast<std::size_t>(state.configuration.atoms.id[k] - 1);
    EXPECT_EQ(state.configuration.atoms.x[k], all.configuration.atoms.x[at]);
    EXPECT_EQ(state.configuration.atoms.v[k], all.configuration.atoms.v[at]);
    EXPECT_EQ(state.configuration.atoms.type[k], all.configuration.atoms.type[at]);
  }
  EXPECT_EQ(state.configuration.step, 7);
  EXPECT_EQ(state.configuration.masses, all.configuration.masses);
  std::filesystem::remove(path);
}

TEST(CarriedState, PutsAtomsThatHaveWanderedOnFreeTiles) {
  const Case what = wafer_case("[6, 6, 3]", all_open);
  WaferRun run(what);
  const auto all = run.simulation.all_atoms();
  CarriedState state{all.configuration, 0.002, {}, 0, 0, {}};
  // Three atoms go round in a ring, one is gone, and one stands where it was.
  auto& x = state.configuration.atoms.x;
  const Vec3 first = x[10];
  x[10] = x[50];
  x[50] = x[90];
  x[90] = first;
  x[120] = x[130];
  Atoms& atoms = state.configuration.atoms;
  for (auto* of : {&atoms.x, &atoms.v}) of->erase(of->begin() + 130);
  atoms.id.erase(atoms.id.begin() + 130);
  atoms.type.erase(atoms.type.begin() + 130);
  run.simulation.carry_on(state);
  const TileBlock& block = run.simulation.block();
  std::size_t held = 0;
  for (std::size_t k = 0; k < block.tiles(); ++k) {
    if (block.atom(k).id < 0) continue;
    ++held;
    EXPECT_LT(block.displacement_squared(k), 0.1f);
  }
  EXPECT_EQ(held, all.configuration.atoms.size() - 1);
  EXPECT_EQ(run.simulation.missed_now(), 0);
}

}  // namespace
}  // namespace wafermark::tungsten

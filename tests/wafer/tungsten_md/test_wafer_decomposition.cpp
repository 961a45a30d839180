// The same bits and the same cycles, whichever rank emulates which tile.
#include <gtest/gtest.h>

#include <filesystem>

#include "common/hdf5_file.hpp"
#include "wafer_case.hpp"

using namespace wafermark;
using namespace wafermark::tungsten;

namespace {

struct State {
  WaferSimulation::AllAtoms atoms;
  std::int64_t cycles;
  double total_ev, error_ev;
  std::vector<wse::PhaseRecord::Summary> phases;
};
/// Collective.
State state(const WaferSimulation& s) {
  return {s.all_atoms(), s.clock_cycles(), s.thermo().total_ev(), s.energy_error_ev(s.thermo()),
          s.record().summarize()};
}

void expect_same(const State& a, const State& b) {
  EXPECT_EQ(a.atoms.configuration.atoms.id, b.atoms.configuration.atoms.id);
  EXPECT_EQ(a.atoms.configuration.atoms.x, b.atoms.configuration.atoms.x);
  EXPECT_EQ(a.atoms.configuration.atoms.v, b.atoms.configuration.atoms.v);
  EXPECT_EQ(a.atoms.forces, b.atoms.forces);
  EXPECT_EQ(a.atoms.energy_ev, b.atoms.energy_ev);
  EXPECT_EQ(a.cycles, b.cycles);
  EXPECT_EQ(a.total_ev, b.total_ev);
  EXPECT_EQ(a.error_ev, b.error_ev);
  ASSERT_EQ(a.phases.size(), b.phases.size());
  for (std::size_t k = 0; k < a.phases.size(); ++k) {
    EXPECT_EQ(a.phases[k].min, b.phases[k].min) << a.phases[k].name;
    EXPECT_EQ(a.phases[k].mean, b.phases[k].mean) << a.phases[k].name;
    EXPECT_EQ(a.phases[k].max, b.phases[k].max) << a.phases[k].name;
  }
}

/// All tiles on every rank would be much work for one comparison: two ranks do it.
bool compares(const Communicator& comm) { return comm.rank() == 0 || comm.rank() == comm.size() - 1; }

void compare(const Case& what, int steps) {
  WaferRun parts(what, MPI_COMM_WORLD);
  for (int k = 0; k < steps; ++k) parts.simulation.step(k + 1 == steps);
  const State of_parts = state(parts.simulation);
  if (!compares(parts.comm)) return;
  WaferRun whole(what, MPI_COMM_SELF);
  for (int k = 0; k < steps; ++k) whole.simulation.step(k + 1 == steps);
  EXPECT_GT(whole.simulation.clock_cycles(), 0);
  expect_same(of_parts, state(whole.simulation));
}

TEST(Decomposition, OpenSlabOf8x8TilesIsTheSameOnAnyNumberOfRanks) {
  compare(wafer_case("[4, 4, 2]", all_open), 10);
}

TEST(Decomposition, OptionsAreTheSameOnAnyNumberOfRanks) {
  const std::string later =
      "wafer.squared_tables = true\nwafer.fused_density = true\nwafer.blocking_receives = true\n";
  for (const std::string& option :
       {std::string("wafer.list_reuse_steps = 4\nwafer.force_symmetry = true\n"),
        std::string("wafer.tiles_per_atom = 4\n"), later + "wafer.list_reuse_steps = 4\n",
        later + "wafer.list_reuse_steps = 4\nwafer.tiles_per_atom = 4\nwafer.untested_lists = true\n"})
    compare(wafer_case("[4, 4, 2]", all_open, option), 6);
}

TEST(Decomposition, LayersAreTheSameOnAnyNumberOfRanks) {
  compare(wafer_case("[8, 8, 5]", all_open, "wafer.layer_cells = 2\n"), 6);
  compare(wafer_case("[8, 8, 6]", all_periodic,
                     "wafer.layer_cells = 1\nwafer.list_reuse_steps = 4\nwafer.swap_every_steps = 3\n"
                     "adaptive_timestep = {max_displacement_angstrom = 0.02, max_ps = 0.002}\n"),
          6);
}

TEST(Decomposition, CascadeWithEverythingOnIsTheSameOnAnyNumberOfRanks) {
  const Case what = wafer_case(
      "[8, 8, 3]", "[\"periodic\", \"periodic\", \"open\"]",
      "thermostat = {kind = \"langevin\", region = \"border\", temperature_k = 300.0, "
      "border_width_angstrom = 4.0}\n"
      "stopping = {kind = \"sqrt\", coefficient_sqrt_ev_per_angstrom = 0.2167, cutoff_energy_ev = 1.0}\n"
      "adaptive_timestep = {max_displacement_angstrom = 0.02, max_ps = 0.002}\n"
      "potential = {core = \"zbl_dft\"}\nwafer.swap_every_steps = 5\nwafer.margin_angstrom = 0.3\n"
      "[[pka]]\nenergy_ev = 60.0\ndirection = [1.0, 2.0, 0.5]\n");
  compare(what, 40);
}

void compare(const Case& what, const Configuration& start, const PotentialTables& potential, int steps,
             bool relaxes = false) {
  const auto run = [&](WaferRun& of) {
    if (relaxes) of.simulation.relax();
    for (int k = 0; k < steps; ++k) of.simulation.step(k + 1 == steps);
  };
  WaferRun parts(what, start, potential, MPI_COMM_WORLD);
  run(parts);
  const State of_parts = state(parts.simulation);
  if (!compares(parts.comm)) return;
  WaferRun whole(what, start, potential, MPI_COMM_SELF);
  run(whole);
  expect_same(of_parts, state(whole.simulation));
}

TEST(Decomposition, StructuresAreTheSameOnAnyNumberOfRanks) {
  const Case crystal = wafer_case("[5, 5, 3]", all_open, "wafer.swap_every_steps = 4\n");
  const PotentialTables potential = crystal.load_potential();
  const Configuration pitted =
      structure_of(crystal, potential, [](const Vec3& x) { return x[0] > 8.0 && x[1] > 8.0 && x[2] > 5.0; });
  compare(from_file(crystal), pitted, potential, 8);
}

TEST(Decomposition, AlloysAreTheSameOnAnyNumberOfRanks) {
  const Case what = wafer_case("[4, 4, 2]", all_open,
                               "potential = {model = \"zhou_2004\", elements = [\"W\", \"Ta\"]}\n"
                               "thermostat = {kind = \"langevin\", region = \"box\", temperature_k = 300.0}\n"
                               "wafer.swap_every_steps = 4\n");
  const PotentialTables potential = what.load_potential();
  compare(what, as_alloy(crystal_of(what, potential), potential), potential, 8);
}

TEST(Decomposition, RelaxationIsTheSameOnAnyNumberOfRanks) {
  const Case what =
      wafer_case("[4, 4, 2]", all_open, "relax = {max_steps = 30, force_tolerance_ev_per_angstrom = 1e-3}\n");
  const PotentialTables potential = what.load_potential();
  compare(what, crystal_of(what, potential), potential, 3, true);
}

/// An atom of the upper surface flies off.
Case sputtering(LostAtoms lost, const std::string& options = "") {
  Case what = wafer_case("[4, 4, 2]", all_open,
                         options +
                             "[[pka]]\nenergy_ev = 3000.0\ndirection = [0.0, 0.0, 1.0]\n"
                             "position_angstrom = [7.1, 7.1, 6.3]\n");
  what.structure.lost_atoms = lost;
  return what;
}

TEST(LostAtoms, EndARunOnAnyNumberOfRanks) {
  WaferRun run(sputtering(LostAtoms::error), MPI_COMM_WORLD);
  std::string text;
  try {
    for (int k = 0; k < 30; ++k) run.simulation.step(false);
  } catch (const std::runtime_error& e) {
    text = e.what();
  }
  ASSERT_EQ(run.simulation.recoils().size(), 1u);
  const std::string id = std::to_string(run.simulation.recoils()[0].atom);
  EXPECT_TRUE(text.starts_with("atom " + id + " left the open box at (")) << text;
  EXPECT_NE(text.find(", step 10, "), std::string::npos) << text;
}

TEST(LostAtoms, AreDroppedWithTheirEnergyOnAnyNumberOfRanks) {
  compare(sputtering(LostAtoms::drop, "wafer.tiles_per_atom = 4\nwafer.swap_every_steps = 5\n"), 24);
  WaferRun run(sputtering(LostAtoms::drop), MPI_COMM_WORLD);
  WaferSimulation& s = run.simulation;
  const std::int64_t atoms = s.atoms();
  for (int k = 0; k < 30; ++k) s.step(k == 29);
  EXPECT_EQ(s.atoms(), atoms - 1);
  EXPECT_EQ(s.all_atoms().configuration.atoms.size(), static_cast<std::size_t>(atoms - 1));
  EXPECT_NEAR(s.ledger().lost_ev, 3000.0, 50.0);
  EXPECT_FALSE(s.momentum_is_kept());
  EXPECT_EQ(s.missed_now(), 0);
}

TEST(LostAtoms, StayAwayWhenARunGoesOn) {
  const std::string path = std::filesystem::temp_directory_path() / "wafermark_test_wafer_lost.h5";
  for (const int before : {10, 15}) {
    WaferRun whole(sputtering(LostAtoms::drop), MPI_COMM_WORLD), again(whole.what, MPI_COMM_WORLD);
    for (int k = 0; k < before; ++k) whole.simulation.step(false);
    whole.simulation.save(path, "", "", {});
    again.simulation.resume(path);
    EXPECT_EQ(again.simulation.atoms(), whole.simulation.atoms());
    for (int k = before; k < 25; ++k) {
      whole.simulation.step(k == 24);
      again.simulation.step(k == 24);
    }
    const auto a = whole.simulation.all_atoms(), b = again.simulation.all_atoms();
    EXPECT_EQ(a.configuration.atoms.id, b.configuration.atoms.id);
    EXPECT_EQ(a.configuration.atoms.x, b.configuration.atoms.x);
    EXPECT_EQ(a.configuration.atoms.v, b.configuration.atoms.v);
    EXPECT_EQ(whole.simulation.ledger().lost_ev, again.simulation.ledger().lost_ev);
    EXPECT_EQ(whole.simulation.ledger().expected_ev(), again.simulation.ledger().expected_ev());
    EXPECT_EQ(whole.simulation.clock_cycles(), again.simulation.clock_cycles());
  }
  std::filesystem::remove(path);
}

TEST(Decomposition, HeatMapIsTheSameOnAnyNumberOfRanks) {
  const Case what = wafer_case("[4, 4, 2]", "[\"periodic\", \"open\", \"open\"]",
                               "adaptive_timestep = {max_displacement_angstrom = 0.02, max_ps = 0.002}\n");
  WaferRun parts(what, MPI_COMM_WORLD);
  const std::string path = std::filesystem::temp_directory_path() / "wafermark_test_wafer_maps";
  if (parts.comm.is_root()) std::filesystem::create_directories(path);
  parts.comm.barrier();
  for (int k = 0; k < 3; ++k) parts.simulation.step(false);
  parts.simulation.write_files(path);
  parts.comm.barrier();
  if (parts.comm.is_root()) {
    WaferRun whole(what, MPI_COMM_SELF);
    for (int k = 0; k < 3; ++k) whole.simulation.step(false);
    const Hdf5File file = Hdf5File::open(whole.comm, path + "/wafer.h5");
    const auto& grid = whole.simulation.plan().grid;
    const auto height = static_cast<std::uint64_t>(grid.height),
               width = static_cast<std::uint64_t>(grid.width);
    EXPECT_EQ(file.read<std::int64_t>("/busy", {height, 0, height}, width), whole.simulation.record().busy());
    for (const auto& [link, words] : whole.simulation.executor().link_words().by_name())
      EXPECT_EQ(file.read<std::int64_t>("/words/" + link, {height, 0, height}, width), words) << link;
    // Computing is what the phases of computing add up to.
    std::vector<std::int64_t> sum(static_cast<std::size_t>(grid.tiles()), 0);
    for (const auto& phase : whole.simulation.record().summarize()) {
      if (phase.kind != wse::PhaseKind::compute) continue;
      const auto cycles = file.read<std::int64_t>("/phases/" + phase.name, {height, 0, height}, width);
      for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += cycles[k];
    }
    EXPECT_EQ(sum, whole.simulation.record().busy());
    std::filesystem::remove_all(path);
  }
}

TEST(Decomposition, RunGoesOnFromACheckpointBitForBitOnOtherBlocks) {
  const Case what = wafer_case("[4, 4, 2]", all_open,
                               "adaptive_timestep = {max_displacement_angstrom = 0.02, max_ps = 0.002}\n"
                               "wafer.swap_every_steps = 4\nwafer.time_step_every_steps = 4\n");
  WaferRun parts(what, MPI_COMM_WORLD);
  const std::string path = std::filesystem::temp_directory_path() / "wafermark_test_wafer_checkpoint.h5";
  for (int k = 0; k < 7; ++k) parts.simulation.step(false);
  parts.simulation.save(path, "", "", {});
  parts.comm.barrier();
  if (compares(parts.comm)) {
    WaferRun resumed(what, MPI_COMM_SELF), whole(what, MPI_COMM_SELF);
    resumed.simulation.resume(path);
    for (int k = 0; k < 7; ++k) whole.simulation.step(false);
    EXPECT_EQ(resumed.simulation.clock_cycles(), whole.simulation.clock_cycles());
    for (int k = 0; k < 6; ++k) {
      resumed.simulation.step(k == 5);
      whole.simulation.step(k == 5);
    }
    const State a = state(resumed.simulation), b = state(whole.simulation);
    EXPECT_EQ(a.atoms.configuration.atoms.x, b.atoms.configuration.atoms.x);
    EXPECT_EQ(a.atoms.forces, b.atoms.forces);
    EXPECT_EQ(a.cycles, b.cycles);
    EXPECT_EQ(a.total_ev, b.total_ev);
    EXPECT_EQ(a.error_ev, b.error_ev);
  }
  parts.comm.barrier();
  if (parts.comm.is_root()) std::filesystem::remove(path);
}

}  // namespace

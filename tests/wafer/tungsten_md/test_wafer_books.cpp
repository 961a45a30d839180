// What a run reports, for every option, against the program's own parts: no cycle, word or joule is lost or
// invented, and all are those of the tiles that the option takes.
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "common/results/result.hpp"
#include "wafer_case.hpp"

using namespace wafermark;
using namespace wafermark::tungsten;

namespace {

const std::string adaptive = "adaptive_timestep = {max_displacement_angstrom = 0.02, max_ps = 0.002}\n",
                  bath = "thermostat = {kind = \"langevin\", temperature_k = 300.0}\n",
                  stopping =
                      "stopping = {kind = \"sqrt\", coefficient_sqrt_ev_per_angstrom = 0.2167, "
                      "cutoff_energy_ev = 0.05}\n";
/// What the later published runs are compared with.
const std::string records =
    "wafer.list_reuse_steps = 4\nwafer.squared_tables = true\nwafer.fused_density = true\n"
    "wafer.blocking_receives = true\n";
const std::string untested_lists = "wafer.untested_lists = true\n";
const std::string alloy = "potential = {model = \"zhou_2004\", elements = [\"W\", \"Ta\"]}\n";
const std::string options[] = {
    "",
    "wafer.list_reuse_steps = 4\n",
    "wafer.force_symmetry = true\n",
    "wafer.tiles_per_atom = 4\n",
    "wafer.list_reuse_steps = 4\nwafer.force_symmetry = true\n",
    "wafer.list_reuse_steps = 4\nwafer.tiles_per_atom = 4\n",
    "wafer.swap_every_steps = 3\n",
    adaptive,
    bath,
    stopping,
    "wafer.changes = [\"core.step_overhead_cycles.value=50\"]\n",
    "wafer.squared_tables = true\n",
    "wafer.fused_density = true\n",
    "wafer.fused_density = true\nwafer.list_reuse_steps = 4\n",
    "wafer.fused_density = true\nwafer.squared_tables = true\nwafer.force_symmetry = true\n",
    "wafer.blocking_receives = true\nwafer.force_symmetry = true\nwafer.swap_every_steps = 3\n",
    adaptive + "wafer.time_step_every_steps = 4\n",
    records,
    records + untested_lists,
    records + untested_lists + "wafer.force_symmetry = true\n",
    records + untested_lists + "wafer.tiles_per_atom = 4\nwafer.swap_every_steps = 3\n" + adaptive + bath +
        stopping,
    "wafer.tiles_per_atom = 4\nwafer.swap_every_steps = 3\n" + adaptive + bath + stopping,
    alloy + "wafer.swap_every_steps = 3\n" + bath,
    alloy + records + untested_lists,
    "wafer.layer_cells = 1\n",
    "wafer.layer_cells = 2\nwafer.swap_every_steps = 3\n" + adaptive + records};
constexpr int steps = 9;

/// A few steps with these options; made once for all tests.
WaferRun& run_with(const std::string& asked) {
  static std::map<std::string, std::unique_ptr<WaferRun>> runs;
  auto& run = runs[asked];
  if (!run) {
    const Case what = wafer_case("[6, 6, 4]", "[\"open\", \"periodic\", \"open\"]", asked);
    const PotentialTables potential = what.load_potential();
    Configuration start = crystal_of(what, potential);
    if (potential.elements.size() > 1) start = as_alloy(start, potential);
    run = std::make_unique<WaferRun>(what, start, potential);
    for (int k = 0; k < steps; ++k) run->simulation.step(false);
  }
  return *run;
}

class Books : public testing::TestWithParam<std::string> {
 protected:
  bool four() const { return run_.simulation.plan().settings.tiles_per_atom == 4; }
  /// Steps in which the time step was limited anew.
  std::int64_t limits() const {
    const int every = run_.simulation.plan().settings.time_step_every;
    return (steps + every - 1) / every;
  }
  std::int64_t atoms() const { return run_.simulation.atoms(); }
  const wse::Executor& books() const { return run_.simulation.executor(); }
  WaferRun& run_ = run_with(GetParam());
};

TEST_P(Books, HoldEveryCycleOfEveryTile) {
  const auto& plan = run_.simulation.plan();
  EXPECT_EQ(plan.grid.tiles(), (four() ? 4 : 1) * plan.layout.tiles());
  EXPECT_EQ(static_cast<std::int64_t>(books().clocks().size()), plan.grid.tiles());
  double sum = 0.0, clocks = 0.0;
  for (const auto& phase : books().record().summarize()) sum += steps * phase.mean;
  for (std::size_t tile = 0; tile < books().clocks().size(); ++tile)
    clocks += static_cast<double>(books().clocks()[tile]);
  EXPECT_NEAR(sum, clocks / static_cast<double>(plan.grid.tiles()), 1e-9 * sum);
}

TEST_P(Books, BookPatternsAsMovingAndWaitingAndSectionsAsComputing) {
  const auto& plan = run_.simulation.plan();
  const TileItems none(1);
  const wse::Program program = tile_step(plan, none, nullptr);
  std::map<std::string, wse::PhaseKind> kinds;
  for (const auto& phase : books().record().summarize()) kinds[phase.name] = phase.kind;
  for (const wse::Phase& phase : program.phases()) {
    if (phase.pattern() == nullptr && phase.work().empty()) continue;  // the host's
    EXPECT_EQ(kinds.at(phase.name()),
              phase.pattern() != nullptr ? wse::PhaseKind::fabric : wse::PhaseKind::compute)
        << phase.name();
  }
  EXPECT_EQ(kinds.at("wait_for_neighbours"), wse::PhaseKind::wait);
}

TEST_P(Books, CountTheWordsOfAllPatternsOnTheLinksOfTheMachinesTiles) {
  const auto& plan = run_.simulation.plan();
  wse::LinkWords words(run_.comm, wse::Blocks(run_.comm, plan.grid));
  const auto add = [&](const wse::Pattern& pattern, std::int64_t times) {
    pattern.add_words(plan.machine.fabric, times, words);
  };
  add(*plan.positions, steps);
  add(*plan.slopes, steps);
  add(*plan.layers_positions, steps * plan.layout.layers_each_side);
  add(*plan.layers_slopes, steps * plan.layout.layers_each_side);
  if (plan.settings.force_symmetry) add(*plan.partners_forces, steps);
  if (four()) add(*plan.joined_densities, steps);
  if (four()) add(*plan.joined_forces, steps);
  if (plan.adaptive) add(*plan.least_time_step, limits());
  if (plan.settings.swap_every > 0) add(*plan.choices, (steps - 1) / 3);
  if (plan.settings.swap_every > 0) add(*plan.swapped_atoms, 1);
  if (plan.settings.swap_every > 0 && plan.tables.elements.size() > 1) {
    add(*plan.types, (steps - 1) / 3);
    add(*plan.swapped_tables, 1);
  }
  EXPECT_EQ(books().link_words().by_name(), words.by_name());
}

TEST_P(Books, PriceWhatTheTilesDid) {
  const auto& plan = run_.simulation.plan();
  const SectionCounts& c = plan.counts;
  const std::int64_t new_lists = (steps + plan.settings.list_reuse - 1) / plan.settings.list_reuse;
  const auto of_atoms = steps * atoms();
  EXPECT_EQ(books().items("integration"), of_atoms);
  EXPECT_EQ(books().items("embedding"), of_atoms);
  const TileLayout& layout = plan.layout;
  const auto span = [&](int at, int tiles, bool ring) {
    return ring ? 2 * layout.reach + 1
                : std::min(tiles - 1, at + layout.reach) - std::max(0, at - layout.reach) + 1;
  };
  std::int64_t candidates = 0;
  for (int layer = 0; layer < layout.layers(); ++layer)
    for (int y = 0; y < layout.grid.height; ++y)
      for (int x = 0; x < layout.grid.width; ++x)
        if (layout.atom_on(x, y, layer) >= 0)
          candidates += span(x, layout.grid.width, layout.grid.ring[0]) *
                            span(y, layout.grid.height, layout.grid.ring[1]) * layout.layers_seen(layer) -
                        1;
  EXPECT_EQ(books().items("distances"), new_lists * candidates);
  const auto& settings = plan.settings;
  const bool fused = settings.fused_density, untested = settings.untested_lists,
             lasting = settings.list_reuse > 1;
  const auto neighbours = books().items("densities"), pairs = books().items("forces");
  const auto entered =
      books().items("neighbour_list", 1) + (fused && !untested ? books().items("densities", 2) : 0);
  // Looked at by the loop over densities, where it is fused: what is listed, or all candidates.
  const auto found = fused && !untested ? books().items("densities", 1) : 0;
  const auto listed = books().items("listed_distances") + (lasting ? found : 0);
  const auto tested = lasting || !fused ? new_lists * candidates : found;
  const auto& density = untested ? c.untested_density : fused ? c.density_in_test : c.density;
  EXPECT_EQ(tested, new_lists * candidates);
  EXPECT_GT(neighbours, 20 * of_atoms / 2);
  if (plan.settings.force_symmetry)
    EXPECT_EQ(2 * pairs, neighbours);  // each of a pair is the partner of the other
  else
    EXPECT_EQ(pairs, neighbours);
  wse::OperationCounts vector = c.distance;
  vector[wse::Operation::load] = 2 * vector.instructions();
  vector[wse::Operation::store] = vector.instructions();
  wse::OperationCounts all = new_lists * candidates * vector + tested * c.test + entered * c.enter +
                             listed * c.listed + neighbours * density + pairs * c.force +
                             of_atoms * (c.embedding + c.integration);
  if (plan.adaptive) all += limits() * atoms() * c.time_step;
  const auto slowed = books().items("stopping");
  if (plan.stopping) all += slowed * c.slow + (of_atoms - slowed) * c.not_slow;
  if (plan.heat_bath) all += of_atoms * c.bath;
  all += books().items("swaps") * c.swap_partner;
  const double joules = wse::operation_joules(plan.machine, all) +
                        1e-12 * plan.machine.hop_pj * static_cast<double>(books().link_words().word_hops());
  EXPECT_NEAR(books().dynamic_joules(), joules, 1e-9 * joules);
}

TEST_P(Books, AreWhatTheResultSays) {
  Result result(run_.comm, "tungsten_md", "books", "wafer");
  RunLoop loop;
  loop.steps = steps;
  loop.seconds = 1.0;
  run_.simulation.report(result, loop);
  const auto json = result.json();
  const auto figure = [&](const std::string& name) {
    for (const auto& f : json["figures"])
      if (f["name"] == name) return f["value"].get<double>();
    ADD_FAILURE() << name;
    return 0.0;
  };
  const auto& plan = run_.simulation.plan();
  const auto cycles = static_cast<double>(run_.simulation.clock_cycles());
  const auto words = books().link_words().summarize();
  const double seconds = cycles / plan.machine.clock_hz, idle = plan.machine.idle_watts * seconds;
  EXPECT_NEAR(figure("words_per_link_mean"), words.mean / steps, 1e-9 * words.mean);
  EXPECT_NEAR(figure("words_per_link_max"), words.max / steps, 1e-9 * words.max);
  EXPECT_NEAR(figure("joules_per_step"), (idle + books().dynamic_joules()) / steps, 1e-9);
  EXPECT_NEAR(figure("utilisation"), books().utilisation(0), 1e-12);
  EXPECT_GT(json["wafer"]["sensitivity"].size(), 5u);
  for (const auto& f : json["figures"])
    if (const std::string name = f["name"]; name == "steps_per_second" || name == "joules_per_step") {
      EXPECT_LT(f["band"][0], 0.97 * f["band"][1].get<double>()) << name;
      EXPECT_LE(f["band"][0], f["value"]) << name;
      EXPECT_GE(f["band"][1], f["value"]) << name;
    }
  EXPECT_EQ(json["wafer"]["tiles"], (nlohmann::json{plan.grid.width, plan.grid.height}));
}

// Bands rest on it: what the books say of another machine is what a run there takes.
TEST_P(Books, ArePricedForAnotherMachine) {
  if (GetParam().find("wafer.changes") != std::string::npos) GTEST_SKIP() << "has a machine of its own";
  const std::string slower =
      "wafer.changes = [\"cycles.branch.value=4\", \"core.vector_startup_cycles.value=45\", "
      "\"core.task_start_cycles.value=60\"]\n";
  const auto& there = run_with(slower + GetParam()).simulation;
  const auto cycles = static_cast<double>(there.clock_cycles());
  EXPECT_NEAR(books().cycles_on(there.plan().machine, 0), cycles, 0.06 * cycles);  // waiting is estimated
  const auto here = static_cast<double>(run_.simulation.clock_cycles());
  EXPECT_NEAR(books().cycles_on(run_.simulation.plan().machine, 0), here, 0.001 * here);
  EXPECT_GT(cycles, 1.05 * here);
}

TEST(Utilisation, FallsWhenTilesOnlyWaitAndMoveWords) {
  const auto of = [](const std::string& more) { return run_with(more).simulation.executor().utilisation(0); };
  EXPECT_LT(of(adaptive), of(""));
  // A slower fabric computes no more, and waits longer.
  EXPECT_LT(of("wafer.changes = [\"fabric.hop_cycles.value=20\"]\n" + adaptive), of(adaptive));
}

INSTANTIATE_TEST_SUITE_P(Options, Books, testing::ValuesIn(options));

}  // namespace

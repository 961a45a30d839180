#include "tungsten_md/commands/validate.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <memory>

#include "common/errors.hpp"
#include "common/folder_lock.hpp"
#include "common/option_checks.hpp"
#include "common/results/validation_table.hpp"
#include "tungsten_md/commands/deck_options.hpp"
#include "tungsten_md/commands/start_state.hpp"
#include "tungsten_md/wafer/wafer_simulation.hpp"
#include "wse_emulator/fabric/reduction.hpp"
#include "wse_emulator/published.hpp"

namespace wafermark::tungsten {
namespace {

struct ValidateOptions {
  std::string decks = "inputs/tungsten", out;
  DeckOptions options;
  int steps = 10;
};

// All published figures are of one machine, by its name in inputs/wafers.
constexpr const char* published_machine = "wse2";

namespace published = wse::published;
constexpr double tolerance = 0.15;
constexpr std::size_t most_influences = 10;

constexpr double reduction_tolerance = 0.04;

// The ways in which this program comes to the later records. What theirs did beside reusing lists is not
// published in detail: the two records are checked, the rates on the way to them are shown.
struct LaterRun {
  std::string name;
  std::vector<std::string> options;
  double steps_per_second = 0.0;  ///< 0: not published
};
constexpr double record_tolerance = 0.10;
constexpr int list_steps = 10;  // that a list serves in these

std::vector<LaterRun> later_runs() {
  const std::vector<LaterRun> ways{{"tables over r^2", {"wafer.squared_tables=true"}},
                                   {"one loop finds and adds", {"wafer.fused_density=true"}},
                                   {"blocking receives", {"wafer.blocking_receives=true"}},
                                   {"lists without a test", {"wafer.untested_lists=true"}}};
  std::vector<LaterRun> runs{
      {"symmetric forces", {"wafer.force_symmetry=true"}},
      {"lists for 10 steps, symmetric forces", {"wafer.list_reuse_steps=10", "wafer.force_symmetry=true"}},
      {"lists for 10 steps", {"wafer.list_reuse_steps=10"}}};
  const auto add = [&](std::string name, const std::vector<std::string>& before, const std::string& option) {
    runs.push_back({std::move(name), before});
    runs.back().options.push_back(option);
  };
  for (const LaterRun& way : ways) add(way.name, runs.back().options, way.options.front());
  runs.back().steps_per_second = published::later_steps_per_second;
  const std::vector<std::string> four{"wafer.tiles_per_atom=4", "structure.cells=[128, 130, 6]"};
  runs.push_back({"four tiles an atom, 199,680 atoms", four});
  add("four tiles, lists for 10 steps", four, "wafer.list_reuse_steps=10");
  // A quarter of a list ends unevenly: without a test the fullest takes longer.
  for (std::size_t k = 0; k + 1 < ways.size(); ++k)
    add("four tiles, " + ways[k].name, runs.back().options, ways[k].options.front());
  runs.back().steps_per_second = published::four_tiles_steps_per_second;
  return runs;
}

struct Predicted {
  double steps_per_second;
  std::int64_t missed_interactions;
  wse::Band band;  ///< of the rate
};

std::string deck_of(const published::MetalSlab& slab) { return fmt::format("sc24_{}.toml", slab.metal); }
const published::MetalSlab& tantalum = published::metal_slabs.front();

Case read_case(const ValidateOptions& o, const std::string& file,
               const std::vector<std::string>& changes = {}) {
  Deck deck = o.options.read((std::filesystem::path(o.decks) / file).string(), changes);
  deck.set("--steps", std::to_string(o.steps), "run.steps", std::int64_t{o.steps});
  return Case::read(deck);
}

/// Runs a deck and hands the simulation to `look`.
template <class Look>
Predicted predict(const Communicator& comm, const ValidateOptions& o, const Case& what, const Look& look) {
  const PotentialTables potential = what.load_potential();
  RegionTimes times;
  const Communicator alone(MPI_COMM_SELF);
  WaferSimulation simulation(comm, what, TilePlan::make(comm, what, potential),
                             starting_state(alone, what, potential), times);
  for (int k = 0; k < o.steps; ++k) simulation.step(false);
  look(simulation);
  return {simulation.plan().machine.clock_hz * o.steps / static_cast<double>(simulation.clock_cycles()),
          simulation.missed().interactions, simulation.time_band().inverse()};
}

/// The three terms of the authors' cost model, from the plan of a deck.
void split(ValidationTable& table, const TilePlan& plan, const std::string& metal) {
  const double ns = 1e9 / plan.machine.clock_hz;
  const StepCode& code = plan.code;
  const std::int64_t c = plan.layout.candidates();
  const auto cycles = [&](const wse::Pattern& pattern) {
    return static_cast<double>(pattern.cycles(plan.machine.fabric, plan.grid));
  };
  const double tasks = plan.machine.task_start_cycles * (plan.positions->tasks() + plan.slopes->tasks());
  const double per_candidate = (cycles(*plan.positions) + cycles(*plan.slopes) + code.distance.cycles(c) -
                                code.distance.startup_cycles()) /
                                   static_cast<double>(c) +
                               code.test.cycles(1);
  const double per_interaction = code.density.cycles(1) + code.force.cycles(1) + code.enter.cycles(1);
  const double fixed = code.distance.startup_cycles() + tasks + plan.machine.step_overhead_cycles +
                       code.embedding.cycles(1) + code.integration.cycles(1);
  table.row(metal + ": a candidate", "candidate_ns_" + metal, ns * per_candidate, published::candidate_ns,
            tolerance, "ns");
  table.row(metal + ": an interaction", "interaction_ns_" + metal, ns * per_interaction,
            published::interaction_ns, tolerance, "ns");
  table.row(metal + ": the rest of a step", "fixed_ns_" + metal, ns * fixed, published::step_ns, tolerance,
            "ns");
}

/// The published decks on the machine: the authors' rates and their cost model. Returns Ta's.
Predicted compare_published(const Communicator& comm, const ValidateOptions& o, ValidationTable& table,
                            Result& result) {
  Predicted ta{};
  for (const auto& run : published::metal_slabs) {
    std::string name;
    const auto look = [&](const WaferSimulation& simulation) {
      const TilePlan& plan = simulation.plan();
      table.row(fmt::format("{}: b", run.metal), fmt::format("b_{}", run.metal), plan.layout.reach, run.reach,
                0.0, "tiles");
      split(table, plan, run.metal);
      result.set_section(fmt::format("phases_{}", run.metal), simulation.record().summary_json());
      name = plan.machine.name;
    };
    const Predicted p = predict(comm, o, read_case(o, deck_of(run)), look);
    if (&run == &tantalum) result.begin(comm, o.out);  // the input is found good
    table.row(fmt::format("{}: steps per second", run.metal), fmt::format("steps_per_second_{}", run.metal),
              p.steps_per_second, run.steps_per_second, tolerance, "1/s", p.band.of(p.steps_per_second));
    result.set_section(fmt::format("sensitivity_{}", run.metal), p.band.sensitivity());
    result.add_figure(fmt::format("steps_per_second_{}", run.metal), p.steps_per_second, "1/s",
                      Kind::emulated, name, p.band.of(p.steps_per_second));
    result.add_check(fmt::format("missed_interactions_{}", run.metal),
                     static_cast<double>(p.missed_interactions), 0.0, 0.0, "");
    if (&run == &tantalum) ta = p;
  }
  return ta;
}

/// Ta with the options of later versions, beside what those reached where the machine is theirs.
void compare_later(const Communicator& comm, const ValidateOptions& asked, double ta, bool same_machine,
                   ValidationTable& table, Result& result) {
  ValidateOptions o = asked;  // whole lives of lists: the first step of each makes it
  o.steps = (asked.steps + list_steps - 1) / list_steps * list_steps;
  if (comm.is_root()) fmt::print("Ta with the options of later versions, each with those above it:\n");
  for (const LaterRun& run : later_runs()) {
    Predicted p{};
    try {
      p = predict(comm, o, read_case(o, deck_of(tantalum), run.options), [](const WaferSimulation&) {});
    } catch (const InputError& e) {  // another machine may be too small for the published slab
      if (same_machine) throw;
      if (comm.is_root()) fmt::print("{:<44} {}\n", run.name, e.what());
      continue;
    }
    const auto band = p.band.of(p.steps_per_second);
    if (run.steps_per_second > 0.0)
      table.row(run.name, "steps_per_second_Ta, " + run.name, p.steps_per_second, run.steps_per_second,
                record_tolerance, "1/s", band);
    else if (comm.is_root())
      fmt::print("{:<44} {:>12.6g} 1/s, {:.2f} x\n", run.name, p.steps_per_second, p.steps_per_second / ta);
    result.add_figure("steps_per_second_Ta, " + run.name, p.steps_per_second, "1/s", Kind::emulated,
                      run.steps_per_second > 0.0 && same_machine
                          ? fmt::format("published {:.6g} 1/s", run.steps_per_second)
                          : "no published figure",
                      band);
    result.add_check("missed_interactions_Ta, " + run.name, static_cast<double>(p.missed_interactions), 0.0,
                     0.0, "");
  }
}

int validate(const ValidateOptions& o) {
  const Communicator comm;
  wse::Machine machine;
  for (const auto& run : published::metal_slabs) machine = machine_of(read_case(o, deck_of(run)).wafer);
  for (const LaterRun& run : later_runs()) read_case(o, deck_of(tantalum), run.options);
  prepare_output_directory(comm, o.out);
  const FolderLock lock(comm, o.out, "--out");
  Result result(comm, "tungsten_md", "validate", o.options.target);
  auto used = machine.record();
  used["changes_to_decks"] = o.options.sets;
  result.set_section("wafer", used);
  const bool same_machine = machine.name == published_machine;
  ValidationTable table(result, comm.is_root(),
                        same_machine ? "" : fmt::format("no published figure for {}", machine.name));
  const Predicted ta = compare_published(comm, o, table, result);
  for (const auto& r : published::two_phase_reductions)
    table.row(fmt::format("two-phase reduction, groups of {}", r.group),
              fmt::format("two_phase_cycles_{}", r.group),
              static_cast<double>(wse::two_phase_reduce_cycles(machine.fabric, published::reduction_tiles,
                                                               published::reduction_words, r.group)),
              r.cycles, reduction_tolerance, "cycles");
  compare_later(comm, o, ta.steps_per_second, same_machine, table, result);
  if (comm.is_root())
    fmt::print("What Ta's rate hangs on: numbers of the machine, each alone at the ends of its range:\n{}",
               ta.band.table(most_influences));
  result.write(comm, o.out);
  if (comm.is_root()) fmt::print("result: {}/result.json\n", o.out);
  if (!result.all_checks_pass()) throw CheckFailure("outside their tolerance: " + result.failed_checks());
  return 0;
}

}  // namespace

void add_validate_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand("validate", "Compare the emulated wafer with published measurements");
  auto o = std::make_shared<ValidateOptions>();
  o->options.add_to(*command, {"wafer"});
  command->add_option("--decks", o->decks, "folder of sc24_Ta.toml, sc24_Cu.toml and sc24_W.toml")
      ->check(not_empty("a folder"))
      ->capture_default_str();
  command
      ->add_option("--steps", o->steps,
                   "time steps of each run; of the later versions' runs the next whole ten")
      ->transform(whole_number_in({1, 1e9}))
      ->capture_default_str();
  command->add_option("--out", o->out, "folder for result.json")->required()->check(not_empty("a folder"));
  command->callback([o, &action] { action = [o] { return validate(*o); }; });
}

}  // namespace wafermark::tungsten

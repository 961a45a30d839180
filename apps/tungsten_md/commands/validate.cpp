#include "tungsten_md/commands/validate.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <memory>

#include "common/errors.hpp"
#include "common/results/result.hpp"
#include "tungsten_md/commands/start_state.hpp"
#include "tungsten_md/wafer/wafer_simulation.hpp"
#include "wse_emulator/fabric/reduction.hpp"

namespace wafermark::tungsten {
namespace {

struct Options {
  std::string decks = "inputs/tungsten", out, target = "wafer";
  std::vector<std::string> overrides;
  int steps = 10;
};

// Santos et al., SC24 (arXiv 2405.07898): measured steps/s on a CS-2, and the authors' cost model, which reproduces
// them within 3 %: 26.6 ns a candidate, 71.4 ns an interaction, 574 ns a step.
struct PublishedRun {
  const char *deck, *metal;
  double steps_per_second;
  int b, candidates;
};
constexpr PublishedRun published[] = {{"sc24_Ta.toml", "Ta", 274016, 4, 80},
                                      {"sc24_Cu.toml", "Cu", 106313, 7, 224},
                                      {"sc24_W.toml", "W", 96140, 7, 224}};
constexpr double candidate_ns = 26.6, interaction_ns = 71.4, fixed_ns = 574.0;
constexpr double tolerance = 0.15;

// Luczynski et al., HPDC'24: measured cycles of two-phase reductions of 4,096 words over 512 tiles, by group size.
struct PublishedReduction {
  int group;
  double cycles;
};
constexpr PublishedReduction reductions[] = {{2, 10055}, {8, 9117}, {32, 8973}, {128, 9297}, {512, 7218}};
constexpr double reduction_tolerance = 0.04;

class Table {
 public:
  Table(Result& result, bool visible) : result_(result), visible_(visible) {
    if (visible_) fmt::print("{:<34} {:>12} {:>12} {:>9} {:>10}\n", "", "predicted", "published", "off", "tolerance");
  }
  void row(const std::string& name, const std::string& figure, double predicted, double value, double within,
           const std::string& unit) {
    if (visible_)
      fmt::print("{:<34} {:>12.6g} {:>12.6g} {:>+8.1f}% {:>9.0f}%  {}\n", name, predicted, value,
                 100.0 * (predicted / value - 1.0), 100.0 * within, unit);
    result_.add_check(figure, predicted, value, within * value, unit);
  }

 private:
  Result& result_;
  bool visible_;
};

/// The three terms of the authors' cost model, from the plan of a deck.
void split(Table& table, const TilePlan& plan, const std::string& metal) {
  const double ns = 1e9 / plan.machine.clock_hz;
  const auto& cost = plan.cost;
  const std::int64_t c = plan.layout.candidates();
  const double startup = cost.distance(0);
  const double per_candidate = static_cast<double>(plan.position_cycles() + plan.slope_cycles()) / static_cast<double>(c) +
                               (cost.distance(c) - startup + cost.list(c, 0)) / static_cast<double>(c);
  const double per_interaction = cost.density(1) + cost.force(1) + cost.list(0, 1);
  const double fixed = startup + plan.control_cycles() + cost.embedding() + cost.integration();
  table.row(metal + ": a candidate", "candidate_ns_" + metal, ns * per_candidate, candidate_ns, tolerance, "ns");
  table.row(metal + ": an interaction", "interaction_ns_" + metal, ns * per_interaction, interaction_ns, tolerance, "ns");
  table.row(metal + ": the rest of a step", "fixed_ns_" + metal, ns * fixed, fixed_ns, tolerance, "ns");
}

int validate(const Options& o) {
  const Communicator comm;
  prepare_output_directory(comm, o.out);
  Result result(comm, "tungsten_md", "validate", "wafer");
  Table table(result, comm.is_root());
  std::vector<double> ratios;
  for (const auto& run : published) {
    auto overrides = o.overrides;
    overrides.push_back(fmt::format("run.steps={}", o.steps));
    Deck deck = Deck::read((std::filesystem::path(o.decks) / run.deck).string(), overrides);
    const Case what = Case::read(deck);
    const PotentialTables potential = what.load_potential();
    RegionTimes times;
    const Communicator alone(MPI_COMM_SELF);
    WaferSimulation simulation(comm, what, potential, starting_state(alone, what, potential), times);
    for (int k = 0; k < o.steps; ++k) simulation.step(false);
    const double rate = simulation.plan().machine.clock_hz * o.steps / static_cast<double>(simulation.clock_cycles());
    table.row(fmt::format("{}: steps per second", run.metal), fmt::format("steps_per_second_{}", run.metal), rate,
              run.steps_per_second, tolerance, "1/s");
    result.add_figure(fmt::format("steps_per_second_{}", run.metal), rate, "1/s", Kind::emulated, simulation.plan().machine.name);
    table.row(fmt::format("{}: b", run.metal), fmt::format("b_{}", run.metal), simulation.plan().layout.reach, run.b, 0.0, "tiles");
    split(table, simulation.plan(), run.metal);
    result.add_check(fmt::format("missed_interactions_{}", run.metal), static_cast<double>(simulation.missed_interactions()), 0.0, 0.0, "");
    result.set_section(fmt::format("phases_{}", run.metal), simulation.record().summary_json());
    if (run.metal == std::string("Ta")) {
      const auto& fabric = simulation.plan().machine.fabric;
      for (const auto& r : reductions)
        table.row(fmt::format("two-phase reduction, groups of {}", r.group), fmt::format("two_phase_cycles_{}", r.group),
                  static_cast<double>(wse::two_phase_reduce_cycles(fabric, 512, 4096, r.group)), r.cycles,
                  reduction_tolerance, "cycles");
    }
  }
  result.write(comm, o.out);
  if (comm.is_root()) fmt::print("result: {}/result.json\n", o.out);
  if (!result.all_checks_pass()) throw CheckFailure("outside their tolerance: " + result.failed_checks());
  return 0;
}

}  // namespace

void add_validate_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand("validate", "Compare the emulated wafer with published measurements");
  auto o = std::make_shared<Options>();
  command->add_option("--target", o->target, "wafer")->check(CLI::IsMember({"wafer"}))->capture_default_str();
  command->add_option("--decks", o->decks, "folder of sc24_Ta.toml, sc24_Cu.toml and sc24_W.toml")->capture_default_str();
  command->add_option("--steps", o->steps, "time steps of each run")->check(CLI::PositiveNumber)->capture_default_str();
  command->add_option("--set", o->overrides, "key=value, overrides the decks; may be repeated")->take_all()->delimiter('\0');
  command->add_option("--out", o->out, "folder for result.json")->required();
  command->callback([o, &action] { action = [o] { return validate(*o); }; });
}

}  // namespace wafermark::tungsten

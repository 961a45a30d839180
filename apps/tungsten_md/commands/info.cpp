#include "tungsten_md/commands/info.hpp"

#include <fmt/format.h>

#include <memory>

#include "common/errors.hpp"
#include "common/machine_record.hpp"
#include "common/memory.hpp"
#include "common/option_checks.hpp"
#include "tungsten_md/analysis/dose.hpp"
#include "tungsten_md/cluster/force_field.hpp"
#include "tungsten_md/commands/deck_options.hpp"
#include "tungsten_md/commands/events_of_run.hpp"
#include "tungsten_md/commands/run_plan.hpp"
#include "tungsten_md/commands/run_target.hpp"
#include "tungsten_md/commands/start_state.hpp"
#include "tungsten_md/model/uf3.hpp"
#include "tungsten_md/wafer/emulator_memory.hpp"
#include "tungsten_md/wafer/relaxation.hpp"
#include "tungsten_md/wafer/tile_plan.hpp"
#include "wse_emulator/band.hpp"

namespace wafermark::tungsten {
namespace {

struct InfoOptions {
  std::string deck;
  DeckOptions options;
  bool keys = false;
  int ranks = 0;                   ///< 0: those of this run
  double physical_us = 100.0;      ///< of the run plan
  std::vector<std::string> rates;  ///< results whose rates stand in it
};

/// A deck of nothing but what is required, read for the sake of its keys.
std::string keys() {
  Deck deck = Deck::parse(
      "[structure]\nlattice_constant_angstrom = 3.165\ncells = [1, 1, 1]\n[[pka]]\nenergy_ev = 1000\n",
      "keys");
  Case::read(deck);
  return deck.describe();
}

void print_build(const Communicator& comm) {
  const MachineRecord m = MachineRecord::of(comm);
  if (!comm.is_root()) return;
  fmt::print(
      "{}\ncompiler     {} {}{}\nkokkos       {}, {} ({} threads a rank), pair kernels {} values wide\n"
      "mpi          {}, {} ranks on {} hosts\ncpu          {}\n",
      version_line(), m.compiler, m.build_flags, m.cpu_level.empty() ? "" : ": " + m.cpu_level,
      m.kokkos_version, m.backend, m.threads_per_rank, Lanes<native_lanes<float, ExecSpace>>::width,
      m.mpi_library, m.ranks, m.hosts.size(), m.cpu_model);
}

/// How long the deck and a long run take: by these rates, and those of the results that were given.
std::string plan_of(const InfoOptions& o, const Case& what, const std::optional<DoseLength>& dose,
                    std::int64_t atoms, std::vector<MachineRate> rates) {
  for (const std::string& file : o.rates) rates.push_back(read_rate(file, atoms));
  if (rates.empty()) return "";
  const auto count = steps_to_the_end(what, dose);
  return (count ? time_of_steps(count->steps, count->at_least, rates) : "") +
         run_plan(what.run.timestep_ps, o.physical_us, rates);
}

/// Of the energy idle power alone is known before a run: for the SC24 slab of Ta four fifths.
MachineRate predicted_rate(const TilePlan& plan) {
  const wse::Machine& machine = plan.machine;
  const auto seconds = [&](const wse::Machine& on) { return plan.predicted_cycles(on) / on.clock_hz; };
  const double a_step = seconds(machine);
  return {machine.name,
          "predicted",
          1.0 / a_step,
          wse::band_of(machine, seconds).inverse().quoted(1.0 / a_step),
          machine.idle_watts * a_step,
          " of idle power alone"};
}

std::string text_of(const std::optional<DoseLength>& dose, const DoseSettings& settings) {
  if (!dose) return "";
  return fmt::format(
      "dose              {} recoils to {:.4g} dpa, {:.4g} to {:.4g} ps each: {:.4g} to {:.4g} ns{}\n",
      dose->recoils, settings.stop_dpa, dose->least_ps_each, dose->most_ps_each, 1e-3 * dose->least_ps,
      1e-3 * dose->most_ps, settings.saturation_events > 0 ? ", less where saturation ends it" : "");
}

/// A crystal's atoms are counted, not made: a deck of any size is told of at once.
int info_on_ranks(const Communicator& comm, const InfoOptions& o, const Case& what,
                  const PotentialTables& potential) {
  const auto& lattice = what.structure.lattice;
  std::int64_t atoms = 0;
  Box box;
  if (lattice) {
    require_element(what, potential);
    atoms = lattice->size();
    box = lattice->box(what.structure.periodic);
  } else {
    const Configuration start = starting_state(comm, what, potential);
    atoms = comm.sum(static_cast<std::int64_t>(start.atoms.size()));
    box = start.box;
  }
  const int ranks = o.ranks > 0 ? o.ranks : comm.size();
  const RunShape shape = shape_of_run(what, potential, static_cast<double>(atoms), box, ranks);
  const auto dose = length_of_dose(what, potential, atoms);
  const std::string plan = plan_of(o, what, dose, atoms, {});
  if (!comm.is_root()) return 0;
  const auto kind = [&](int axis) { return box.periodic[axis] ? "periodic" : "open"; };
  fmt::print("{}\n", what.title);
  fmt::print("atoms             {}\n", atoms);
  fmt::print("box               {:.6g} x {:.6g} x {:.6g} Angstrom, {} {} {}\n", box.length(0), box.length(1),
             box.length(2), kind(0), kind(1), kind(2));
  if (what.structure.expansion_to_be_measured)
    fmt::print("                  before its thermal expansion, which a run measures first\n");
  fmt::print("potential         {}, cut-off {:.6g} Angstrom, {}\n", potential.format,
             potential.cutoff_angstrom,
             potential.uf3 ? fmt::format("of triplets {:.6g}", potential.uf3->triplet_cutoff())
                           : fmt::format("{} radial points", potential.nr));
  fmt::print("potential file    {}\n", potential.source);
  fmt::print("neighbours        about {:.0f} within cut-off + skin, {:.5g} Angstrom\n", shape.neighbours(),
             shape.list_radius);
  fmt::print("ranks             {} as {} x {} x {}, {:.0f} atoms and {:.0f} ghosts each\n", ranks,
             shape.grid[0], shape.grid[1], shape.grid[2], shape.atoms_of_a_rank(), shape.ghosts_of_a_rank());
  fmt::print("precision         {}, {} neighbour list\n", what.run.precision,
             shape.list == ListKind::half ? "half" : "full");
  fmt::print("memory            about {} a rank; this node has {} to give\n", in_gigabytes(run_bytes(shape)),
             in_gigabytes(free_memory_of_node().bytes));
  fmt::print("{}{}{}", events_of_run(what), text_of(dose, what.dose), plan);
  return 0;
}

int info(const InfoOptions& o) {
  const Communicator comm;
  if (o.deck.empty()) o.options.refuse_without_deck();
  if (o.keys) {
    if (comm.is_root()) fmt::print("{}", keys());
    return 0;
  }
  if (o.deck.empty()) {
    print_build(comm);
    return 0;
  }
  Deck deck = o.options.read(o.deck);
  const Case what = Case::read(deck);
  const PotentialTables potential = what.load_potential();
  if (o.options.target == "wafer") {
    if (o.ranks > 0) throw InputError("--ranks: found --target wafer, expected cluster");
    require_reachable(what.dynamics.relax);
    const TilePlan plan = plan_for(comm, what, potential).plan;
    const std::string long_run = plan_of(o, what, {}, plan.layout.atoms(), {predicted_rate(plan)});
    if (!comm.is_root()) return 0;
    fmt::print("{}\n{}{}", what.title, events_of_run(what), plan.describe());
    fmt::print("memory            about {} a rank to emulate it on {}; this node has {} to give\n",
               in_gigabytes(emulator_bytes(plan, comm.size())), comm.size(),
               in_gigabytes(free_memory_of_node().bytes));
    fmt::print("{}", long_run);
    return 0;
  }
  return info_on_ranks(comm, o, what, potential);
}

}  // namespace

void add_info_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand("info", "What a deck will do; the keys of decks; this build");
  auto o = std::make_shared<InfoOptions>();
  auto* deck = command->add_option("deck", o->deck, "TOML file; without it: this build and machine");
  o->options.add_to(*command, {"cluster", "wafer"});
  command->add_flag("--keys", o->keys, "every key of a deck, its default and its meaning")->excludes(deck);
  command
      ->add_option("--ranks", o->ranks, "tell of a run on so many MPI ranks (those of this run by default)")
      ->transform(whole_number_in({1, 1e8}))
      ->needs(deck);
  command
      ->add_option("--physical-us", o->physical_us,
                   "length of a long run whose time and energy are told of, us")
      ->transform(number_in({0, 1e12, true}))
      ->needs(deck);
  command
      ->add_option(
          "--rates", o->rates,
          "result.json of runs or replays of as many atoms, whose rates the plan of the long run has too")
      ->needs(deck);
  command->callback([o, &action] { action = [o] { return info(*o); }; });
}

}  // namespace wafermark::tungsten

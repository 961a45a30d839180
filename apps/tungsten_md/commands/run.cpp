#include "tungsten_md/commands/run.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <memory>

#include "common/errors.hpp"
#include "common/option_checks.hpp"
#include "common/progress.hpp"
#include "common/results/result.hpp"
#include "common/signals.hpp"
#include "tungsten_md/analysis/lattice_sites.hpp"
#include "tungsten_md/cluster/simulation.hpp"
#include "tungsten_md/commands/deck_options.hpp"
#include "tungsten_md/commands/run_output.hpp"
#include "tungsten_md/commands/start_state.hpp"
#include "tungsten_md/io/checkpoint.hpp"
#include "tungsten_md/wafer/wafer_simulation.hpp"

namespace wafermark::tungsten {
namespace {

struct RunOptions {
  std::string deck, out, restart;
  DeckOptions options;
};

/// Signals and hot atoms are looked for every so many steps: each look is a collective.
constexpr std::int64_t poll_interval = 10;
constexpr double hot_atom_ev = 10.0;

/// The checkpoint to begin from, empty for none: "auto" takes OUT/checkpoint.h5 when it is there.
std::string find_checkpoint(const Communicator& comm, const RunOptions& o) {
  if (o.restart != "auto") return o.restart;
  const std::string path = o.out + "/checkpoint.h5";
  return comm.max(std::filesystem::exists(path) ? 1 : 0) == 1 ? path : "";
}

SimulationState to_state(const Checkpoint& c) {
  return {c.configuration, c.x_reference, c.forces, c.rank_grid, c.numbers, c.counters};
}

Checkpoint to_checkpoint(const SimulationState& s, const std::string& deck,
                         const std::optional<Lattice>& lattice) {
  return {s.configuration, s.x_reference, s.forces, s.rank_grid, s.numbers, s.counters, deck, lattice};
}

/// What defects are counted against: the crystal, or the file's atoms where they began.
std::unique_ptr<ReferenceSites> reference_sites(const Communicator& comm, const Case& what,
                                                const PotentialTables& potential,
                                                const Configuration& start) {
  if (what.output.defects_every == 0) return nullptr;
  if (what.structure.lattice) return std::make_unique<LatticeSites>(*what.structure.lattice, start.box);
  return std::make_unique<StoredSites>(comm, starting_state(comm, what, potential));
}

/// A run on one of the targets, and how its checkpoints are written.
struct Target {
  Configuration start;  ///< the atoms at the beginning of this run
  std::unique_ptr<Dynamics> dynamics;
  std::function<void()> save;
};

/// What both targets are made from. `checkpoint`: a file to go on from, or empty.
struct Setting {
  const Communicator& comm;
  const Case& what;
  const PotentialTables& potential;
  RegionTimes& times;
  std::string checkpoint, save_to, deck;
};

Target on_cluster(const Setting& s) {
  Target target;
  std::unique_ptr<Simulation> simulation;
  if (s.checkpoint.empty()) {
    require_memory_for_run(s.comm, s.what, s.potential);
    target.start = starting_state(s.comm, s.what, s.potential);
    simulation = std::make_unique<Simulation>(s.comm, s.what, s.potential, target.start, s.times);
  } else {
    const Checkpoint from = read_checkpoint(s.comm, s.checkpoint);
    target.start = from.configuration;
    simulation = std::make_unique<Simulation>(s.comm, s.what, s.potential, to_state(from), s.times);
  }
  target.save = [s, running = simulation.get()] {
    write_checkpoint(s.comm, s.save_to, to_checkpoint(running->state(), s.deck, s.what.structure.lattice));
  };
  target.dynamics = std::move(simulation);
  return target;
}

Target on_wafer(const Setting& s) {
  // Every rank knows where all atoms begin: tiles are dealt by the whole crystal.
  const Communicator alone(MPI_COMM_SELF);
  auto simulation = std::make_unique<WaferSimulation>(s.comm, s.what, s.potential,
                                                      starting_state(alone, s.what, s.potential), s.times);
  if (!s.checkpoint.empty()) simulation->resume(s.checkpoint);
  Target target;
  target.start = simulation->configuration();
  target.save = [s, running = simulation.get()] { running->save(s.save_to, s.deck); };
  target.dynamics = std::move(simulation);
  return target;
}

void add_checks(Result& result, const Case& what, const Dynamics& dynamics, const Thermo& first,
                const Thermo& last) {
  result.add_check("energy_balance_per_atom",
                   dynamics.energy_error_ev(last) / static_cast<double>(dynamics.atoms()), 0.0,
                   what.check.energy_tolerance_ev_per_atom, "eV");
  if (dynamics.momentum_is_kept() && last.thermal_momentum > 0.0) {
    double change = 0.0;
    for (std::size_t d = 0; d < 3; ++d)
      change = std::max(change, std::abs(last.momentum[d] - first.momentum[d]));
    result.add_check("momentum_change", change / last.thermal_momentum, 0.0, what.check.momentum_tolerance,
                     "of thermal");
  }
}

int run(const RunOptions& o) {
  const Communicator comm;
  Deck deck = o.options.read(o.deck);
  const Case what = Case::read(deck);
  const PotentialTables potential = what.load_potential();
  prepare_output_directory(comm, o.out);
  const std::string checkpoint = find_checkpoint(comm, o);

  Result result(comm, "tungsten_md", "run", o.options.target);
  result.set_deck(o.deck, deck.to_toml());
  RegionTimes times;
  const Setting setting{comm, what, potential, times, checkpoint, o.out + "/checkpoint.h5", deck.to_toml()};
  const Target target = o.options.target == "wafer" ? on_wafer(setting) : on_cluster(setting);
  const Configuration& start = target.start;
  Dynamics* const simulation = target.dynamics.get();
  const std::int64_t atoms = simulation->atoms(), first_step = simulation->steps_done();
  RunOutput output(comm, what, o.out, start, reference_sites(comm, what, potential, start),
                   !checkpoint.empty());
  output.announce(potential, *simulation);

  const Thermo first = simulation->thermo();
  output.thermo(first, 0.0);
  if (checkpoint.empty()) output.frame(*simulation);
  if (what.output.start_state) output.write_state(*simulation, "start.data");

  const StopRequest stop;
  bool stopped = false;
  std::int64_t hot_border_steps = 0;
  const auto save = [&] {
    target.save();
    output.flush();
  };
  const auto finished = [&] {
    return simulation->steps_done() >= what.run.steps || simulation->time_ps() >= what.run.duration_ps;
  };
  EnergyMeter meter(comm);
  times.clear();
  comm.barrier();
  const double begin = MPI_Wtime();
  {
    // Whichever limit is set tells how far the run is.
    const bool by_time = std::isfinite(what.run.duration_ps);
    Progress progress(by_time ? "ps" : "steps",
                      by_time ? what.run.duration_ps : static_cast<double>(what.run.steps), comm.is_root());
    while (!finished() && !stopped) {
      const std::int64_t next = simulation->steps_done() + 1;
      const bool with_energy = due(next, what.output.thermo_every) || next == what.run.steps;
      simulation->step(with_energy);
      if (with_energy) {
        const Thermo now = simulation->thermo();
        output.thermo(now, simulation->energy_error_ev(now));
        meter.sample();
      }
      output.frame(*simulation);
      if (due(next, poll_interval)) {
        stopped = stop.requested(comm);
        if (!what.dynamics.pkas.empty() &&
            simulation->hot_atoms_at_border(what.dynamics.thermostat.border_width_angstrom, hot_atom_ev) >
                0 &&
            hot_border_steps++ == 0 && comm.is_root())
          fmt::print(stderr,
                     "warning: an atom above {} eV came within {} Angstrom of the box's faces at {:.4g} ps: "
                     "the box is "
                     "too small for this cascade, or the recoil's direction is unlucky\n",
                     hot_atom_ev, what.dynamics.thermostat.border_width_angstrom, simulation->time_ps());
      }
      if (due(next, what.output.checkpoint_every) || stopped) {
        const Region region(times, "checkpoint");
        save();
      }
      progress.update(by_time ? simulation->time_ps() : static_cast<double>(next),
                      fmt::format("step {}, {:.4g} ps", next, simulation->time_ps()));
    }
  }
  comm.barrier();
  const double seconds = comm.max(MPI_Wtime() - begin);
  const EnergyReading energy = meter.read();
  const std::int64_t steps = simulation->steps_done() - first_step;
  if (stopped && !finished()) {
    if (comm.is_root())
      fmt::print("stopped by a signal after step {} ({:.6g} ps); go on with --restart auto\n",
                 simulation->steps_done(), simulation->time_ps());
    return 0;
  }

  simulation->evaluate_energy();
  const Thermo last = simulation->thermo();
  if (output.last_thermo_step() != last.step) output.thermo(last, simulation->energy_error_ev(last));
  output.last_frame(*simulation);
  const double n = static_cast<double>(atoms);
  result.add_figure("atoms", n, "");
  result.add_figure("steps", static_cast<double>(steps), "");
  result.add_figure("simulated_ps", last.time_ps - first.time_ps, "ps");
  result.add_figure("loop_seconds", seconds, "s");
  simulation->report(result, {steps, seconds, energy.joules, energy.note});
  result.add_figure("energy_per_atom_start_ev", first.total_ev() / n, "eV", simulation->kind());
  result.add_figure("energy_per_atom_end_ev", last.total_ev() / n, "eV", simulation->kind());
  result.add_figure("temperature_end_k", last.temperature_k, "K", simulation->kind());
  if (!what.dynamics.pkas.empty())
    result.add_figure("looks_with_hot_atoms_at_border", static_cast<double>(hot_border_steps), "",
                      simulation->kind());
  add_checks(result, what, *simulation, first, last);
  output.add_to(result, *simulation);
  result.set_regions(times.reduce(comm));
  result.set_energy(energy);
  if (!checkpoint.empty()) result.set_section("restarted_from_step", first_step);
  output.flush();
  simulation->write_files(o.out);
  result.write(comm, o.out);
  if (comm.is_root()) fmt::print("{}result: {}/result.json\n", result.summary(), o.out);
  if (!result.all_checks_pass()) throw CheckFailure("checks failed: " + result.failed_checks());
  return 0;
}

}  // namespace

void add_run_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand("run", "Run a deck");
  auto o = std::make_shared<RunOptions>();
  command
      ->add_option("deck", o->deck, "TOML file; inputs/tungsten has examples, `info --keys` lists the keys")
      ->required()
      ->check(not_empty("a deck"));
  command->add_option("--out", o->out, "folder for result.json, trajectory and checkpoints")
      ->required()
      ->check(not_empty("a folder"));
  o->options.add_to(*command, {"cluster", "wafer"});
  command
      ->add_option("--restart", o->restart,
                   "checkpoint to go on from; auto: OUT/checkpoint.h5 when it is there, else from the start")
      ->check(not_empty("a checkpoint, or auto"));
  command->callback([o, &action] { action = [o] { return run(*o); }; });
}

}  // namespace wafermark::tungsten

#include "tungsten_md/commands/run_target.hpp"

#include <fmt/format.h>

#include <type_traits>
#include <utility>

#include "common/errors.hpp"
#include "common/memory.hpp"
#include "tungsten_md/cluster/creation_relaxation.hpp"
#include "tungsten_md/cluster/run_ahead.hpp"
#include "tungsten_md/cluster/simulation.hpp"
#include "tungsten_md/commands/beginning.hpp"
#include "tungsten_md/commands/start_state.hpp"
#include "tungsten_md/io/checkpoint.hpp"
#include "tungsten_md/model/recoils.hpp"
#include "tungsten_md/wafer/emulator_memory.hpp"
#include "tungsten_md/wafer/wafer_simulation.hpp"

namespace wafermark::tungsten {
namespace {

SimulationState to_state(const Checkpoint& c, const std::vector<Recoil>& recoils) {
  return {c.configuration, c.x_reference, c.forces, c.rank_grid, c.numbers,
          c.counters,      c.shares,      c.fields, recoils};
}

Checkpoint to_checkpoint(const SimulationState& s, const std::string& deck,
                         const std::optional<Lattice>& lattice, const nlohmann::json& run) {
  return {s.configuration, s.x_reference, s.forces, s.rank_grid, s.numbers, s.counters,
          s.shares,        s.fields,      deck,     lattice,     run};
}

/// Of the emulated wafer, for the cluster, which makes lists and forces anew.
SimulationState to_state(const CarriedState& c) {
  SimulationState s;
  s.configuration = c.configuration;
  s.x_reference = c.configuration.atoms.x;
  s.numbers = {{"timestep_ps", c.timestep_ps},
               {"initial_ev", c.ledger.initial_ev},
               {"pka_ev", c.ledger.pka_ev},
               {"stopping_ev", c.ledger.stopping_ev},
               {"thermostat_ev", c.ledger.thermostat_ev},
               {"lost_ev", c.ledger.lost_ev}};
  s.counters = {{"pkas_fired", c.pkas_fired}, {"lost_atoms", c.lost_atoms}};
  s.recoils = c.recoils;
  return s;
}

/// Of the cluster, for the emulated wafer: all atoms on every rank.
CarriedState carried(const std::string& path, const nlohmann::json& run) {
  const Communicator alone(MPI_COMM_SELF);
  const Checkpoint c = read_checkpoint(alone, path);
  CarriedState state;
  state.configuration = in_order_of_ids(c.configuration);
  const auto number = [&](const char* name) { return stored(c.numbers, name); };
  const auto counter = [&](const char* name) { return stored(c.counters, name); };
  state.timestep_ps = number("timestep_ps");
  state.ledger.initial_ev = number("initial_ev");
  state.ledger.pka_ev = number("pka_ev");
  state.ledger.stopping_ev = number("stopping_ev");
  state.ledger.thermostat_ev = number("thermostat_ev");
  state.ledger.lost_ev = number("lost_ev");
  state.pkas_fired = counter("pkas_fired");
  state.lost_atoms = counter("lost_atoms");
  state.recoils = recoils_from_json(run.at("recoils"));
  return state;
}

}  // namespace

namespace {

/// A run of either kind of dynamics (Simulation, CreationRelaxation), new or from a checkpoint.
template <class DynamicsOfRun>
Target target_of(const Setting& s) {
  Target target;
  std::unique_ptr<DynamicsOfRun> running;
  if (s.checkpoints.empty()) {
    require_memory_for_run(s.comm, s.what, s.potential);
    target.start = starting_state(s.comm, s.what, s.potential);
    running = std::make_unique<DynamicsOfRun>(s.comm, s.what, s.potential, target.start, s.times, s.relaxing);
  } else {
    Checkpoint from;
    std::optional<CarriedState> of_wafer;
    target.from = take_checkpoint(s.comm, s.checkpoints, s.record, [&](const FoundCheckpoint& found) {
      if (found.of_wafer)
        of_wafer = read_wafer_checkpoint(s.comm, found.path);
      else
        from = read_checkpoint(s.comm, found.path);
    });
    const SimulationState state =
        of_wafer ? to_state(*of_wafer) : to_state(from, recoils_from_json(target.from.at("recoils")));
    target.start = state.configuration;
    running = std::make_unique<DynamicsOfRun>(s.comm, s.what, s.potential, state, s.times);
    if constexpr (std::is_same_v<DynamicsOfRun, Simulation>)
      if (of_wafer) running->balance_anew();
  }
  target.save = [s, saved = running.get()](const nlohmann::json& run) {
    write_checkpoint(s.comm, s.save_to, to_checkpoint(saved->state(), s.deck, s.what.structure.lattice, run));
  };
  target.dynamics = std::move(running);
  return target;
}

}  // namespace

Target on_cluster(const Setting& s) {
  require_launch(s.what, s.potential, s.comm.size());
  return s.what.dose.method == DoseSettings::Method::insertion ? target_of<CreationRelaxation>(s)
                                                               : target_of<Simulation>(s);
}

PlannedWafer plan_for(const Communicator& comm, const Case& what, const PotentialTables& potential) {
  if (what.dose.on())
    throw InputError("dose.method: found an irradiation, expected \"none\" with --target wafer");
  if (what.structure.lattice) {
    require_element(what, potential);
    return {TilePlan::make(comm, what, potential), std::nullopt};
  }
  Configuration start = whole_starting_state(what, potential);
  TilePlan plan = TilePlan::make(comm, what, potential, &start);
  return {std::move(plan), std::move(start)};
}

Target on_wafer(const Setting& s) {
  if (s.checkpoints.empty()) require_reachable(s.what.dynamics.relax);  // else it is done
  auto [plan, start] = plan_for(s.comm, s.what, s.potential);
  require_memory(s.comm, emulator_bytes(plan, s.comm.size()),
                 fmt::format("{} atoms on {} tiles, emulated by {} ranks", plan.layout.atoms(),
                             plan.grid.tiles(), s.comm.size()));
  // Every rank knows where all atoms begin.
  if (!start) start = whole_starting_state(s.what, s.potential);
  auto simulation = std::make_unique<WaferSimulation>(s.comm, s.what, std::move(plan), *start, s.times);
  Target target;
  if (!s.checkpoints.empty())
    target.from = take_checkpoint(s.comm, s.checkpoints, s.record, [&](const FoundCheckpoint& found) {
      if (found.of_wafer)
        simulation->resume(found.path);
      else
        simulation->carry_on(carried(found.path, read_checkpoint_header(s.comm, found.path).at("run")));
    });
  else if (s.what.dynamics.relax.max_steps > 0)
    simulation->relax(s.relaxing);
  target.start = simulation->configuration();
  target.save = [s, running = simulation.get()](const nlohmann::json& run) {
    running->save(s.save_to, previous_checkpoint(s.save_to), s.deck, run);
  };
  target.dynamics = std::move(simulation);
  return target;
}

}  // namespace wafermark::tungsten

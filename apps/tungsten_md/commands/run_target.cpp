#include "tungsten_md/commands/run_target.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/memory.hpp"
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
  return {c.configuration, c.x_reference, c.forces, c.rank_grid, c.numbers, c.counters, c.shares, recoils};
}

Checkpoint to_checkpoint(const SimulationState& s, const std::string& deck,
                         const std::optional<Lattice>& lattice, const nlohmann::json& run) {
  return {s.configuration, s.x_reference, s.forces, s.rank_grid, s.numbers,
          s.counters,      s.shares,      deck,     lattice,     run};
}

}  // namespace

Target on_cluster(const Setting& s) {
  Target target;
  std::unique_ptr<Simulation> simulation;
  if (s.checkpoints.empty()) {
    require_memory_for_run(s.comm, s.what, s.potential);
    target.start = starting_state(s.comm, s.what, s.potential);
    simulation = std::make_unique<Simulation>(s.comm, s.what, s.potential, target.start, s.times, s.relaxing);
  } else {
    Checkpoint from;
    target.from = take_checkpoint(s.comm, s.checkpoints, s.record,
                                  [&](const std::string& path) { from = read_checkpoint(s.comm, path); });
    target.start = from.configuration;
    const auto recoils = recoils_from_json(target.from.at("recoils"));
    simulation = std::make_unique<Simulation>(s.comm, s.what, s.potential, to_state(from, recoils), s.times);
  }
  target.save = [s, running = simulation.get()](const nlohmann::json& run) {
    write_checkpoint(s.comm, s.save_to,
                     to_checkpoint(running->state(), s.deck, s.what.structure.lattice, run));
  };
  target.dynamics = std::move(simulation);
  return target;
}

Target on_wafer(const Setting& s) {
  if (s.what.structure.lattice) require_element(s.what, s.potential);
  TilePlan plan = TilePlan::make(s.comm, s.what, s.potential);
  require_memory(s.comm, emulator_bytes(plan, s.comm.size()),
                 fmt::format("{} atoms on {} tiles, emulated by {} ranks", plan.layout.atoms(),
                             plan.grid.tiles(), s.comm.size()));
  // Every rank knows where all atoms begin: tiles are dealt by the whole crystal.
  const Communicator alone(MPI_COMM_SELF);
  auto simulation = std::make_unique<WaferSimulation>(s.comm, s.what, std::move(plan),
                                                      starting_state(alone, s.what, s.potential), s.times);
  Target target;
  if (!s.checkpoints.empty())
    target.from = take_checkpoint(s.comm, s.checkpoints, s.record,
                                  [&](const std::string& path) { simulation->resume(path); });
  target.start = simulation->configuration();
  target.save = [s, running = simulation.get()](const nlohmann::json& run) {
    running->save(s.save_to, previous_checkpoint(s.save_to), s.deck, run);
  };
  target.dynamics = std::move(simulation);
  return target;
}

}  // namespace wafermark::tungsten

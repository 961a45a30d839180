#include "tungsten_md/cluster/run_ahead.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/errors.hpp"
#include "common/kokkos_graphs.hpp"
#include "common/runtime.hpp"
#include "tungsten_md/cluster/integrate.hpp"
#include "tungsten_md/cluster/simulation.hpp"

namespace wafermark::tungsten {
namespace {

/// Of one launch: signals wait for its end, some tenths of a second at most.
constexpr std::int64_t most_steps = 1000;

}  // namespace

void require_launch(const Case& what, const PotentialTables& potential, int ranks) {
  if (what.run.lanes_per_atom > 1 && runtime::charges_kernels())
    throw InputError(
        fmt::format("run.lanes_per_atom = {}: found a simulated cluster, expected a run on this machine",
                    what.run.lanes_per_atom));
  if (what.run.launch == Launch::kernels) return;
  const char* word = what.run.launch == Launch::graph ? "graph" : "persistent";
  const auto refuse_if = [&](bool found, const std::string& what_is_there, const char* expected) {
    if (found)
      throw InputError(
          fmt::format("run.launch = \"{}\": found {}, expected {}", word, what_is_there, expected));
  };
  const DynamicsSettings& d = what.dynamics;
  refuse_if(what.run.launch == Launch::graph && !graphs_take_teams && what.run.lanes_per_atom > 1,
            fmt::format("run.lanes_per_atom = {}", what.run.lanes_per_atom), "1 on AMD's GPUs");
  refuse_if(ranks > 1, fmt::format("{} ranks", ranks), "one");
  refuse_if(runtime::charges_kernels(), "a simulated cluster", "a run on this machine");
  refuse_if(potential.uf3 != nullptr, "a UF3 potential", "embedded atoms or Lennard-Jones");
  refuse_if(d.thermostat.on(), "a thermostat", "thermostat.kind = \"none\"");
  refuse_if(d.barostat.on(), "a barostat", "barostat.kind = \"none\"");
  refuse_if(d.adaptive.on(), "an adaptive time step", "a fixed one");
  refuse_if(d.stopping.kind != StoppingSettings::Kind::none, "electronic stopping",
            "stopping.kind = \"none\"");
  refuse_if(d.electrons.on(), "electrons", "electrons.model = \"none\"");
  refuse_if(d.swaps.on(), "swaps of elements", "swaps.every_steps = 0");
  refuse_if(what.dose.on(), "an irradiation", "dose.method = \"none\"");
  refuse_if(what.run.list_every > 0, "lists at fixed steps", "run.list_every_steps = 0");
}

void Simulation::run_ahead(std::int64_t steps) {
  if (pkas_fired_ < case_.dynamics.pkas.size() || case_.run.launch == Launch::kernels || !teams_meet_)
    step(false);
  else if (case_.run.launch == Launch::graph)
    run_ahead_by_graph(steps);
  else
    run_ahead_by_one_kernel(steps);
}

void Simulation::run_ahead_by_graph(std::int64_t steps) {
  if (measures_motion()) {
    step(false);
    return;
  }
  settle_lost_atoms();
  const double dt = time_step_.current();
  for (; steps > 0 && !measures_motion(); --steps) {
    domain_->make_step_of_graph(dt);
    count_step(dt);
    ++steps_ahead_;
    ++launches_ahead_;
  }
}

void Simulation::run_ahead_by_one_kernel(std::int64_t steps) {
  settle_lost_atoms();
  const double dt = time_step_.current();
  const StepsMade made = domain_->make_steps(static_cast<int>(std::min(steps, most_steps)), dt);
  if (!made.together) {
    teams_meet_ = false;
    step(false);
    return;
  }
  ++launches_ahead_;
  steps_ahead_ += made.steps;
  for (int k = 0; k < made.steps; ++k) count_step(dt);
  if (made.displacement_squared > 0.0) end_step_with_list(made, dt);
  watch_.disturb();  // the kernel measures in every step, and so does whoever goes on
}

void Simulation::end_step_with_list(const StepsMade& made, double dt) {
  domain_->update(std::sqrt(made.displacement_squared),
                  made.late != 0 ? std::numeric_limits<double>::infinity() : 0.0);
  domain_->compute_forces();
  {
    const Region region(*times_, "integrate");
    kick(domain_->particles(), dt);
  }
  count_step(dt);
}

}  // namespace wafermark::tungsten

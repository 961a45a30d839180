// A run on MPI ranks as its checkpoints carry it on.
#include <utility>

#include "tungsten_md/cluster/simulation.hpp"
#include "tungsten_md/model/recoil_checks.hpp"

namespace wafermark::tungsten {
namespace {

/// As many ranks as wrote the state have each their own sum, so that rounding is as without the cut. Of
/// others rank 0 carries the whole on.
double share_of(const Communicator& comm, const SimulationState& state, const std::string& name) {
  const auto shares = state.shares.find(name);
  if (shares != state.shares.end() && shares->second.size() == static_cast<std::size_t>(comm.size()))
    return shares->second[static_cast<std::size_t>(comm.rank())];
  return comm.is_root() ? state.numbers.at(name) : 0.0;
}

}  // namespace

Simulation::Simulation(const Communicator& comm, const Case& what, const PotentialTables& potential,
                       const SimulationState& state, RegionTimes& times)
    : Simulation(comm, what, state.configuration) {
  // The box may have become smaller since; recoils had their place in it when the run began.
  check_recoils(what, what.structure.lattice ? what.structure.lattice->box(what.structure.periodic)
                                             : state.configuration.box);
  times_ = &times;
  ResumedDomain resumed = resumed_domain(comm, what, potential, state, times);
  domain_ = std::move(resumed.domain);
  energy_share_ = resumed.energy_share;
  const bool same_grid = resumed.same_grid;
  time_step_.resume(state.numbers.at("timestep_ps"));
  ledger_.initial_ev = state.numbers.at("initial_ev");
  ledger_.pka_ev = state.numbers.at("pka_ev");
  to_stopping_.set(share_of(comm, state, "stopping_ev"));
  from_bath_.set(share_of(comm, state, "thermostat_ev"));
  if (electrons_.on()) from_electrons_.set(share_of(comm, state, "electrons_ev"));
  if (electrons_.has_cells())
    electrons_.resume(state.fields.at("electron_cells_ev"), state.numbers.at("electrons_initial_ev"));
  pkas_fired_ = static_cast<std::size_t>(state.counters.at("pkas_fired"));
  const auto counter = [&](const char* name) { return stored(state.counters, name); };
  lost_atoms_ = counter("lost_atoms");
  swaps_.resume(counter("swaps_tried"), counter("swaps_accepted"));
  late_lists_before_ = counter("late_lists");
  if (counter("lost_atoms_settled") != 0) looked_at_ = domain_->rebuilds();
  ledger_.lost_ev = stored(state.numbers, "lost_ev");
  barostat_.resume(stored(state.numbers, "barostat_waited_ps"));
  ledger_.barostat_ev = stored(state.numbers, "barostat_ev");
  if (what.dynamics.thermostat.kind == ThermostatSettings::Kind::nose_hoover) chain_.resume(state.numbers);
  if (comm.is_root()) stopping_.resume(counter("above_stopping_table"));
  if (same_grid) watch_.resume(counter("displacement_due_step"));
  recoils_ = state.recoils;
  dose_.resume(state.numbers);
  if (dose_.on() && !recoils_.empty()) centre_on(recoils_.back().position);
}

SimulationState Simulation::state() const {
  const EnergyLedger sum = ledger();
  SimulationState s = state_of(*domain_, configuration(), case_.run.skin_angstrom);
  s.numbers.insert({{"timestep_ps", time_step_.current()},
                    {"initial_ev", sum.initial_ev},
                    {"pka_ev", sum.pka_ev},
                    {"stopping_ev", sum.stopping_ev},
                    {"thermostat_ev", sum.thermostat_ev},
                    {"electrons_ev", sum.electrons_ev},
                    {"electrons_initial_ev", electrons_.initial_ev()},
                    {"barostat_ev", sum.barostat_ev},
                    {"barostat_waited_ps", barostat_.waited_ps()},
                    {"lost_ev", sum.lost_ev}});
  if (dose_.on()) s.numbers.merge(dose_.numbers());
  if (case_.dynamics.thermostat.kind == ThermostatSettings::Kind::nose_hoover)
    s.numbers.merge(chain_.state());
  s.counters = {{"pkas_fired", static_cast<std::int64_t>(pkas_fired_)},
                {"lost_atoms", lost_atoms_},
                {"late_lists", late_lists()},
                {"swaps_tried", swaps_.tried()},
                {"swaps_accepted", swaps_.accepted()},
                {"displacement_due_step", watch_.due()},
                {"lost_atoms_settled", looked_at_ == domain_->rebuilds() ? 1 : 0},
                {"above_stopping_table", comm_.sum(stopping_.above_table())}};
  s.shares = {{"stopping_ev", comm_.all_gather(to_stopping_.value())},
              {"electrons_ev", comm_.all_gather(from_electrons_.value())},
              {"thermostat_ev", comm_.all_gather(from_bath_.value())}};
  if (electrons_.has_cells()) s.fields["electron_cells_ev"] = electrons_.cells_ev();
  s.recoils = recoils_;
  return s;
}

}  // namespace wafermark::tungsten

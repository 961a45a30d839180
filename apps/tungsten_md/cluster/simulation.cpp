#include "tungsten_md/cluster/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "common/errors.hpp"
#include "common/results/result.hpp"
#include "tungsten_md/cluster/integrate.hpp"
#include "tungsten_md/dynamics/hot_atom_watch.hpp"
#include "tungsten_md/dynamics/lost_atoms.hpp"
#include "tungsten_md/dynamics/velocities.hpp"
#include "tungsten_md/model/recoil_checks.hpp"

namespace wafermark::tungsten {
namespace {

DomainSettings domain_settings(const RunSettings& run, const std::array<int, 3>& rank_grid) {
  DomainSettings s;
  s.precision = run.precision;
  s.skin_angstrom = run.skin_angstrom;
  s.rank_grid = rank_grid;
  if (run.neighbour_list != "auto") s.list = run.neighbour_list == "half" ? ListKind::half : ListKind::full;
  return s;
}

/// As many ranks as wrote the state have each their own sum, so that rounding is as without the cut. Of
/// others rank 0 carries the whole on.
double share_of(const Communicator& comm, const SimulationState& state, const std::string& name) {
  const auto shares = state.shares.find(name);
  if (shares != state.shares.end() && shares->second.size() == static_cast<std::size_t>(comm.size()))
    return shares->second[static_cast<std::size_t>(comm.rank())];
  return comm.is_root() ? state.numbers.at(name) : 0.0;
}

}  // namespace

void Simulation::step(bool with_energy) {
  settle_lost_atoms();
  fire_due_pkas();
  Particles& p = domain_->particles();
  const double dt = time_step_.next(comm_, p);
  move_atoms(dt);
  if (with_energy)
    energy_share_ = domain_->compute_forces_and_energy();
  else
    domain_->compute_forces();
  const Region region(*times_, "integrate");
  kick(p, dt);
  ledger_.stopping_ev += stopping_.apply(p, dt);
  ledger_.thermostat_ev += thermostat_.apply(p, time_ps_, dt, step_);
  time_ps_ += dt;
  ++step_;
}

bool Simulation::measures_motion() const {
  if (case_.run.list_every > 0) return (step_ + 1) % case_.run.list_every == 0;
  const bool by_forces_alone = !case_.dynamics.thermostat.on && !case_.dynamics.adaptive.on();
  return !by_forces_alone || watch_.is_due(step_);
}

void Simulation::move_atoms(double dt) {
  Particles& p = domain_->particles();
  if (!measures_motion()) {
    {
      const Region region(*times_, "integrate");
      kick_and_drift(p, domain_->list(), dt);
    }
    domain_->refresh_ghosts();
    return;
  }
  Motion motion;
  {
    const Region region(*times_, "integrate");
    motion = measured_kick_and_drift(comm_, p, domain_->list(), dt);
  }
  if (case_.run.list_every > 0) {
    domain_->rebuild_after(motion.displacement, motion.displacement_before(dt));
    return;
  }
  if (domain_->update(motion.displacement, motion.displacement_before(dt))) motion.displacement = 0.0;
  watch_.measured(step_, motion, dt, domain_->half_skin());
}

void Simulation::fire_due_pkas() {
  // DynamicsSettings keeps them in the order of their times.
  const auto& pkas = case_.dynamics.pkas;
  for (; pkas_fired_ < pkas.size() && pkas[pkas_fired_].time_ps <= time_ps_; ++pkas_fired_) {
    recoils_.push_back(knock_on(comm_, domain_->particles(), frame_.box, pkas[pkas_fired_],
                                static_cast<int>(pkas_fired_), case_.run.seed));
    watch_.disturb();
    ledger_.pka_ev += recoils_.back().energy_gained_ev;
  }
}

std::string Simulation::text_of(const std::vector<int>& lost) const {
  const Atoms atoms = domain_->atoms_on_host();
  std::int64_t id = std::numeric_limits<std::int64_t>::max();
  for (const int i : lost) id = std::min(id, atoms.id[static_cast<std::size_t>(i)]);
  const std::int64_t first = comm_.min(id);
  std::vector<double> x(3, 0.0);
  for (const int i : lost)
    if (const auto k = static_cast<std::size_t>(i); atoms.id[k] == first)
      x.assign(atoms.x[k].begin(), atoms.x[k].end());
  x = comm_.sum(x);
  return lost_atom_text(first, {x[0], x[1], x[2]}, step_, time_ps_);
}

void Simulation::settle_lost_atoms() {
  if (!has_open_axis(frame_.box) || looked_at_ == domain_->rebuilds()) return;
  const std::vector<int> lost = domain_->lost();
  looked_at_ = domain_->rebuilds();
  const std::int64_t n = comm_.sum(static_cast<std::int64_t>(lost.size()));
  if (n == 0) return;
  if (case_.structure.lost_atoms == LostAtoms::error) throw std::runtime_error(text_of(lost));
  // Whatever they still share with other atoms goes with them: the difference is what the crystal lost.
  energy_share_ = domain_->compute_forces_and_energy();
  const double before = thermo().total_ev();
  domain_->remove(lost);
  energy_share_ = domain_->compute_forces_and_energy();
  ledger_.lost_ev += before - thermo().total_ev();
  lost_atoms_ += n;
  looked_at_ = domain_->rebuilds();
}

Simulation::Simulation(const Communicator& comm, const Case& what, const Configuration& start)
    : comm_(comm),
      case_(what),
      frame_{start.box, start.elements, start.masses, {}, start.time_ps, start.step},
      time_step_(what.dynamics.adaptive, what.run.timestep_ps),
      stopping_(what.dynamics.stopping),
      thermostat_(what.dynamics.thermostat, start.box, what.run.seed),
      step_(start.step),
      time_ps_(start.time_ps) {
  check_recoils(what, start.box);
}

Simulation::Simulation(const Communicator& comm, const Case& what, const PotentialTables& potential,
                       const Configuration& start, RegionTimes& times, const std::function<void()>& relaxing)
    : Simulation(comm, what, start) {
  times_ = &times;
  domain_ =
      std::make_unique<Domain>(comm, start, potential, domain_settings(what.run, what.run.rank_grid), times);
  if (what.structure.lost_atoms == LostAtoms::error) {
    const std::vector<int> lost = domain_->lost();
    if (comm.sum(static_cast<int>(lost.size())) > 0) throw InputError(text_of(lost));
  }
  if (what.dynamics.relax.max_steps > 0) relaxation_ = relax(*domain_, what.dynamics.relax, relaxing);
  if (what.dynamics.temperature.draw_k > 0.0)
    draw_velocities(comm, domain_->particles(), domain_->atoms(), what.dynamics.temperature.draw_k,
                    what.run.seed);
  energy_share_ = domain_->compute_forces_and_energy();
  ledger_.initial_ev = thermo().total_ev();
}

Simulation::Simulation(const Communicator& comm, const Case& what, const PotentialTables& potential,
                       const SimulationState& state, RegionTimes& times)
    : Simulation(comm, what, state.configuration) {
  times_ = &times;
  const auto ranks = state.rank_grid[0] * state.rank_grid[1] * state.rank_grid[2];
  const bool same_grid =
      ranks == comm.size() &&
      (what.run.rank_grid == std::array<int, 3>{0, 0, 0} || what.run.rank_grid == state.rank_grid) &&
      state.numbers.at("skin_angstrom") == what.run.skin_angstrom;
  if (same_grid)
    domain_ = std::make_unique<Domain>(comm, state.configuration, state.x_reference, potential,
                                       domain_settings(what.run, state.rank_grid), times);
  else
    domain_ = std::make_unique<Domain>(comm, state.configuration, potential,
                                       domain_settings(what.run, what.run.rank_grid), times);
  energy_share_ = domain_->compute_forces_and_energy();
  // The stored forces differ from these in the last bits at most, but the run must go on with the former.
  if (same_grid && state.forces.size() == static_cast<std::size_t>(domain_->particles().n_local))
    domain_->set_forces(state.forces);
  time_step_.resume(state.numbers.at("timestep_ps"));
  ledger_.initial_ev = state.numbers.at("initial_ev");
  ledger_.pka_ev = state.numbers.at("pka_ev");
  ledger_.stopping_ev = share_of(comm, state, "stopping_ev");
  ledger_.thermostat_ev = share_of(comm, state, "thermostat_ev");
  pkas_fired_ = static_cast<std::size_t>(state.counters.at("pkas_fired"));
  const auto counter = [&](const char* name) {  // checkpoints of earlier versions have none
    const auto found = state.counters.find(name);
    return found == state.counters.end() ? std::int64_t{0} : found->second;
  };
  lost_atoms_ = counter("lost_atoms");
  late_lists_before_ = counter("late_lists");
  if (counter("lost_atoms_settled") != 0) looked_at_ = domain_->rebuilds();
  if (const auto lost = state.numbers.find("lost_ev"); lost != state.numbers.end())
    ledger_.lost_ev = lost->second;
  if (comm.is_root()) stopping_.resume(counter("above_stopping_table"));
  if (same_grid) watch_.resume(counter("displacement_due_step"));
  recoils_ = state.recoils;
}

Thermo Simulation::thermo() const {
  Thermo t = measure(comm_, domain_->particles(), energy_share_, domain_->atoms(), frame_.box.volume());
  t.step = step_;
  t.time_ps = time_ps_;
  t.timestep_ps = time_step_.current();
  return t;
}

EnergyLedger Simulation::ledger() const {
  EnergyLedger sum = ledger_;
  sum.stopping_ev = comm_.sum(ledger_.stopping_ev);
  sum.thermostat_ev = comm_.sum(ledger_.thermostat_ev);
  return sum;
}

bool Simulation::momentum_is_kept() const {
  return !case_.dynamics.thermostat.on && case_.dynamics.stopping.kind == StoppingSettings::Kind::none &&
         case_.dynamics.pkas.empty() && lost_atoms_ == 0;
}

Configuration Simulation::configuration() const {
  Configuration c = frame_;
  c.atoms = domain_->atoms_on_host();
  c.step = step_;
  c.time_ps = time_ps_;
  return c;
}

std::int64_t Simulation::hot_atoms_at_border(double width_angstrom, double energy_ev) const {
  return comm_.sum(
      std::int64_t{count_hot_atoms_at_border(domain_->particles(), frame_.box, width_angstrom, energy_ev)});
}

std::string Simulation::layout() const {
  const auto& grid = domain_->subdomain().grid;
  return fmt::format("{} ranks as {} x {} x {}, {} precision, {} neighbour list", comm_.size(), grid[0],
                     grid[1], grid[2], domain_->settings().precision,
                     domain_->list().kind == ListKind::half ? "half" : "full");
}

void Simulation::report(Result& result, const RunLoop& loop) const {
  const double steps = static_cast<double>(loop.steps);
  const double atom_steps = static_cast<double>(atoms()) * steps;
  const bool ran = loop.seconds > 0.0 && loop.steps > 0;
  const Domain::Memory memory = domain_->bytes();
  result.add_figure("steps_per_second", ran ? std::optional(steps / loop.seconds) : std::nullopt, "1/s");
  result.add_figure("atom_steps_per_second", ran ? std::optional(atom_steps / loop.seconds) : std::nullopt,
                    "1/s");
  result.add_figure("joules_per_atom_step",
                    loop.joules && loop.steps > 0 ? std::optional(*loop.joules / atom_steps) : std::nullopt,
                    "J", Kind::measured, loop.energy_note);
  result.add_figure("bytes_per_atom", comm_.max(memory.particles + memory.list + memory.force_field), "B");
  result.add_figure("list_rebuilds", static_cast<double>(domain_->rebuilds()), "");
  if (case_.run.list_every > 0)  // the deck's own choice, as of LAMMPS' benchmark
    result.add_figure("late_lists", static_cast<double>(late_lists()), "");
  else
    result.add_check("late_lists", static_cast<double>(late_lists()), 0.0, 0.0, "");
  if (has_open_axis(frame_.box)) {
    result.add_figure("lost_atoms", static_cast<double>(lost_atoms_), "");
    result.add_figure("lost_energy_ev", ledger_.lost_ev, "eV");
  }
  // Beyond its last energy a table says nothing; the last power was taken.
  if (case_.dynamics.stopping.kind == StoppingSettings::Kind::table)
    result.add_check("atom_steps_above_stopping_table",
                     static_cast<double>(comm_.sum(stopping_.above_table())), 0.0, 0.0, "");
  if (relaxation_)
    result.add_check("relaxed_max_force", relaxation_->max_force, 0.0,
                     case_.dynamics.relax.force_tolerance_ev_per_angstrom, "eV/Angstrom");
}

SimulationState Simulation::state() const {
  const EnergyLedger sum = ledger();
  SimulationState s;
  s.configuration = configuration();
  s.x_reference = domain_->reference_on_host();
  s.forces = domain_->forces_on_host();
  s.rank_grid = domain_->subdomain().grid;
  s.numbers = {{"timestep_ps", time_step_.current()},
               {"initial_ev", sum.initial_ev},
               {"pka_ev", sum.pka_ev},
               {"stopping_ev", sum.stopping_ev},
               {"thermostat_ev", sum.thermostat_ev},
               {"lost_ev", sum.lost_ev},
               {"skin_angstrom", case_.run.skin_angstrom}};
  s.counters = {{"pkas_fired", static_cast<std::int64_t>(pkas_fired_)},
                {"lost_atoms", lost_atoms_},
                {"late_lists", late_lists()},
                {"displacement_due_step", watch_.due()},
                {"lost_atoms_settled", looked_at_ == domain_->rebuilds() ? 1 : 0},
                {"above_stopping_table", comm_.sum(stopping_.above_table())}};
  s.shares = {{"stopping_ev", comm_.all_gather(ledger_.stopping_ev)},
              {"thermostat_ev", comm_.all_gather(ledger_.thermostat_ev)}};
  s.recoils = recoils_;
  return s;
}

}  // namespace wafermark::tungsten

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

/// All atoms, at the dose's temperature.
ThermostatSettings bath_at_rest(const DoseSettings& dose) {
  return ThermostatSettings::of_kind(ThermostatSettings::Kind::langevin, dose.rest_temperature_k,
                                     dose.rest_damping_time_ps);
}

}  // namespace

void Simulation::step(bool with_energy) {
  settle_lost_atoms();
  fire_due_pkas();
  if (dose_.recoil_due(time_ps_)) fire_recoil_of_dose();
  Particles& p = domain_->particles();
  const double dt = time_step_.next(comm_, p);
  move_atoms(dt);
  barostat_.wait(time_ps_, dt);
  const bool box_follows = barostat_.is_due(step_ + 1);
  if (with_energy || box_follows)
    energy_share_ = domain_->compute_forces_and_energy();
  else
    domain_->compute_forces();
  {
    const Region region(*times_, "integrate");
    kick(p, dt);
    stopping_.apply(p, dt, to_stopping_, electrons_.deposit(frame_.box));
    electrons_.couple(p, frame_.box, dt, step_, from_electrons_);
    electrons_.conduct(comm_, frame_.box, dt);
    bathe(dt);
    if (chain_.acts(time_ps_)) apply_chain(dt);
  }
  count_step(dt);
  if (dose_.on())
    dose_.advance(time_ps_, step_, dose_.asks_for_hottest(step_) ? comm_.max(hottest_ev(p)) : 0.0);
  if (box_follows) follow_pressure();
  if (swaps_.is_due(step_)) swap_elements();
}

void Simulation::bathe(double dt) {
  const LangevinThermostat& bath = dose_.is_resting() ? rest_bath_ : langevin_;
  bath.apply(domain_->particles(), frame_.box, time_ps_, dt, step_, from_bath_);
}

void Simulation::apply_chain(double dt) {
  double kinetic = thermo().kinetic_ev;
  comm_.broadcast(kinetic);
  const double heat = chain_.apply(domain_->particles(), domain_->atoms(), kinetic, time_ps_, dt);
  if (comm_.is_root()) from_bath_.add(heat);
}

void Simulation::follow_pressure() {
  const Thermo before = thermo();
  Stretch by = barostat_.next(before, case_.dynamics.thermostat.temperature_k(time_ps_));
  for (std::size_t d = 0; d < 3; ++d) {
    comm_.broadcast(by.box[d]);
    comm_.broadcast(by.velocities[d]);
  }
  domain_->stretch(by.box);
  if (by.velocities != Vec3{1, 1, 1}) scale_velocities(domain_->particles(), by.velocities);
  frame_.box = domain_->box();
  energy_share_ = domain_->compute_forces_and_energy();
  ledger_.barostat_ev += thermo().total_ev() - before.total_ev();
  watch_.disturb();
}

void Simulation::swap_elements() {
  const double fixed_k = case_.dynamics.swaps.temperature_k;
  const double bath_k = case_.dynamics.thermostat.on() ? case_.dynamics.thermostat.temperature_k(time_ps_)
                                                       : case_.dynamics.temperature.initial_k;
  const auto energy = [&] {
    energy_share_ = domain_->compute_forces_and_energy();
    double total = thermo().potential_ev;
    comm_.broadcast(total);
    return total;
  };
  const auto exchange = [&](const AtomPair& pair) {
    exchange_elements(comm_, domain_->particles(), pair);
    domain_->rebuild();  // ghosts have their atoms' elements
    return energy();
  };
  double now = energy();
  for (int attempt = 0; attempt < swaps_.attempts(); ++attempt) {
    const AtomPair pair = swaps_.choose(comm_, domain_->particles());
    const double after = exchange(pair);
    if (swaps_.accepts(after - now, fixed_k > 0.0 ? fixed_k : bath_k)) {
      if (comm_.is_root()) from_bath_.add(after - now);
      now = after;
    } else {
      now = exchange(pair);
    }
  }
  watch_.disturb();
}

bool Simulation::measures_motion() const {
  if (case_.run.list_every > 0) return (step_ + 1) % case_.run.list_every == 0;
  const bool by_forces_alone =
      !case_.dynamics.thermostat.on() && !case_.dynamics.adaptive.on() && !electrons_.on() && !dose_.on();
  return !by_forces_alone || watch_.is_due(step_);
}

void Simulation::move_atoms(double dt) {
  if (!measures_motion()) {
    domain_->kick_and_drift(dt);
    domain_->refresh_ghosts();
    return;
  }
  Motion motion = domain_->measured_kick_and_drift(dt);
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

void Simulation::fire_recoil_of_dose() {
  recoils_.push_back(knock_on(comm_, domain_->particles(), frame_.box, dose_.next_recoil(case_.run.seed),
                              static_cast<int>(dose_.fired()), case_.run.seed));
  centre_on(recoils_.back().position);
  dose_.begin_hot(time_ps_);
  watch_.disturb();
  ledger_.pka_ev += recoils_.back().energy_gained_ev;
}

void Simulation::centre_on(const Vec3& recoil) {
  last_recoil_ = frame_.box.wrap(recoil);
  langevin_.centre_on(*last_recoil_);
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
      langevin_(what.dynamics.thermostat, what.run.seed),
      chain_(what.dynamics.thermostat),
      barostat_(what.dynamics.barostat, what.run.seed),
      electrons_(what.dynamics.electrons, start.box, what.run.seed),
      swaps_(what.dynamics.swaps, what.run.seed),
      dose_(what.dose),
      rest_bath_(bath_at_rest(what.dose), what.run.seed),
      step_(start.step),
      time_ps_(start.time_ps) {}

Simulation::Simulation(const Communicator& comm, const Case& what, const PotentialTables& potential,
                       const Configuration& start, RegionTimes& times, const std::function<void()>& relaxing)
    : Simulation(comm, what, start) {
  check_recoils(what, start.box);
  times_ = &times;
  std::vector<PkaSettings> recoils = what.dynamics.pkas;
  if (dose_.on()) recoils.push_back(dose_.next_recoil(what.run.seed));
  require_recoil_elements(comm, recoils, start.atoms);
  domain_ = new_domain(comm, what, potential, start, times);
  if (what.dynamics.swaps.on() && !has_two_elements(comm, domain_->particles()))
    throw InputError("swaps.every_steps: found atoms of one element, expected two at least");
  if (what.structure.lost_atoms == LostAtoms::error) {
    const std::vector<int> lost = domain_->lost();
    if (comm.sum(static_cast<int>(lost.size())) > 0) throw InputError(text_of(lost));
  }
  if (what.dynamics.relax.max_steps > 0) {
    relaxation_ = relax_with_box(*domain_, what.dynamics.relax, relaxing);
    frame_.box = domain_->box();
  }
  if (what.dynamics.temperature.draw_k > 0.0)
    draw_velocities(comm, domain_->particles(), domain_->atoms(), what.dynamics.temperature.draw_k,
                    what.run.seed);
  energy_share_ = domain_->compute_forces_and_energy();
  ledger_.initial_ev = thermo().total_ev();
}

Thermo Simulation::thermo() const {
  Thermo t = measure(comm_, domain_->particles(), energy_share_, domain_->atoms(), frame_.box);
  t.step = step_;
  t.time_ps = time_ps_;
  t.timestep_ps = time_step_.current();
  if (electrons_.has_cells()) t.electron_temperature_k = electrons_.mean_temperature_k(frame_.box);
  return t;
}

EnergyLedger Simulation::ledger() const {
  EnergyLedger sum = ledger_;
  sum.stopping_ev = comm_.sum(to_stopping_.value());
  sum.electrons_ev = comm_.sum(from_electrons_.value());
  sum.thermostat_ev = comm_.sum(from_bath_.value());
  return sum;
}

bool Simulation::momentum_is_kept() const {
  return !case_.dynamics.thermostat.on() && !case_.dynamics.barostat.on() && !electrons_.on() &&
         case_.dynamics.stopping.kind == StoppingSettings::Kind::none && case_.dynamics.pkas.empty() &&
         !dose_.on() && !case_.dynamics.swaps.on() && lost_atoms_ == 0;
}

Configuration Simulation::configuration() const {
  Configuration c = frame_;
  c.atoms = domain_->atoms_on_host();
  c.step = step_;
  c.time_ps = time_ps_;
  return c;
}

std::int64_t Simulation::hot_atoms_at_border(double width_angstrom, double energy_ev) const {
  const PeriodicFrame frame =
      last_recoil_ ? PeriodicFrame::around(frame_.box, *last_recoil_) : PeriodicFrame{};
  return comm_.sum(std::int64_t{
      count_hot_atoms_at_border(domain_->particles(), frame_.box, width_angstrom, energy_ev, frame)});
}

std::string Simulation::layout() const {
  static constexpr const char* by_launch[] = {"", ", a graph a step", ", many steps a kernel"};
  const auto& grid = domain_->subdomain().grid;
  const int lanes = domain_->list().lanes;
  return fmt::format("{} ranks as {} x {} x {}, {} precision, {} neighbour list{}{}", comm_.size(), grid[0],
                     grid[1], grid[2], domain_->settings().precision,
                     domain_->list().kind == ListKind::half ? "half" : "full",
                     lanes > 1 ? fmt::format(", {} lanes an atom", lanes) : "",
                     by_launch[static_cast<int>(case_.run.launch)]);
}

}  // namespace wafermark::tungsten

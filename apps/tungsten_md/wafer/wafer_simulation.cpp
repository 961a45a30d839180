#include "tungsten_md/wafer/wafer_simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/errors.hpp"
#include "tungsten_md/dynamics/electronic_stopping.hpp"
#include "tungsten_md/dynamics/langevin_thermostat.hpp"
#include "tungsten_md/dynamics/particles.hpp"
#include "tungsten_md/dynamics/pka.hpp"
#include "tungsten_md/dynamics/thermo.hpp"
#include "tungsten_md/dynamics/velocities.hpp"
#include "tungsten_md/model/recoil_checks.hpp"
#include "tungsten_md/model/units.hpp"
#include "wse_emulator/fabric/reduction.hpp"
#include "wse_emulator/whole_cycles.hpp"

namespace wafermark::tungsten {
namespace {

/// The case's velocities, drawn as the cluster draws them.
Configuration with_velocities(Configuration start, const Case& what) {
  if (what.dynamics.temperature.draw_k > 0.0) {
    const Communicator alone(MPI_COMM_SELF);
    Particles p = to_device(start.atoms, start.masses);
    draw_velocities(alone, p, p.n_local, what.dynamics.temperature.draw_k, what.run.seed);
    start.atoms.v = to_host(p).v;
  }
  return start;
}

const Case& accepted(const Case& what) {
  if (what.dynamics.relax.max_steps > 0)
    throw InputError("relax.max_steps: the wafer target does not relax, expected 0");
  return what;
}

}  // namespace

void WaferSimulation::step(bool with_energy) {
  record_.begin_step();
  fire_due_pkas();
  swap_where_due();
  const double dt = choose_time_step();
  const auto step_ps = static_cast<float>(dt);
  block_->kick_and_drift(step_ps);
  forces(with_energy, true);
  block_->kick(step_ps);
  compute(phase_.integrate, [&](std::size_t) { return plan_.cost.integration(); });
  const auto& stopping = case_.dynamics.stopping;
  if (stopping.kind != StoppingSettings::Kind::none) {
    const StoppingLaw<float> law{stopping.kind == StoppingSettings::Kind::table,
                                 static_cast<float>(stopping.coefficient),
                                 static_cast<float>(stopping.cutoff_energy_ev),
                                 stopping_energy_.data(),
                                 stopping_power_.data(),
                                 static_cast<int>(stopping_energy_.size())};
    const std::vector<double> lost = block_->slow(law, step_ps);
    ledger_.stopping_ev += ordered_sum(lost);
    for (const double e : lost)
      other_operations_ += e != 0.0 ? plan_.cost.counts().slow : plan_.cost.counts().not_slow;
    compute(phase_.stopping, [&](std::size_t i) { return plan_.cost.slowing(lost[i] != 0.0); });
  }
  const auto& thermostat = case_.dynamics.thermostat;
  if (acts(thermostat, time_ps_)) {
    const double speed2 =
        units::boltzmann_ev_per_k * thermostat.temperature_k / units::amu_a2_per_ps2_in_ev / start_.masses[0];
    const auto bath =
        heat_bath(static_cast<float>(dt / thermostat.damping_time_ps), static_cast<float>(speed2));
    const std::vector<double> heat =
        block_->bathe(quiet_region(thermostat, start_.box), bath, case_.run.seed, step_);
    ledger_.thermostat_ev += ordered_sum(heat);
    for (const double e : heat)
      other_operations_ += e != 0.0 ? plan_.cost.counts().bath : plan_.cost.counts().no_bath;
    compute(phase_.thermostat, [&](std::size_t i) { return plan_.cost.bath(heat[i] != 0.0); });
  }
  time_ps_ += dt;
  ++step_;
  if (with_energy) thermo_ = measure_all(all_atoms());
}

void WaferSimulation::forces(bool with_energy, bool charge) {
  bool new_lists = false;
  {
    const Region region(times_, "multicast");
    new_lists = block_->multicast_positions(step_ % plan_.settings.list_reuse == 0);
    if (charge) watch_interactions(step_ + 1);
  }
  {
    const Region region(times_, "densities");
    block_->sum_densities();
  }
  {
    const Region region(times_, "multicast");
    block_->multicast_slopes();
  }
  {
    const Region region(times_, "forces");
    block_->sum_forces(with_energy);
  }
  if (!charge) return;
  const Region region(times_, "clocks");
  const WaferSettings& options = plan_.settings;
  const bool lasting = options.list_reuse > 1, four = options.tiles_per_atom == 4;
  // What the busiest of an atom's tiles does itself.
  const auto c = [&](std::size_t i) { return plan_.own_candidates(block_->candidates(i)); };
  const auto n = [&](std::size_t i) -> std::int64_t {
    return four ? block_->own_neighbours(i) : block_->neighbours(i);
  };
  const auto pairs = [&](std::size_t i) -> std::int64_t {
    return options.force_symmetry ? block_->own_neighbours(i) : n(i);
  };
  const auto listed = [&](std::size_t i) { return plan_.own_candidates(block_->listed(i)); };
  const int most = block_->max_neighbours();
  if (most > plan_.list_capacity)
    throw std::runtime_error(
        fmt::format("neighbour list of a tile: found {} neighbours, expected at most {}: atoms are "
                    "packed far more densely than in the crystal",
                    most, plan_.list_capacity));
  ++force_multicasts_;
  meet(phase_.positions, plan_.position_cycles());
  compute(phase_.control, [&](std::size_t) { return plan_.control_cycles(); });
  if (new_lists || !lasting) {
    compute(phase_.distance, [&](std::size_t i) { return plan_.cost.distance(c(i)); });
    compute(phase_.list, [&](std::size_t i) { return plan_.cost.list(c(i), lasting ? listed(i) : n(i)); });
  }
  if (lasting) compute(phase_.listed, [&](std::size_t i) { return plan_.cost.listed(listed(i)); });
  compute(phase_.density, [&](std::size_t i) { return plan_.cost.density(n(i)); });
  if (four) compute(phase_.join, [&](std::size_t) { return plan_.join_cycles(1, 1); });
  compute(phase_.embedding, [&](std::size_t) { return plan_.cost.embedding(); });
  meet(phase_.slopes, plan_.slope_cycles());
  compute(phase_.force, [&](std::size_t i) { return plan_.cost.force(pairs(i)); });
  if (options.force_symmetry) {
    compute(phase_.control, [&](std::size_t) { return 2 * plan_.machine.task_start_cycles; });
    meet(phase_.reverse, plan_.reverse_cycles());
  }
  // The sum of the forces goes to the tile that moves the atom, and its new position to the others.
  if (four) compute(phase_.join, [&](std::size_t) { return plan_.join_cycles(3, 3); });
  for (std::size_t i = 0; i < block_->tiles(); ++i) {
    if (block_->atom(i).id < 0) continue;
    const std::int64_t all = block_->neighbours(i);
    if (new_lists || !lasting) candidates_tested_ += block_->candidates(i);
    neighbours_found_ += all;
    if (lasting) other_operations_ += block_->listed(i) * plan_.cost.counts().listed;
    if (options.force_symmetry)
      other_operations_ -= (all - block_->own_neighbours(i)) * plan_.cost.counts().force;
    ++atom_steps_;
  }
}

template <class Cycles>
void WaferSimulation::compute(std::size_t phase, const Cycles& cycles) {
  for (std::size_t i = 0; i < block_->tiles(); ++i) {
    if (block_->atom(i).id < 0) continue;  // a tile without an atom only passes words on
    const auto whole = wse::whole_cycles(static_cast<double>(cycles(i)));
    clocks_[i] += whole;
    record_.add(phase, i, whole, clocks_[i]);
  }
}

void WaferSimulation::meet(std::size_t phase, std::int64_t cycles, bool everyone) {
  std::vector<std::int64_t> before(block_->tiles());
  for (std::size_t i = 0; i < before.size(); ++i) before[i] = clocks_[i];
  if (everyone)
    clocks_.meet_all(cycles);
  else
    clocks_.meet_neighbourhood(cycles);
  for (std::size_t i = 0; i < before.size(); ++i) {
    record_.add(phase_.wait, i, clocks_[i] - before[i] - cycles, clocks_[i] - cycles);
    record_.add(phase, i, cycles, clocks_[i]);
  }
}

double WaferSimulation::choose_time_step() {
  const auto& a = case_.dynamics.adaptive;
  if (!a.on()) return time_step_.current();
  const StepLimits<float> limits{static_cast<float>(a.max_displacement_angstrom),
                                 static_cast<float>(a.max_energy_change_ev)};
  const float longest = comm_.min(block_->longest_step(limits, static_cast<float>(a.max_ps)));
  other_operations_ += static_cast<std::int64_t>(block_->tiles()) * plan_.cost.counts().time_step;
  compute(phase_.time_step, [&](std::size_t) { return plan_.cost.time_step(); });
  const auto& g = plan_.layout.grid;
  meet(phase_.time_step, wse::all_reduce_cycles(plan_.machine.fabric, g.width, g.height, 1), true);
  ++all_reduces_;
  return time_step_.accept(static_cast<double>(longest));
}

void WaferSimulation::swap_where_due() {
  const int every = case_.wafer.swap_every;
  if (every == 0 || step_ == 0 || step_ % every != 0) return;
  for (std::size_t i = 0; i < block_->tiles(); ++i)
    other_operations_ += std::int64_t{block_->neighbours(i)} * plan_.cost.counts().swap_partner;
  const std::int64_t changed = block_->swap_atoms();
  swaps_ += changed;
  compute(phase_.swaps, [&](std::size_t i) { return plan_.cost.swap_partner(block_->neighbours(i)); });
  // The choice goes to the whole neighbourhood, the atoms' state to one tile of it.
  ++choice_multicasts_;
  meet(phase_.swaps,
       plan_.multicast_cycles(TilePlan::choice_words) +
           wse::point_to_point_cycles(plan_.machine.fabric, plan_.swap_hops(), TilePlan::state_words));
}

void WaferSimulation::fire_due_pkas() {
  const auto& pkas = case_.dynamics.pkas;
  for (; pkas_fired_ < pkas.size() && pkas[pkas_fired_].time_ps <= time_ps_; ++pkas_fired_) {
    const AllAtoms all = all_atoms();
    const Communicator alone(MPI_COMM_SELF);
    Particles p = to_device(all.configuration.atoms, all.configuration.masses);
    const Recoil recoil =
        knock_on(alone, p, start_.box, pkas[pkas_fired_], static_cast<int>(pkas_fired_), case_.run.seed);
    const auto v = to_host(p).v;
    double gained = 0.0;
    for (std::size_t i = 0; i < block_->tiles(); ++i) {
      TileAtom& a = block_->atom(i);
      if (a.id != recoil.atom) continue;
      const auto index = static_cast<std::size_t>(
          std::lower_bound(all.configuration.atoms.id.begin(), all.configuration.atoms.id.end(), a.id) -
          all.configuration.atoms.id.begin());
      const Vector<float> old = a.v;
      const Vec3& now = v[index];
      a.v = {static_cast<float>(now[0]), static_cast<float>(now[1]), static_cast<float>(now[2])};
      const auto squared = [](const Vector<float>& w) {
        const double x = w.x, y = w.y, z = w.z;
        return x * x + y * y + z * z;
      };
      gained = 0.5 * start_.masses[0] * units::amu_a2_per_ps2_in_ev * (squared(a.v) - squared(old));
    }
    recoils_.push_back(recoil);
    recoils_.back().energy_gained_ev = comm_.sum(gained);
    ledger_.pka_ev += recoils_.back().energy_gained_ev;
  }
}

WaferSimulation::WaferSimulation(const Communicator& comm, const Case& what, const PotentialTables& potential,
                                 const Configuration& start, RegionTimes& times)
    : comm_(comm),
      case_(accepted(what)),
      times_(times),
      start_(with_velocities(start, what)),
      plan_(TilePlan::make(comm, what, start_, potential)),
      blocks_(comm, plan_.layout.grid, what.wafer.blocks_across, what.wafer.blocks_down),
      block_(std::make_unique<TileBlock>(comm, blocks_, plan_.layout, start_, plan_.tables, what.wafer)),
      clocks_(comm, blocks_, 2 * plan_.layout.reach),
      record_(comm, blocks_, plan_.machine),
      time_step_(what.dynamics.adaptive, what.run.timestep_ps),
      step_(start.step),
      time_ps_(start.time_ps) {
  check_recoils(what, start.box);
  if (what.dynamics.stopping.kind == StoppingSettings::Kind::table) {
    const StoppingTable t = read_stopping_table(what.dynamics.stopping.file);
    stopping_energy_.assign(t.energy_ev.begin(), t.energy_ev.end());
    stopping_power_.assign(t.power_ev_per_angstrom.begin(), t.power_ev_per_angstrom.end());
  }
  using wse::PhaseKind;
  phase_.positions = record_.phase("multicast_positions", PhaseKind::fabric);
  phase_.control = record_.phase("task_starts", PhaseKind::compute);
  phase_.distance = record_.phase("distances", PhaseKind::compute);
  phase_.list = record_.phase("neighbour_list", PhaseKind::compute);
  phase_.density = record_.phase("densities", PhaseKind::compute);
  phase_.embedding = record_.phase("embedding", PhaseKind::compute);
  phase_.slopes = record_.phase("multicast_slopes", PhaseKind::fabric);
  phase_.force = record_.phase("forces", PhaseKind::compute);
  phase_.integrate = record_.phase("integration", PhaseKind::compute);
  phase_.wait = record_.phase("wait_for_neighbours", PhaseKind::wait);
  if (what.wafer.list_reuse > 1) phase_.listed = record_.phase("listed_distances", PhaseKind::compute);
  if (what.wafer.force_symmetry) phase_.reverse = record_.phase("reverse_multicast", PhaseKind::fabric);
  if (what.wafer.tiles_per_atom > 1) phase_.join = record_.phase("joining_sums", PhaseKind::fabric);
  if (what.dynamics.adaptive.on()) phase_.time_step = record_.phase("time_step", PhaseKind::compute);
  if (what.dynamics.stopping.kind != StoppingSettings::Kind::none)
    phase_.stopping = record_.phase("stopping", PhaseKind::compute);
  if (what.dynamics.thermostat.on) phase_.thermostat = record_.phase("thermostat", PhaseKind::compute);
  if (what.wafer.swap_every > 0) phase_.swaps = record_.phase("swaps", PhaseKind::compute);
  record_.trace(what.wafer.traced_tiles, 20);
  evaluate_energy();
  watch_interactions(step_);
  ledger_.initial_ev = thermo_.total_ev();
}

void WaferSimulation::watch_interactions(std::int64_t step) {
  const std::int64_t missed = block_->missed_interactions();
  missed_.interactions += missed;
  if (missed > 0 && missed_.first_step < 0) missed_.first_step = step;
}

WaferSimulation::Missed WaferSimulation::missed() const {
  constexpr auto never = std::numeric_limits<std::int64_t>::max();
  const std::int64_t first = comm_.min(missed_.first_step < 0 ? never : missed_.first_step);
  return {comm_.sum(missed_.interactions), first == never ? -1 : first};
}

WaferSimulation::~WaferSimulation() = default;

void WaferSimulation::evaluate_energy() {
  forces(true, false);
  thermo_ = measure_all(all_atoms());
}

Thermo WaferSimulation::thermo() const {
  Thermo t = thermo_;
  t.step = step_;
  t.time_ps = time_ps_;
  t.timestep_ps = time_step_.current();
  return t;
}

bool WaferSimulation::momentum_is_kept() const {
  return !case_.dynamics.thermostat.on && case_.dynamics.stopping.kind == StoppingSettings::Kind::none &&
         case_.dynamics.pkas.empty();
}

std::string WaferSimulation::layout() const {
  const auto& g = plan_.layout.grid;
  return fmt::format("{} tiles as {} x {} of an emulated {}, b = {}; {} ranks emulate {} x {} blocks",
                     g.tiles(), g.width, g.height, plan_.machine.name, plan_.layout.reach, comm_.size(),
                     blocks_.across(), blocks_.down());
}

}  // namespace wafermark::tungsten

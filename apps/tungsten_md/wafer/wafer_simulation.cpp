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

}  // namespace

void WaferSimulation::step(bool with_energy) {
  settle_lost_atoms();
  with_energy_ = with_energy;
  executor_.run();
  time_ps_ += time_step_.current();
  ++step_;
  if (with_energy) thermo_ = measure_all(all_atoms());
}

bool WaferSimulation::swaps_due() const { return step_ > 0 && step_ % plan_.settings.swap_every == 0; }

void WaferSimulation::swap_atoms() {
  const std::int64_t before = plan_.swapped_tables->count();
  swaps_ += block_->swap_atoms(*plan_.choices, *plan_.swapped_atoms, *plan_.swapped_tables);
  tables_swapped_ = comm_.max(plan_.swapped_tables->count() > before ? 1 : 0) > 0;
}

StepLimits<float> WaferSimulation::step_limits() const {
  const auto& a = case_.dynamics.adaptive;
  return {static_cast<float>(a.max_displacement_angstrom), static_cast<float>(a.max_energy_change_ev)};
}

bool WaferSimulation::time_step_limit_due() const {
  return step_ % plan_.settings.time_step_every == 0 || recoil_fired_ || time_step_limit_ <= 0.0;
}

void WaferSimulation::limit_time_step() {
  const float longest = block_->longest_step(
      step_limits(), static_cast<float>(case_.dynamics.adaptive.max_ps), plan_.settings.time_step_every);
  time_step_limit_ = static_cast<double>(plan_.least_time_step->least(comm_, longest));
  ++time_step_limits_;
}

void WaferSimulation::choose_time_step() {
  time_step_.accept(time_step_limit_);
  if (plan_.settings.time_step_every == 1) return;
  // What a reduction in this step would have given.
  const auto& a = case_.dynamics.adaptive;
  const double allowed = comm_.min(block_->longest_step(step_limits(), static_cast<float>(a.max_ps), 1));
  if (time_step_.current() > std::max(allowed, a.min_ps) * (1.0 + 1e-6)) ++steps_too_long_;
}

void WaferSimulation::kick_and_drift() { block_->kick_and_drift(static_cast<float>(time_step_.current())); }

void WaferSimulation::send_positions() {
  const Region region(times_, "multicast");
  new_lists_ = block_->multicast_positions(*plan_.positions, step_ % plan_.settings.list_reuse == 0);
}

void WaferSimulation::sum_densities() {
  const Region region(times_, "densities");
  block_->sum_densities();
  block_->count_items(items_);
  const int most = block_->max_neighbours();
  if (most > plan_.list_capacity)
    throw std::runtime_error(
        fmt::format("neighbour list of a tile: found {} neighbours, expected at most {}: atoms are "
                    "packed far more densely than in the crystal",
                    most, plan_.list_capacity));
}

void WaferSimulation::send_slopes() {
  const Region region(times_, "multicast");
  block_->multicast_slopes(*plan_.slopes);
}

void WaferSimulation::sum_forces() {
  const Region region(times_, "forces");
  block_->sum_forces(with_energy_);
}

void WaferSimulation::kick() { block_->kick(static_cast<float>(time_step_.current())); }

void WaferSimulation::slow() {
  const auto& stopping = case_.dynamics.stopping;
  const bool table = stopping.kind == StoppingSettings::Kind::table;
  std::vector<StoppingLaw<float>> laws;
  for (std::size_t type = 0; type < start_.masses.size(); ++type)
    laws.push_back({table, static_cast<float>(stopping.coefficient),
                    static_cast<float>(stopping.cutoff_energy_ev), stopping_energy_.data(),
                    table ? stopping_power_[type].data() : nullptr,
                    static_cast<int>(stopping_energy_.size())});
  const std::vector<double> lost = block_->slow(laws, static_cast<float>(time_step_.current()));
  ledger_.stopping_ev += ordered_sum(lost);
  block_->count_of_atoms(lost, items_.fast, items_.slow);
}

bool WaferSimulation::bath_acts() const { return case_.dynamics.thermostat.acts(time_ps_); }

void WaferSimulation::bathe() {
  const auto& thermostat = case_.dynamics.thermostat;
  std::vector<HeatBath<float>> baths;
  for (const double mass : start_.masses) {
    const double speed2 =
        units::boltzmann_ev_per_k * thermostat.temperature_k(time_ps_) / units::amu_a2_per_ps2_in_ev / mass;
    baths.push_back(heat_bath(static_cast<float>(time_step_.current() / thermostat.damping_time_ps),
                              static_cast<float>(speed2)));
  }
  const std::vector<double> heat =
      block_->bathe(quiet_region(thermostat, start_.box), baths, case_.run.seed, step_);
  ledger_.thermostat_ev += ordered_sum(heat);
  block_->count_of_atoms(heat, items_.bathed, items_.unbathed);
}

void WaferSimulation::fire_due_pkas() {
  const auto& pkas = case_.dynamics.pkas;
  const std::size_t before = pkas_fired_;
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
      gained = 0.5 * start_.masses[static_cast<std::size_t>(a.type)] * units::amu_a2_per_ps2_in_ev *
               (squared(a.v) - squared(old));
    }
    recoils_.push_back(recoil);
    recoils_.back().energy_gained_ev = comm_.sum(gained);
    ledger_.pka_ev += recoils_.back().energy_gained_ev;
  }
  recoil_fired_ = pkas_fired_ > before;
}

WaferSimulation::WaferSimulation(const Communicator& comm, const Case& what, TilePlan plan,
                                 const Configuration& start, RegionTimes& times)
    : comm_(comm),
      case_(what),
      times_(times),
      start_(with_velocities(start, what)),
      plan_(std::move(plan)),
      blocks_(comm, plan_.grid, what.wafer.blocks_across, what.wafer.blocks_down),
      block_(std::make_unique<TileBlock>(comm, blocks_.of_patches(), plan_.layout, start_, plan_.tables,
                                         plan_.squares, what.wafer)),
      items_(block_->items()),
      executor_(comm, blocks_, plan_.machine, tile_step(plan_, items_, this), items_.working, times),
      time_step_(what.dynamics.adaptive, what.run.timestep_ps),
      step_(start.step),
      time_ps_(start.time_ps) {
  check_recoils(what, start.box);
  require_recoil_elements(comm, what.dynamics.pkas, start.atoms);
  if (what.dynamics.stopping.kind == StoppingSettings::Kind::table) {
    const StoppingTable t = read_stopping_table(what.dynamics.stopping.file);
    stopping_energy_.assign(t.energy_ev.begin(), t.energy_ev.end());
    for (const std::vector<double>& power : t.power_ev_per_angstrom)
      stopping_power_.emplace_back(power.begin(), power.end());
  }
  executor_.record().trace(what.wafer.traced_tiles, 20);
  if (plan_.tables.elements.size() > 1) send_types();
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
  with_energy_ = true;
  send_positions();
  sum_densities();
  send_slopes();
  sum_forces();
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
  return !case_.dynamics.thermostat.on() && case_.dynamics.stopping.kind == StoppingSettings::Kind::none &&
         case_.dynamics.pkas.empty() && lost_atoms_ == 0;
}

std::string WaferSimulation::layout() const {
  const auto& g = plan_.grid;
  return fmt::format("{} tiles as {} x {} of an emulated {}, b = {}{}; {} ranks emulate {} x {} blocks",
                     g.tiles(), g.width, g.height, plan_.machine.name, plan_.layout.reach,
                     plan_.tried.empty() ? "" : fmt::format(" ({})", choice_text(plan_.tried)), comm_.size(),
                     blocks_.across(), blocks_.down());
}

}  // namespace wafermark::tungsten

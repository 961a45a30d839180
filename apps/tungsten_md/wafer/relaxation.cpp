#include "tungsten_md/wafer/relaxation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/errors.hpp"
#include "tungsten_md/wafer/tile_program.hpp"
#include "tungsten_md/wafer/tile_step.hpp"
#include "tungsten_md/wafer/wafer_simulation.hpp"

namespace wafermark::tungsten {
namespace {

float largest_component(const Vector<float>& v) {
  float largest = 0.0f;
  for (const float component : {v.x, v.y, v.z}) {
    const float s = std::abs(component);
    largest = std::max(largest, s < 1e30f ? s : 1e30f);  // what is no number must not pass as small
  }
  return largest;
}

}  // namespace

void require_reachable(const RelaxSettings& settings) {
  constexpr double finest = 1e-4;  // eV/Angstrom: no force component is known better
  if (settings.max_steps > 0 && settings.force_tolerance_ev_per_angstrom < finest)
    throw InputError(fmt::format(
        "relax.force_tolerance_ev_per_angstrom: found {}, expected at least {} with --target wafer, "
        "whose forces are fp32",
        settings.force_tolerance_ev_per_angstrom, finest));
}

Relaxation::Relaxation(const TilePlan& plan, const TileItems& items, WaferSimulation& run)
    : code(plan.machine), reduction(std::make_shared<wse::AllReduce>(RelaxationSums::words)) {
  WaferSimulation* r = &run;
  step.compute("fire_products", {{code.products, items.atoms}});
  step.pattern("fire_reduction", reduction, 12)
      .receives(plan.settings.blocking_receives ? wse::Receiving::blocking : wse::Receiving::tasks)
      .does([r] { r->reduce_products(); });
  step.compute("fire_move", {{code.move, items.atoms}}).does([r] { r->move_downhill(); });
  add_forces(step, plan, items, &run);
}

float WaferSimulation::inverse_mass(const TileAtom& a) const {
  return static_cast<float>(1.0 / start_.masses[static_cast<std::size_t>(a.type)]);
}

void WaferSimulation::reduce_products() {
  constexpr std::size_t n = RelaxationSums::summed, words = RelaxationSums::words;
  std::vector<float> of_tiles(words * static_cast<std::size_t>(blocks_.mine().tiles()), 0.0f);
  float largest_v = 0.0f, largest_f = 0.0f;
  for (std::size_t i = 0; i < block_->tiles(); ++i) {
    const TileAtom& a = block_->atom(i);
    if (a.id < 0) continue;
    const float m = inverse_mass(a), fv = product(a.f, a.v), f2 = product(a.f, a.f);
    const float summed[n] = {fv, product(a.v, a.v), fv * m, f2, f2 * m * m};
    std::copy_n(summed, n, of_tiles.begin() + static_cast<std::ptrdiff_t>(words * block_->mover(i)));
    largest_v = std::max(largest_v, largest_component(a.v));
    largest_f = std::max(largest_f, largest_component(a.f));
  }
  const std::vector<float> sums = relaxing_->reduction->sums(comm_, blocks_, plan_.machine.fabric, of_tiles);
  relaxing_->sums = {sums[0], sums[1], sums[2], sums[3], sums[4], comm_.max(largest_v), comm_.max(largest_f)};
}

void WaferSimulation::move_downhill() {
  FireSchedule& schedule = relaxing_->schedule;
  RelaxationSums& sums = relaxing_->sums;
  const bool downhill = schedule.accept(static_cast<double>(sums.power));
  const auto dt = static_cast<float>(schedule.step()), mixing = static_cast<float>(schedule.mixing());
  if (!downhill) sums.v2 = sums.fv_over_m = sums.largest_v = 0.0f;
  const float c = tungsten::kick(0.0f, 1.0f, 1.0f, dt);
  const float v2 = sums.v2 + c * (2.0f * sums.fv_over_m + c * sums.f2_over_m2);
  const float along = sums.f2 > 0.0f ? mixing * std::sqrt(std::max(0.0f, v2) / sums.f2) : 0.0f;
  const double lightest = *std::min_element(start_.masses.begin(), start_.masses.end());
  const float fastest =
      (1.0f - mixing) * (sums.largest_v + c * sums.largest_f / static_cast<float>(lightest)) +
      along * sums.largest_f;
  const auto safe = static_cast<float>(schedule.safe_step(static_cast<double>(fastest)));
  for (std::size_t i = 0; i < block_->tiles(); ++i) {
    TileAtom& a = block_->atom(i);
    if (a.id < 0) continue;
    if (!downhill) {
      a.x = drifted(a.x, a.v, -0.5f * dt);
      a.v = {};
    }
    a.v = turned_towards(kicked(a.v, a.f, inverse_mass(a), dt), a.f, mixing, along);
    a.x = drifted(a.x, a.v, safe);
  }
}

double WaferSimulation::largest_force() const {
  float largest = 0.0f;
  for (std::size_t i = 0; i < block_->tiles(); ++i)
    if (block_->atom(i).id >= 0) largest = std::max(largest, largest_component(block_->atom(i).f));
  return static_cast<double>(comm_.max(largest));
}

void WaferSimulation::relax(const std::function<void()>& before_step) {
  const RelaxSettings& settings = case_.dynamics.relax;
  relaxing_ = std::make_unique<Relaxation>(plan_, items_, *this);
  wse::Executor executor(comm_, blocks_, plan_.machine, relaxing_->step, items_.working, times_);
  for (std::size_t i = 0; i < block_->tiles(); ++i) block_->atom(i).v = {};
  with_energy_ = false;
  RelaxationRecord record;
  FireResult& result = record.result;
  for (;; ++result.steps) {
    if (before_step) before_step();
    result.max_force = largest_force();
    result.converged = result.max_force <= settings.force_tolerance_ev_per_angstrom;
    if (result.converged || result.steps >= settings.max_steps) break;
    executor.run();
  }
  if (result.steps > 0)
    record.cycles_of_step =
        static_cast<double>(executor.clocks().latest()) / static_cast<double>(result.steps);
  give_starting_velocities();
  evaluate_energy();
  result.energy_ev = thermo_.potential_ev;
  ledger_.initial_ev = thermo_.total_ev();
  relaxation_ = record;
  relaxing_.reset();
}

void WaferSimulation::give_starting_velocities() {
  const Atoms& begun = start_.atoms;
  for (std::size_t i = 0; i < block_->tiles(); ++i) {
    TileAtom& a = block_->atom(i);
    if (a.id < 0) continue;
    a.v = {};
    if (!(case_.dynamics.temperature.draw_k > 0.0)) continue;
    const auto k = std::lower_bound(begun.id.begin(), begun.id.end(), a.id) - begun.id.begin();
    const Vec3& v = begun.v[static_cast<std::size_t>(k)];
    a.v = {static_cast<float>(v[0]), static_cast<float>(v[1]), static_cast<float>(v[2])};
  }
}

}  // namespace wafermark::tungsten

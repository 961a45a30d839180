#include "tungsten_md/commands/events_of_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace wafermark::tungsten {
namespace {

constexpr std::size_t recoils_shown = 3;

double longest_step_ps(const Case& what) {
  return what.dynamics.adaptive.on() ? what.dynamics.adaptive.max_ps : what.run.timestep_ps;
}

std::string line(const char* name, const std::string& text) { return fmt::format("{:<18}{}\n", name, text); }

/// ", from 2 ps to 5 ps"; empty for a bath that acts all the time.
std::string when(double start_ps, double stop_ps) {
  std::string text;
  if (start_ps > 0.0) text += fmt::format(", from {:.4g} ps", start_ps);
  if (stop_ps < forever_ps) text += fmt::format(", to {:.4g} ps", stop_ps);
  return text;
}

std::string start_of(const DynamicsSettings& d, bool from_file) {
  std::string text = d.temperature.draw_k > 0.0
                         ? fmt::format("velocities drawn at {:.4g} K", d.temperature.draw_k)
                     : from_file ? "velocities of the file, or at rest"
                                 : "at rest";
  if (d.relax.max_steps > 0)
    text = fmt::format("relaxed in at most {} steps{}, then {}", d.relax.max_steps,
                       d.relax.box.on() ? " with its box" : "", text);
  return text;
}

std::string thermostat_of(const ThermostatSettings& t) {
  const bool langevin = t.kind == ThermostatSettings::Kind::langevin;
  std::string kelvin = fmt::format("{:.4g} K", t.schedule_k.front());
  if (t.schedule_k.size() > 1)
    kelvin += fmt::format(" to {:.4g} K, {} times between {:.4g} and {:.4g} ps", t.schedule_k.back(),
                          t.schedule_k.size(), t.schedule_ps.front(), t.schedule_ps.back());
  return fmt::format(
      "{}, {}, damping {:.4g} ps, {}{}",
      langevin ? "Langevin" : fmt::format("Nose-Hoover, chain of {}", t.chain), kelvin, t.damping_time_ps,
      t.border_only ? fmt::format("atoms within {:.4g} Angstrom of the border", t.border_width_angstrom)
                    : "all atoms",
      when(t.start_ps, t.stop_ps));
}

std::string barostat_of(const BarostatSettings& b) {
  return fmt::format("{}, {:.4g} {:.4g} {:.4g} GPa, {}, every {} steps{}",
                     b.kind == BarostatSettings::Kind::berendsen ? "Berendsen" : "stochastic cell rescaling",
                     b.pressure_gpa[0], b.pressure_gpa[1], b.pressure_gpa[2],
                     b.coupling == BoxCoupling::isotropic ? "isotropic" : "each axis", b.every,
                     when(b.start_ps, b.stop_ps));
}

std::string stopping_of(const StoppingSettings& s) {
  return fmt::format("{}, atoms above {:.4g} eV",
                     s.kind == StoppingSettings::Kind::sqrt
                         ? fmt::format("{:.4g} sqrt(E/eV) eV/Angstrom", s.coefficient)
                         : s.file,
                     s.cutoff_energy_ev);
}

std::string electrons_of(const ElectronSettings& e) {
  return fmt::format("{}, coupling {:.4g} ps, atoms of {:.4g} to {:.4g} eV",
                     e.has_cells() ? fmt::format("two temperatures, {} x {} x {} cells from {:.4g} K",
                                                 e.cells[0], e.cells[1], e.cells[2], e.temperature_k)
                                   : fmt::format("friction at {:.4g} K", e.temperature_k),
                     e.coupling_time_ps, e.min_energy_ev, e.max_energy_ev);
}

std::string step_of(const RunSettings& r, const AdaptiveStepSettings& a) {
  if (!a.on()) return fmt::format("{:.4g} ps", r.timestep_ps);
  std::string limits;
  if (a.max_displacement_angstrom > 0.0)
    limits += fmt::format(", no atom farther than {:.4g} Angstrom", a.max_displacement_angstrom);
  if (a.max_energy_change_ev > 0.0)
    limits += fmt::format(", no atom more than {:.4g} eV", a.max_energy_change_ev);
  return fmt::format("adaptive, {:.4g} to {:.4g} ps{}", a.min_ps, a.max_ps, limits);
}

std::string recoil_of(const PkaSettings& p) {
  const auto vector = [](const Vec3& v) { return fmt::format("({:.3g} {:.3g} {:.3g})", v[0], v[1], v[2]); };
  return fmt::format("{:.6g} eV{} at {:.4g} ps, {}, along {}", p.energy_ev,
                     p.element.empty() ? "" : " of " + p.element, p.time_ps,
                     p.random_site ? "a random site"
                     : p.position  ? "near " + vector(*p.position)
                                   : "the centre",
                     p.direction ? vector(*p.direction) : "a random direction");
}

std::string dose_of(const DoseSettings& d) {
  std::string text =
      d.method == DoseSettings::Method::insertion
          ? fmt::format("atoms moved to random places, {} between two relaxations", d.pairs_at_once)
          : fmt::format(
                "recoils of {}, the first at {:.4g} ps, each followed for {:.4g} to {:.4g} ps until no atom "
                "has {:.4g} eV, then "
                "{:.4g} ps of rest at {:.4g} K",
                d.spectrum_file.empty() ? fmt::format("{:.6g} eV", d.spectrum.largest_ev()) : d.spectrum_file,
                d.first_ps, d.least_hot_ps, d.most_hot_ps, d.hot_energy_ev, d.rest_ps, d.rest_temperature_k);
  if (std::isfinite(d.stop_dpa)) text += fmt::format(", to {:.4g} dpa", d.stop_dpa);
  if (d.saturation_events > 0)
    text += fmt::format(", or until {} events change nothing", d.saturation_events);
  return text;
}

std::string outputs_of(const OutputSettings& o, bool defects) {
  std::vector<std::string> parts;
  const auto every = [&](const char* name, std::int64_t steps) {
    if (steps > 0) parts.push_back(fmt::format("{} every {} steps", name, steps));
  };
  every("thermo", o.thermo_every);
  if (defects && o.defects_every == 0) parts.emplace_back("defects at each event");
  every("defects", o.defects_every);
  every("trajectory", o.trajectory_every);
  every("checkpoint", o.checkpoint_every);
  return parts.empty() ? "none" : fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace

std::optional<StepCount> steps_to_the_end(const Case& what, const std::optional<DoseLength>& dose) {
  const DoseSettings& d = what.dose;
  if (d.method == DoseSettings::Method::insertion || (d.saturation_events > 0 && !dose)) return std::nullopt;
  const double dose_ps = dose ? dose->least_ps : std::numeric_limits<double>::infinity();
  const double by_time = std::ceil(std::min(what.run.duration_ps, dose_ps) / longest_step_ps(what));
  const auto most = static_cast<double>(what.run.steps);
  if (most <= by_time) return StepCount{most, false};
  return StepCount{by_time, what.dynamics.adaptive.on() || dose_ps < what.run.duration_ps};
}

std::string events_of_run(const Case& what) {
  const DynamicsSettings& d = what.dynamics;
  std::string text = line("start", start_of(d, !what.structure.lattice));
  if (d.thermostat.on()) text += line("thermostat", thermostat_of(d.thermostat));
  if (d.barostat.on()) text += line("barostat", barostat_of(d.barostat));
  if (d.stopping.kind != StoppingSettings::Kind::none) text += line("stopping", stopping_of(d.stopping));
  if (d.electrons.on()) text += line("electrons", electrons_of(d.electrons));
  for (std::size_t k = 0; k < std::min(d.pkas.size(), recoils_shown); ++k)
    text += line(k == 0 ? "recoils" : "", recoil_of(d.pkas[k]));
  if (d.pkas.size() > recoils_shown)
    text += line("", fmt::format("and {} more", d.pkas.size() - recoils_shown));
  if (what.dose.on()) text += line("dose", dose_of(what.dose));
  if (d.swaps.on())
    text += line("swaps",
                 fmt::format("{} exchanges of elements every {} steps", d.swaps.attempts, d.swaps.every));
  text += line("time step", step_of(what.run, d.adaptive));
  const double most_ps = double(what.run.steps) * longest_step_ps(what);
  text +=
      line("ends", std::isfinite(what.run.duration_ps)
                       ? fmt::format("at {:.6g} ps, or after {} steps", what.run.duration_ps, what.run.steps)
                       : fmt::format("after {} steps, {}{:.6g} ps", what.run.steps,
                                     d.adaptive.on() ? "at most " : "", most_ps));
  text += line("output", outputs_of(what.output, what.counts_defects()));
  return text;
}

}  // namespace wafermark::tungsten

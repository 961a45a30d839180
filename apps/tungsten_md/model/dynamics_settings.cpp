#include "tungsten_md/model/dynamics_settings.hpp"

#include <algorithm>
#include <cmath>

namespace wafermark::tungsten {
namespace {

constexpr Range kelvin{0, 1e6};  // more is no matter of interatomic potentials

/// One temperature, or straight lines through several.
void read_schedule(Deck& deck, ThermostatSettings& t) {
  const double one = deck.number("thermostat.temperature_k", 300.0, "of the heat bath", kelvin);
  const auto times = deck.numbers("thermostat.schedule_ps", std::vector<double>{},
                                  "times at which the bath has the temperatures of thermostat.schedule_k: "
                                  "ramps between them, as before the first and behind the last");
  const auto kelvins = deck.numbers("thermostat.schedule_k", std::vector<double>{},
                                    "temperatures at these times, instead of thermostat.temperature_k");
  t.schedule_ps = {0.0};
  t.schedule_k = {one};
  if (times.empty() && kelvins.empty()) return;
  if (deck.has("thermostat.temperature_k"))
    deck.reject("thermostat.temperature_k", "none beside thermostat.schedule_k");
  if (times.size() != kelvins.size())
    deck.reject(deck.has("thermostat.schedule_k") ? "thermostat.schedule_k" : "thermostat.schedule_ps",
                "as many temperatures as times: thermostat.schedule_k and thermostat.schedule_ps");
  for (std::size_t i = 0; i < times.size(); ++i)
    if (!(times[i] >= 0.0) || times[i] > forever_ps || (i > 0 && !(times[i] > times[i - 1])))
      deck.reject("thermostat.schedule_ps", "times of at least 0 that ascend");
  for (const double k : kelvins)
    if (!kelvin.holds(k)) deck.reject("thermostat.schedule_k", "temperatures from 0 to 1e6");
  t.schedule_ps = times;
  t.schedule_k = kelvins;
}

ThermostatSettings read_thermostat(Deck& deck) {
  ThermostatSettings t;
  const std::string kind = deck.choice("thermostat.kind", "none", {"none", "langevin", "nose_hoover"},
                                       "what holds the temperature: friction and noise, or a chain");
  t.kind = kind == "langevin"      ? ThermostatSettings::Kind::langevin
           : kind == "nose_hoover" ? ThermostatSettings::Kind::nose_hoover
                                   : ThermostatSettings::Kind::none;
  t.border_only = deck.choice("thermostat.region", "box", {"box", "border"},
                              "all atoms, or those near the faces of the periodic axes") == "border";
  read_schedule(deck, t);
  t.damping_time_ps = deck.number("thermostat.damping_time_ps", 0.1,
                                  "velocities forget themselves in this time (of a chain: its period / 2 pi)",
                                  {0, 1e9, true});
  t.chain = static_cast<int>(deck.integer("thermostat.chain_links", 3, "of a Nose-Hoover chain", {1, 10}));
  t.border_width_angstrom =
      deck.number("thermostat.border_width_angstrom", 6.0, "depth of the border", {0, 1e9, true});
  t.start_ps = deck.number("thermostat.start_ps", 0.0, "acts from here", {0, forever_ps});
  t.stop_ps = deck.number("thermostat.stop_ps", forever_ps, "to here", {0, forever_ps, true});
  if (t.stop_ps <= t.start_ps) deck.reject("thermostat.stop_ps", "a time after thermostat.start_ps");
  if (t.kind != ThermostatSettings::Kind::nose_hoover) return t;
  if (t.border_only)
    deck.reject("thermostat.region", "\"box\": a Nose-Hoover chain knows the temperature of all atoms only");
  for (const double k : t.schedule_k)
    if (!(k > 0.0))
      deck.reject("thermostat.kind", "\"langevin\" for a bath of 0 K: a Nose-Hoover chain needs some heat");
  return t;
}

StoppingSettings read_stopping(Deck& deck) {
  StoppingSettings s;
  const std::string kind = deck.choice("stopping.kind", "none", {"none", "sqrt", "table"},
                                       "electronic stopping: S = k sqrt(E), or a table of E and S");
  s.kind = kind == "sqrt"    ? StoppingSettings::Kind::sqrt
           : kind == "table" ? StoppingSettings::Kind::table
                             : StoppingSettings::Kind::none;
  s.coefficient = deck.number("stopping.coefficient_sqrt_ev_per_angstrom", 0.2167,
                              "k for E in eV; the default is SRIM for W in W", {0, 1e6, true});
  s.file = deck.text("stopping.file", "",
                     "table: lines of E (eV) and S (eV/Angstrom) of each of potential.elements");
  if (s.kind == StoppingSettings::Kind::table) {
    if (s.file.empty()) deck.reject("stopping.file", "a file, for stopping.kind = \"table\"");
    s.file = deck.resolve_path(s.file);
  } else if (!s.file.empty()) {
    deck.reject("stopping.file", "none, or stopping.kind = \"table\"");
  }
  s.cutoff_energy_ev =
      deck.number("stopping.cutoff_energy_ev", 10.0, "slower atoms are not stopped", {0, 1e12});
  return s;
}

PkaSettings read_pka(Deck& deck) {
  PkaSettings p;
  p.energy_ev = deck.number("energy_ev", std::nullopt, "kinetic energy given to the atom", {0, 1e9, true});
  const auto direction = deck.numbers("direction", std::vector<double>{}, "of the recoil; none: random");
  if (!direction.empty()) {
    const double length = direction.size() == 3 ? std::hypot(direction[0], direction[1], direction[2]) : 0.0;
    if (!Range{0, 1e100, true}.holds(length)) deck.reject("direction", "three numbers that are not all zero");
    p.direction = Vec3{direction[0] / length, direction[1] / length, direction[2] / length};
  }
  p.random_site = deck.choice("site", "center", {"center", "random"}, "which atom") == "random";
  const auto position =
      deck.numbers("position_angstrom", std::vector<double>{}, "the atom nearest to it, instead of site");
  if (!position.empty()) {
    if (position.size() != 3) deck.reject("position_angstrom", "three numbers");
    p.position = Vec3{position[0], position[1], position[2]};
  }
  p.element = deck.text("element", "", "of the atom: the nearest one of it is hit; none: of any");
  p.time_ps = deck.number("time_ps", 0.0, "when", {0, 1e12});
  return p;
}

AdaptiveStepSettings read_adaptive(Deck& deck, double timestep) {
  AdaptiveStepSettings a;
  a.max_displacement_angstrom = deck.number("adaptive_timestep.max_displacement_angstrom", 0.0,
                                            "of any atom in a step; 0: the time step is fixed", {0, 1e3});
  a.max_energy_change_ev = deck.number("adaptive_timestep.max_energy_change_ev", 0.0,
                                       "|F v| dt of any atom; 0: no limit", {0, 1e9});
  a.min_ps = deck.number("adaptive_timestep.min_ps", 1e-7, "shortest step", timestep_in_ps);
  a.max_ps = deck.number("adaptive_timestep.max_ps", timestep, "longest step", timestep_in_ps);
  a.growth = deck.number("adaptive_timestep.growth", 1.05, "largest ratio of a step to the one before",
                         {1, 1e6, true});
  if (a.max_ps < a.min_ps) deck.reject("adaptive_timestep.max_ps", "at least adaptive_timestep.min_ps");
  return a;
}

/// What barostat, thermostat and time step say together.
void check_barostat(const Deck& deck, const DynamicsSettings& d, double timestep) {
  const BarostatSettings& b = d.barostat;
  if (b.kind == BarostatSettings::Kind::stochastic && !d.thermostat.on())
    deck.reject("barostat.kind",
                "\"berendsen\", or a thermostat beside it, whose temperature the box shares");
  const double between = b.every * std::max(timestep, d.adaptive.on() ? d.adaptive.max_ps : 0.0);
  if (b.on() && b.relaxation_time_ps < between)
    deck.reject("barostat.every_steps",
                "fewer steps, or a longer barostat.relaxation_time_ps: the box must change more often than "
                "it relaxes");
}

}  // namespace

double ThermostatSettings::temperature_k(double time_ps) const {
  if (time_ps <= schedule_ps.front()) return schedule_k.front();
  for (std::size_t i = 1; i < schedule_ps.size(); ++i)
    if (time_ps < schedule_ps[i]) {
      const double share = (time_ps - schedule_ps[i - 1]) / (schedule_ps[i] - schedule_ps[i - 1]);
      return schedule_k[i - 1] + share * (schedule_k[i] - schedule_k[i - 1]);
    }
  return schedule_k.back();
}

double ThermostatSettings::hottest_k() const {
  return *std::max_element(schedule_k.begin(), schedule_k.end());
}

DynamicsSettings DynamicsSettings::read(Deck& deck) {
  DynamicsSettings d;
  d.temperature.initial_k =
      deck.number("temperature.initial_k", 0.0, "temperature aimed at; 0: velocities as they are", kelvin);
  d.temperature.draw_k =
      deck.number("temperature.draw_k", d.temperature.initial_k,
                  "velocities are drawn at this one (twice the aim from a perfect lattice)", kelvin);
  d.thermostat = read_thermostat(deck);
  d.stopping = read_stopping(deck);
  d.electrons = ElectronSettings::read(deck, d.temperature.initial_k);
  d.swaps = SwapSettings::read(deck);
  if (d.swaps.on() && d.swaps.temperature_k == 0.0 && !d.thermostat.on() && !(d.temperature.initial_k > 0.0))
    deck.reject("swaps.temperature_k", "above 0, or a thermostat or temperature.initial_k above 0");
  for (Deck& pka : deck.tables("pka", "primary knock-on atoms")) d.pkas.push_back(read_pka(pka));
  std::stable_sort(d.pkas.begin(), d.pkas.end(),
                   [](const PkaSettings& a, const PkaSettings& b) { return a.time_ps < b.time_ps; });
  const double timestep =
      deck.number("run.timestep_ps", 0.001, "time step; the first one when it is adaptive", timestep_in_ps);
  d.adaptive = read_adaptive(deck, timestep);
  d.barostat = BarostatSettings::read(deck);
  check_barostat(deck, d, timestep);
  d.relax.max_steps =
      deck.integer("relax.max_steps", 0, "FIRE steps before the run; 0: no relaxation", {0, 1e9});
  d.relax.force_tolerance_ev_per_angstrom = deck.number(
      "relax.force_tolerance_ev_per_angstrom", 1e-6, "largest force component when relaxed", {0, 1e9, true});
  d.relax.box = BoxRelaxation::read(deck);
  if (d.relax.box.on() && d.relax.max_steps == 0)
    deck.reject("relax.box", "\"fixed\", or relax.max_steps above 0");
  return d;
}

}  // namespace wafermark::tungsten

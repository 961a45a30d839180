// What acts on the atoms beside their forces: the deck's [temperature], [thermostat], [barostat], [stopping],
// [electrons], [swaps], [[pka]], [adaptive_timestep] and [relax].
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "common/deck.hpp"
#include "tungsten_md/model/box.hpp"
#include "tungsten_md/model/electron_settings.hpp"
#include "tungsten_md/model/pressure_settings.hpp"
#include "tungsten_md/model/swap_settings.hpp"

namespace wafermark::tungsten {

/// Of time steps, in ps: from what no number in double precision feels to what no crystal survives.
inline constexpr Range timestep_in_ps{1e-12, 1e3};

struct TemperatureSettings {
  double draw_k = 0.0;     ///< velocities are drawn at this temperature; 0: at rest, or as the file has them
  double initial_k = 0.0;  ///< what is aimed at, for the record: half of draw_k from a perfect lattice
};

struct ThermostatSettings {
  enum class Kind { none, langevin, nose_hoover } kind = Kind::none;
  bool border_only = false;
  /// The temperature at some times: straight lines between them, the first and the last beyond.
  std::vector<double> schedule_ps{0.0}, schedule_k{0.0};
  double damping_time_ps = 0.1;
  double border_width_angstrom = 6.0;
  int chain = 3;  ///< links of a Nose-Hoover chain
  double start_ps = 0.0, stop_ps = std::numeric_limits<double>::infinity();

  bool on() const { return kind != Kind::none; }
  bool acts(double time_ps) const { return on() && time_ps >= start_ps && time_ps < stop_ps; }
  /// A bath of one temperature for all atoms.
  static ThermostatSettings of_kind(Kind kind, double kelvin, double damping_time_ps = 0.1) {
    ThermostatSettings t;
    t.kind = kind;
    t.schedule_k = {kelvin};
    t.damping_time_ps = damping_time_ps;
    return t;
  }
  double temperature_k(double time_ps) const;
  double hottest_k() const;
};

struct StoppingSettings {
  enum class Kind { none, sqrt, table } kind = Kind::none;
  double coefficient = 0.0;  ///< S = coefficient sqrt(E / eV), eV/Angstrom
  std::string file;
  double cutoff_energy_ev = 10.0;  ///< atoms below it are not slowed
};

struct PkaSettings {
  double energy_ev = 0.0;
  std::optional<Vec3> direction;  ///< unit vector; empty: random
  std::optional<Vec3> position;   ///< the nearest atom is hit
  bool random_site = false;       ///< else, without a position: the atom nearest to the box's centre
  double time_ps = 0.0;
  std::string element{};  ///< of the atom that is hit: the nearest one of it; empty: any
  int type = -1;          ///< its number among potential.elements, or -1
};

struct AdaptiveStepSettings {
  double max_displacement_angstrom = 0.0;  ///< of any atom in a step; 0: fixed time step
  double max_energy_change_ev = 0.0;       ///< |F v| dt of any atom; 0: no limit
  double min_ps = 1e-6, max_ps = 0.002;
  double growth = 1.05;  ///< largest ratio to the step before
  bool on() const { return max_displacement_angstrom > 0.0 || max_energy_change_ev > 0.0; }
};

struct RelaxSettings {
  std::int64_t max_steps = 0;  ///< 0: no relaxation
  double force_tolerance_ev_per_angstrom = 1e-6;
  BoxRelaxation box;
};

struct DynamicsSettings {
  TemperatureSettings temperature;
  ThermostatSettings thermostat;
  BarostatSettings barostat;
  StoppingSettings stopping;
  ElectronSettings electrons;
  SwapSettings swaps;
  std::vector<PkaSettings> pkas;  ///< in the order of their times
  AdaptiveStepSettings adaptive;
  RelaxSettings relax;

  static DynamicsSettings read(Deck& deck);
};

}  // namespace wafermark::tungsten

// A heat bath without noise for all atoms: a Nose-Hoover chain (the arithmetic: kernels/nose_hoover.hpp).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tungsten_md/dynamics/particles.hpp"
#include "tungsten_md/model/dynamics_settings.hpp"

namespace wafermark::tungsten {

class NoseHooverThermostat {
 public:
  explicit NoseHooverThermostat(const ThermostatSettings& settings)
      : settings_(settings),
        position_(static_cast<std::size_t>(settings.chain)),
        velocity_(static_cast<std::size_t>(settings.chain)) {}

  bool acts(double time_ps) const {
    return settings_.kind == ThermostatSettings::Kind::nose_hoover && settings_.acts(time_ps);
  }
  /// Acts for `dt` beside `atoms` atoms of all ranks with this kinetic energy, eV, the same on all ranks.
  /// Returns the heat that they took, of all ranks.
  double apply(Particles& p, std::int64_t atoms, double kinetic_ev, double time_ps, double dt);

  /// What the bath holds of the heat that it took from the atoms, eV: with what it gave, zero but for the
  /// error of its integration.
  double held_ev() const { return held_ev_; }

  /// For checkpoints.
  std::map<std::string, double> state() const;
  void resume(const std::map<std::string, double>& numbers);

 private:
  ThermostatSettings settings_;
  std::vector<double> position_, velocity_;
  double held_ev_ = 0.0, potential_ev_ = 0.0;
};

}  // namespace wafermark::tungsten

// A heat bath for all atoms, or for a border that carries a cascade's heat away.
#pragma once

#include <cstdint>
#include <optional>

#include "tungsten_md/dynamics/particles.hpp"
#include "tungsten_md/dynamics/running_sum.hpp"
#include "tungsten_md/kernels/heat_bath.hpp"
#include "tungsten_md/model/box.hpp"
#include "tungsten_md/model/dynamics_settings.hpp"

namespace wafermark::tungsten {

/// Where the thermostat leaves atoms alone.
QuietRegion<double> quiet_region(const ThermostatSettings& settings, const Box& box);
class LangevinThermostat {
 public:
  LangevinThermostat(const ThermostatSettings& settings, std::uint64_t seed)
      : settings_(settings), seed_(seed) {}

  /// Acts for `dt` at the end of step `step` (noise by seed, atom and step). Adds the heat that this
  /// rank's atoms took from the bath, eV, to `heat`: the exact change of their kinetic energy.
  void apply(Particles& p, const Box& box, double time_ps, double dt, std::int64_t step,
             RunningSum& heat) const;
  /// From now on the border is that of a box with this place in its middle.
  void centre_on(const Vec3& place) { centre_ = place; }

 private:
  ThermostatSettings settings_;
  std::uint64_t seed_;
  std::optional<Vec3> centre_;
};

}  // namespace wafermark::tungsten

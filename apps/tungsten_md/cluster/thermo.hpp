// The state of a run in a few numbers.
#pragma once

#include <array>
#include <cstdint>

#include "common/communicator.hpp"
#include "tungsten_md/cluster/force_field.hpp"
#include "tungsten_md/cluster/particles.hpp"

namespace wafermark::tungsten {

/// Sums over all ranks. T = 2 E_kin / (3 (N - 1) k); P = (2 E_kin + sum of virial's diagonal) / (3 V).
struct Thermo {
  std::int64_t step = 0;
  double time_ps = 0, timestep_ps = 0;
  double kinetic_ev = 0, potential_ev = 0;
  double temperature_k = 0;
  double pressure_gpa = 0;           ///< of the box's volume; without meaning where an axis is open
  std::array<double, 3> momentum{};  ///< amu Angstrom / ps
  double thermal_momentum = 0;       ///< sum of m |v|, the scale for `momentum`

  double total_ev() const { return kinetic_ev + potential_ev; }
};

/// Collective. `share`: this rank's energy and virial.
Thermo measure(const Communicator& comm, const Particles& p, const EnergyVirial& share, std::int64_t atoms,
               double volume);

}  // namespace wafermark::tungsten

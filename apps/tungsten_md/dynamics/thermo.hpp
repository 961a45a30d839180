// The state of a run in a few numbers.
#pragma once

#include <array>

#include "common/communicator.hpp"
#include "tungsten_md/dynamics/particles.hpp"
#include "tungsten_md/model/dynamics.hpp"

namespace wafermark::tungsten {

/// This rank's share of the potential energy and virial; sums over ranks are the whole.
struct EnergyVirial {
  double energy = 0.0;                             ///< eV
  std::array<double, 6> virial{0, 0, 0, 0, 0, 0};  ///< sum r_a F_b over pairs: xx yy zz xy xz yz, eV
};

/// Collective. `share`: this rank's energy and virial.
Thermo measure(const Communicator& comm, const Particles& p, const EnergyVirial& share, std::int64_t atoms,
               const Box& box);

}  // namespace wafermark::tungsten

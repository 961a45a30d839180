// The state of a run in a few numbers.
#pragma once

#include "common/communicator.hpp"
#include "tungsten_md/cluster/force_field.hpp"
#include "tungsten_md/cluster/particles.hpp"
#include "tungsten_md/model/dynamics.hpp"

namespace wafermark::tungsten {

/// Collective. `share`: this rank's energy and virial.
Thermo measure(const Communicator& comm, const Particles& p, const EnergyVirial& share, std::int64_t atoms,
               double volume);

}  // namespace wafermark::tungsten

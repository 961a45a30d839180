// All atoms of a wafer as the native target's functions want them.
#pragma once

#include <vector>

#include "tungsten_md/cluster/particles.hpp"
#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

/// Every atom of `c` as local particles of one rank.
Particles to_particles(const Configuration& c);
/// Velocities of the local particles, Angstrom/ps.
std::vector<Vec3> velocities_of(const Particles& p);

}  // namespace wafermark::tungsten

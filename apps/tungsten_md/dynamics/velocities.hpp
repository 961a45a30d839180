// Starting velocities.
#pragma once

#include <cstdint>

#include "common/communicator.hpp"
#include "tungsten_md/dynamics/particles.hpp"

namespace wafermark::tungsten {

/// Maxwell velocities at `temperature_k`, by (seed, atom id): the same for any number of ranks. The total
/// momentum is removed and the velocities are scaled so that T is exact (3 (N - 1) degrees of freedom).
/// Collective.
void draw_velocities(const Communicator& comm, Particles& p, std::int64_t atoms, double temperature_k,
                     std::uint64_t seed);

}  // namespace wafermark::tungsten

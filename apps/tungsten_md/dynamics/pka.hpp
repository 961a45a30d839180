// Primary knock-on atoms: the recoil that starts a cascade.
#pragma once

#include <cstdint>

#include "common/communicator.hpp"
#include "tungsten_md/dynamics/particles.hpp"
#include "tungsten_md/model/dynamics.hpp"
#include "tungsten_md/model/dynamics_settings.hpp"

namespace wafermark::tungsten {

/// Gives the chosen atom `pka.energy_ev` on top of what it has: its velocity gains a component along
/// `direction` such that its kinetic energy rises by exactly that. The atom (nearest to the site; ties:
/// lowest id) and a random direction or site (by seed and `index`, the PKA's number) are the same for any
/// number of ranks. Collective.
Recoil knock_on(const Communicator& comm, Particles& p, const Box& box, const PkaSettings& pka, int index,
                std::uint64_t seed);

}  // namespace wafermark::tungsten

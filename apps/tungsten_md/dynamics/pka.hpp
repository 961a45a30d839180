// Primary knock-on atoms: the recoil that starts a cascade.
#pragma once

#include <cstdint>
#include <vector>

#include "common/communicator.hpp"
#include "tungsten_md/dynamics/particles.hpp"
#include "tungsten_md/model/dynamics.hpp"
#include "tungsten_md/model/dynamics_settings.hpp"

namespace wafermark::tungsten {

/// Gives the chosen atom `pka.energy_ev` on top of what it has: its velocity gains a component along
/// `direction` such that its kinetic energy rises by exactly that. The atom (nearest to the site; ties:
/// lowest id) and a random direction or site (by seed and `index`, the PKA's number) are the same for any
/// number of ranks. Throws std::runtime_error when no atom is of the element asked for. Collective.
Recoil knock_on(const Communicator& comm, Particles& p, const Box& box, const PkaSettings& pka, int index,
                std::uint64_t seed);

/// Stops a run before it begins: every element that recoils are of is among the atoms (a part of them on each
/// rank). Throws InputError. Collective.
void require_recoil_elements(const Communicator& comm, const std::vector<PkaSettings>& pkas,
                             const Atoms& atoms);

}  // namespace wafermark::tungsten

// The two loops over atoms of a velocity-Verlet step.
#pragma once

#include "common/communicator.hpp"
#include "tungsten_md/cluster/displacement_watch.hpp"
#include "tungsten_md/cluster/site_placer.hpp"
#include "tungsten_md/cluster/verlet_list.hpp"

namespace wafermark::tungsten {

/// v += f/m dt/2, x += v dt, and the sites of the new positions, in one pass over memory. The host does not
/// wait for it.
void kick_and_drift(Particles& p, const SitePlacer& sites, double dt);
/// The same, and how all ranks' atoms move (an infinite displacement when a position is not finite).
/// Collective.
Motion measured_kick_and_drift(const Communicator& comm, Particles& p, const SitePlacer& sites,
                               const VerletList& list, double dt);

/// v += f/m dt/2.
void kick(Particles& p, double dt);

}  // namespace wafermark::tungsten

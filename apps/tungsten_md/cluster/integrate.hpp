// The two loops over atoms of a velocity-Verlet step.
#pragma once

#include "tungsten_md/cluster/verlet_list.hpp"

namespace wafermark::tungsten {

/// v += f/m dt/2, x += v dt. The host does not wait for it.
void kick_and_drift(Particles& p, const VerletList& list, double dt);
/// The same. Returns the largest squared displacement since the list was built, over this
/// rank's atoms (infinite when a position is not finite): the same pass over memory.
double measured_kick_and_drift(Particles& p, const VerletList& list, double dt);

/// v += f/m dt/2.
void kick(Particles& p, double dt);

}  // namespace wafermark::tungsten

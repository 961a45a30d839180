// Atoms that have left an open box for good.
#pragma once

#include <vector>

#include "tungsten_md/cluster/verlet_list.hpp"
#include "tungsten_md/model/box.hpp"

namespace wafermark::tungsten {

/// Indices of this rank's lost atoms, by the rule of kernels/lost_atoms.hpp.
std::vector<int> find_lost(const Particles& p, const VerletList& list, const Box& box);

}  // namespace wafermark::tungsten

// Atoms that have left an open box for good.
#pragma once

#include <string>
#include <vector>

#include "tungsten_md/cluster/verlet_list.hpp"
#include "tungsten_md/model/box.hpp"

namespace wafermark::tungsten {

/// An atom with fewer neighbours than this within the list's radius has come off the crystal: an atom of a
/// surface has some twenty, of a corner eight.
inline constexpr int neighbours_that_hold = 4;

/// Indices of this rank's lost atoms. An atom is lost when it lies beyond an open face of the box by more
/// than the list's radius (cut-off and skin) and fewer than four atoms are within that radius, or when it
/// lies beyond the face by more than the box is long. So neither a surface that vibrates, nor a crystal that
/// grows over its box as it heats, nor a crystal beside a tight box loses atoms; sputtered atoms and dimers
/// do.
std::vector<int> find_lost(const Particles& p, const VerletList& list, const Box& box);

}  // namespace wafermark::tungsten

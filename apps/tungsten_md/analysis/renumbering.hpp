// Whether the ids of a configuration still say on which site of the reference an atom started.
#pragma once

#include <cstdint>
#include <vector>

#include "tungsten_md/analysis/reference_sites.hpp"

namespace wafermark::tungsten {

/// An atom that the reference knows, and the site that it is on now.
struct Whereabouts {
  std::int64_t home = 0, site = 0;
};

/// Programs number atoms anew when some were deleted or added: from there on every atom sits where its
/// successor (or predecessor) started, and would count as a replacement. Among atoms away from home, those
/// whose successor is as far away in site numbers are counted; a row of collisions does that to a few atoms
/// only. `same_number`: there are as many atoms as sites, so that nothing was plainly added or deleted.
/// Collective: each rank gives the atoms that it holds; the same answer on all ranks.
bool look_renumbered(const Communicator& comm, const std::vector<Whereabouts>& away, std::int64_t sites,
                     bool same_number);

}  // namespace wafermark::tungsten

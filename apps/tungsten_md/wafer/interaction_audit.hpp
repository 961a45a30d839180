// Did the neighbourhoods hold every interaction? A search that knows nothing of tiles.
#pragma once

#include <vector>

#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

/// Atoms nearer than `within` Angstrom to each atom [first, last) of `atoms` (all of the box), by cells.
std::vector<int> count_neighbours(const Configuration& atoms, double within, std::size_t first,
                                  std::size_t last);

}  // namespace wafermark::tungsten

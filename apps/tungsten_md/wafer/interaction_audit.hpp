// Did the neighbourhoods hold every interaction? A search that knows nothing of tiles.
#pragma once

#include <vector>

#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

/// Atoms nearer than `within` Angstrom to each atom of which the index in `atoms` (all of the box) is in
/// `of`, by cells.
std::vector<int> count_neighbours(const Configuration& atoms, double within,
                                  const std::vector<std::size_t>& of);

}  // namespace wafermark::tungsten

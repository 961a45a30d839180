// The Lennard-Jones force field: one loop over pairs, no density, nothing to exchange but positions.
#pragma once

#include <memory>

#include "tungsten_md/cluster/force_field.hpp"

namespace wafermark::tungsten {

/// `precision`: "double" or "mixed".
std::unique_ptr<ForceField> make_lennard_jones_field(const LennardJones& constants,
                                                     const std::string& precision);

}  // namespace wafermark::tungsten

// The force field of a UF3 potential: a loop over pairs and one over triplets, nothing to exchange but
// positions.
#pragma once

#include <memory>

#include "tungsten_md/cluster/force_field.hpp"
#include "tungsten_md/model/uf3.hpp"

namespace wafermark::tungsten {

/// `precision`: "double" or "mixed".
std::unique_ptr<ForceField> make_uf3_field(const Uf3Potential& potential, const std::string& precision);

}  // namespace wafermark::tungsten

// The embedded-atom force field.
#pragma once

#include <memory>

#include "tungsten_md/cluster/force_field.hpp"

namespace wafermark::tungsten {

/// From tables. `precision`: "double" or "mixed".
std::unique_ptr<ForceField> make_eam(const PotentialTables& potential, const std::string& precision);

}  // namespace wafermark::tungsten

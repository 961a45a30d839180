// The atoms that a case begins with.
#pragma once

#include "common/communicator.hpp"
#include "tungsten_md/model/case.hpp"

namespace wafermark::tungsten {

/// This rank's share of the crystal, or of the atoms of the data file; masses from the potential. Collective.
Configuration starting_state(const Communicator& comm, const Case& what, const PotentialTables& potential);

}  // namespace wafermark::tungsten

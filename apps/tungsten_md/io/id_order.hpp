// Atoms in the order of their ids over the ranks, so that files do not depend on who held which atom.
#pragma once

#include "common/communicator.hpp"
#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

struct OrderedAtoms {
  Atoms atoms;                 ///< ids ascend on each rank and from rank to rank
  std::vector<Vec3> forces;    ///< of the same atoms; empty when none were given
  std::int64_t first_row = 0;  ///< atoms on lower ranks
  std::int64_t total = 0;      ///< atoms on all ranks
};

/// Redistributes the atoms by their ids, equally many to each rank, whatever the ids. Collective.
OrderedAtoms order_by_id(const Communicator& comm, const Atoms& atoms,
                         const std::vector<Vec3>* forces = nullptr);

}  // namespace wafermark::tungsten

// The atoms that a case begins with.
#pragma once

#include "common/communicator.hpp"
#include "tungsten_md/cluster/memory_estimate.hpp"
#include "tungsten_md/model/case.hpp"

namespace wafermark::tungsten {

/// This rank's share of the crystal, or of the atoms of the file; masses from the potential. Collective.
Configuration starting_state(const Communicator& comm, const Case& what, const PotentialTables& potential);

/// The same atoms in the order of their ids.
Configuration in_order_of_ids(Configuration structure);

/// All atoms of the case on every rank, in the order of their ids.
Configuration whole_starting_state(const Case& what, const PotentialTables& potential);

/// Index of the crystal's element in the potential; InputError when it has none.
int require_element(const Case& what, const PotentialTables& potential);

/// What the arrays of a run follow from (cluster/memory_estimate.hpp), on so many ranks, built or not.
RunShape shape_of_run(const Case& what, const PotentialTables& potential, double atoms, const Box& box,
                      int ranks);

/// Refuses a crystal that does not fit, before any atom is made. Collective.
void require_memory_for_run(const Communicator& comm, const Case& what, const PotentialTables& potential);

/// The first frame of a file as atoms of a potential: types are its elements, masses are its own, time begins
/// at 0. `periodic`: the boundaries of LAMMPS data files, which say nothing of them. Collective. Throws
/// InputError where names or masses in the file are those of other elements, and where two atoms are in one
/// place.
Configuration stored_state(const Communicator& comm, const std::string& file,
                           const std::array<bool, 3>& periodic, const PotentialTables& potential);

}  // namespace wafermark::tungsten

// What the defects of a run are counted against.
#pragma once

#include <memory>

#include "tungsten_md/analysis/reference_sites.hpp"
#include "tungsten_md/model/case.hpp"

namespace wafermark::tungsten {

/// The crystal of the deck, or what structure.reference says of a file; null where the deck counts no
/// defects. `start`: the atoms that the deck begins with, where they have been read; null: they are read
/// here, so that a restarted run has the same reference. Collective. Throws InputError where a crystal that
/// the deck asks for does not fit the file.
std::unique_ptr<ReferenceSites> defect_reference(const Communicator& comm, const Case& what,
                                                 const PotentialTables& potential,
                                                 const Configuration* start = nullptr);

}  // namespace wafermark::tungsten

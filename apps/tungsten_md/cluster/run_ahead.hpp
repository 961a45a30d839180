// Runs whose steps are graphs (step_graph.hpp) or parts of one kernel (many_steps.hpp): what they cannot have
// beside forces. Simulation::run_ahead is in run_ahead.cpp.
#pragma once

#include "tungsten_md/model/case.hpp"
#include "tungsten_md/model/potential_tables.hpp"

namespace wafermark::tungsten {

/// Throws InputError where a deck asks for what its run.launch, or its run.lanes_per_atom, does not do.
void require_launch(const Case& what, const PotentialTables& potential, int ranks);

}  // namespace wafermark::tungsten

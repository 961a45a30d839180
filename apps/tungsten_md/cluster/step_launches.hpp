// What steps are asked for and what comes back, where they are not kernel by kernel: one as a graph
// (step_graph.hpp), or many by one kernel (many_steps.hpp). No kernels here: whoever only asks need not see
// them.
#pragma once

#include <Kokkos_Graph.hpp>

#include "tungsten_md/cluster/league_barrier.hpp"
#include "tungsten_md/cluster/mpi_buffer.hpp"
#include "tungsten_md/cluster/step_passes.hpp"

namespace wafermark::tungsten {

using StepGraph = Kokkos::Experimental::Graph<ExecSpace>;

/// What a launch of many steps did. When a list is due, positions are those of the next step and velocities
/// have their first half kick of it: the host makes the list, then forces and the second half kick.
struct StepsMade {
  int steps = 0;                      ///< whole ones
  bool together = true;               ///< else the teams did not run at once, and nothing is done
  double displacement_squared = 0.0;  ///< above 0: a list is due; of the atom farthest from where it was
  int late = 0;                       ///< 1: the list was due already when the launch began
};

/// Device memory of such kernels, and what the host hears of them.
struct ManyStepsMemory {
  Kokkos::View<LeagueWords, MemSpace> league{"league"};
  Kokkos::View<StepsMade, MemSpace> made{"steps_made"};
  Kokkos::View<StepsMade, SharedSpace> told{"steps_told"};
};

/// What a launch is asked for.
struct StepsAsked {
  int steps;
  double list_bears;  ///< Angstrom that an atom may have moved since the list was made
  ManyStepsMemory memory;
};

}  // namespace wafermark::tungsten

// The kernels of a step as one graph, which a device starts as a whole: made for a list, submitted for each
// step between two lists in which nobody asks how far atoms have moved. The loop bodies are those of the
// kernels that are started one by one; where one item's work follows on the same item's, they share a node.
#pragma once

#include <string>

#include "common/kokkos_graphs.hpp"
#include "tungsten_md/cluster/row_lanes.hpp"
#include "tungsten_md/cluster/step_launches.hpp"

namespace wafermark::tungsten {

template <class Forces>
struct DensityNode {
  Forces forces;
  KOKKOS_FUNCTION void operator()(int i) const { of_atom(i, OneLane()); }
  template <class RowLanes>
  KOKKOS_FORCEINLINE_FUNCTION void of_atom(int i, const RowLanes& lanes) const {
    forces.density(i, lanes);
  }
};
template <class Forces>
struct ImageSlopeNode {
  Forces forces;
  KOKKOS_FUNCTION void operator()(int image) const { forces.image_slope(image); }
};
template <class Forces>
struct ForceAndKickNode {
  Forces forces;
  Kick second_kick;
  KOKKOS_FUNCTION void operator()(int i) const { of_atom(i, OneLane()); }
  template <class RowLanes>
  KOKKOS_FORCEINLINE_FUNCTION void of_atom(int i, const RowLanes& lanes) const {
    forces.force(i, lanes);
    lanes.once([&] { second_kick(i); });
  }
};

/// It holds the arrays that it works on, as they are now. `lanes`: that share an atom's neighbours.
template <class Forces>
StepGraph make_step_graph(const StepOfRank& step, const Forces& forces, int lanes) {
  const Particles& p = step.particles();
  StepGraph graph;
  Kokkos::Experimental::GraphNodeRef<ExecSpace> last = graph.root_node();
  const auto then = [&](const char* label, int n, const auto& body) {
    if (n > 0) last = last.then_parallel_for(std::string(label), over(n), body);
  };
  const auto then_by_rows = [&](const char* label, const auto& body) {
    if constexpr (graphs_take_teams)
      over_rows(p.n_local, lanes, body, [&](const auto& policy, const auto& kernel) {
        if (p.n_local > 0) last = last.then_parallel_for(std::string(label), policy, kernel);
      });
    else
      then(label, p.n_local, body);
  };
  then("kick_and_drift", p.n_local, static_cast<const KickAndDrift&>(step.move));
  then("ghost_positions", p.n_ghost, step.images);
  if constexpr (Forces::has_density) {
    then_by_rows("density", DensityNode<Forces>{forces});
    then("ghost_slopes", p.n_ghost, ImageSlopeNode<Forces>{forces});
  }
  then_by_rows("force", ForceAndKickNode<Forces>{forces, step.second_kick});
  graph.instantiate();
  return graph;
}

}  // namespace wafermark::tungsten

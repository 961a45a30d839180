#include "tungsten_md/cluster/integrate.hpp"

#include <algorithm>
#include <cmath>

#include "tungsten_md/cluster/step_passes.hpp"

namespace wafermark::tungsten {

void kick_and_drift(Particles& p, const SitePlacer& sites, double dt) {
  Kokkos::parallel_for("kick_and_drift", over(p.n_local), KickAndDrift{p, sites, dt});
}

Motion measured_kick_and_drift(const Communicator& comm, Particles& p, const SitePlacer& sites,
                               const VerletList& list, double dt) {
  double square[3] = {0.0, 0.0, 0.0};
  Kokkos::parallel_reduce(
      "kick_and_drift", over(p.n_local), MeasuredKickAndDrift{{p, sites, dt}, list.x_at_build},
      Kokkos::Max<double>(square[0]), Kokkos::Max<double>(square[1]), Kokkos::Max<double>(square[2]));
  // A rank without atoms has the identity of a maximum.
  for (double& s : square) s = std::max(s, 0.0);
  comm.max_in_place(square, 3);
  return {std::sqrt(square[0]), std::sqrt(square[1]), std::sqrt(square[2]) / (0.5 * dt)};
}

void kick(Particles& p, double dt) { Kokkos::parallel_for("kick", over(p.n_local), Kick{p, dt}); }

}  // namespace wafermark::tungsten

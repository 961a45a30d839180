#include "tungsten_md/cluster/ghost_exchange.hpp"

#include <algorithm>

namespace wafermark::tungsten {
namespace {

/// More neighbours than that get no messages of their own. On simulated GPUs (docs/cluster_sim.md) a message
/// costs a worker 5 us on either side, as much as a kernel and a half: 3 messages in one stage are faster
/// than 2 in two, 8 in one slower than 4 in two.
constexpr int most_neighbours = 4;

/// Other ranks that one in the middle of the grid meets.
int neighbours_of(const std::array<int, 3>& grid) {
  int met = 1;
  for (const int slices : grid) met *= std::min(slices, 3);
  return met - 1;
}

}  // namespace

GhostExchange::GhostExchange(const Communicator& comm, const CartesianGrid& ranks, const Subdomain& subdomain,
                             double reach) {
  if (neighbours_of(subdomain.grid) <= most_neighbours) {
    stages_.emplace_back(comm, ranks, subdomain, reach, AxisRange{0, 3});
    return;
  }
  for (int d = 0; d < 3; ++d)
    if (subdomain.grid[d] > 1 || subdomain.box.periodic[d])
      stages_.emplace_back(comm, ranks, subdomain, reach, AxisRange{d, d + 1});
}

void GhostExchange::fit(const Subdomain& subdomain) {
  for (GhostStage& stage : stages_) stage.fit(subdomain);
}

void GhostExchange::select(Particles& p) {
  p.n_ghost = 0;
  SideCounts before;
  for (GhostStage& stage : stages_) stage.select(p, before);
}

void GhostExchange::update_positions(Particles& p, const SitePlacer& sites) {
  for (GhostStage& stage : stages_) stage.pass_on(PositionRecord{p.x, sites});
}

template <class Real>
void GhostExchange::update_slopes(const Kokkos::View<Real*, MemSpace>& quads) {
  for (GhostStage& stage : stages_) stage.pass_on(SlopeRecord<Real>{quads});
}
template void GhostExchange::update_slopes(const Kokkos::View<float*, MemSpace>&);
template void GhostExchange::update_slopes(const Kokkos::View<double*, MemSpace>&);

}  // namespace wafermark::tungsten

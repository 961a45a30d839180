// Ghost atoms: copies of other ranks' atoms, and periodic images, within reach of a subdomain.
//
// Few neighbours get theirs in one stage: a step waits for one latency, and on GPUs for one kernel before and
// one behind the messages. Many would take a message each, most of them for a few atoms at edges and corners:
// there ghosts are passed on along x, y, z (Plimpton, J. Comput. Phys. 117 (1995) 1), six messages for 26, in
// three stages.
#pragma once

#include <vector>

#include "tungsten_md/cluster/ghost_stage.hpp"

namespace wafermark::tungsten {

class GhostExchange {
 public:
  /// As GhostStage, of which all ranks choose the same ones.
  GhostExchange(const Communicator& comm, const CartesianGrid& ranks, const Subdomain& subdomain,
                double reach);

  /// The subdomain's box has become longer or shorter: the chosen atoms stay, their images move with it.
  /// Throws InputError where it is thinner than the reach.
  void fit(const Subdomain& subdomain);
  /// Chooses the atoms to send anew and appends the ghosts (x, id, type) to `p`; call after atoms were
  /// sorted. Leaves room for the type of a dummy behind them. Collective.
  void select(Particles& p);
  /// Sends current positions of the chosen atoms, and places the ghosts' sites. Collective.
  void update_positions(Particles& p, const SitePlacer& sites);
  /// Sends the chosen atoms' F'(rho), the fourth value of each atom's quad, to that of its ghosts.
  template <class Real>
  void update_slopes(const Kokkos::View<Real*, MemSpace>& quads);
  /// Where this rank is alone, so that all ghosts are images of its own atoms, in one stage: the loop body
  /// that brings a record (ghost_records.hpp) to image 0 ... p.n_ghost - 1.
  template <class Record>
  FillGhosts<Record> images(const Record& record) const {
    return stages_.front().images(record);
  }

 private:
  std::vector<GhostStage> stages_;
};

}  // namespace wafermark::tungsten

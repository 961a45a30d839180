// Ghost atoms: copies of other ranks' atoms, and periodic images, within reach of a subdomain.
// A neighbour gets one message with all that it needs, and all of them are under way at once: a step waits
// for one latency, and on GPUs for one kernel before and one behind the messages. (Passing ghosts on along x,
// y, z (Plimpton, J. Comput. Phys. 117 (1995) 1) takes six messages for 26, but three times the waits.)
// Periodic images of a rank's own atoms are copied by their indices, without a message.
#pragma once

#include <array>
#include <vector>

#include "tungsten_md/cluster/ghost_records.hpp"
#include "tungsten_md/cluster/mpi_buffer.hpp"
#include "tungsten_md/cluster/subdomain.hpp"

namespace wafermark::tungsten {

class GhostExchange {
 public:
  /// `reach`: how far beyond the subdomain ghosts are needed (the list radius), Angstrom.
  /// Throws InputError when a subdomain that has neighbours is thinner than `reach`.
  GhostExchange(const Communicator& comm, const CartesianGrid& ranks, const Subdomain& subdomain,
                double reach);

  /// The subdomain's box has become longer or shorter: the chosen atoms stay, their images move with it.
  /// Throws InputError as above.
  void fit(const Subdomain& subdomain);
  /// Chooses the atoms to send anew and appends the ghosts (x, id, type) to `p`; call after atoms were
  /// sorted. Leaves room for the type of a dummy behind them. Collective.
  void select(Particles& p);
  /// Sends current positions of the chosen atoms, and places the ghosts' sites. Collective.
  void update_positions(Particles& p, const SitePlacer& sites);
  /// Sends the chosen atoms' F'(rho), the fourth value of each atom's quad, to that of its ghosts.
  template <class Real>
  void update_slopes(const Kokkos::View<Real*, MemSpace>& quads);

 private:
  /// Another rank, and the sides for which atoms leave to it and arrive from it, in the order of its message.
  struct Neighbour {
    int rank;
    std::vector<int> leaving, arriving;
  };
  using Counts = std::array<int, ghost_sides>;

  bool has_neighbour(int axis, int direction) const;
  void choose(const Particles& p);
  void count_arrivals();
  void list_routes();
  template <class Record>
  void pass_on(const Record& record);

  const Communicator& comm_;
  Subdomain subdomain_;
  double reach_;
  std::vector<Neighbour> neighbours_;
  std::vector<int> own_sides_;  ///< on which a rank's own images stand

  Kokkos::View<int*, MemSpace> chosen_;      ///< local atoms, side after side
  std::array<int, ghost_sides + 1> room_{};  ///< where each side begins in it
  Counts leaving_{}, arriving_{};            ///< atoms for each side, own images included
  GhostRoutes routes_;
  GhostRoutes::Shift shift_;
  std::vector<MessagePair> messages_;
  int n_leaving_ = 0, n_arriving_ = 0, first_ghost_ = 0, n_ghost_ = 0;
  MpiBuffers buffers_;
};

}  // namespace wafermark::tungsten

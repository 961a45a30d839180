// One stage of the exchange of ghosts (ghost_exchange.hpp): across the faces of some axes at once. A
// neighbour gets one message with all that it needs, and all of them are under way at once; one kernel packs
// before, one fills behind them. Periodic images of a rank's own atoms are copied by their indices, without a
// message.
#pragma once

#include <array>
#include <vector>

#include "tungsten_md/cluster/ghost_records.hpp"
#include "tungsten_md/cluster/mpi_buffer.hpp"
#include "tungsten_md/cluster/subdomain.hpp"

namespace wafermark::tungsten {

/// Axes begin ... end - 1.
struct AxisRange {
  int begin, end;
};

class GhostStage {
 public:
  /// `reach`: how far beyond the subdomain ghosts are needed (the list radius), Angstrom. Throws InputError
  /// when a subdomain that has neighbours along these axes is thinner than `reach`.
  GhostStage(const Communicator& comm, const CartesianGrid& ranks, const Subdomain& subdomain, double reach,
             AxisRange axes);

  /// The subdomain's box has become longer or shorter: the chosen atoms stay, their images move with it.
  /// Throws InputError as above.
  void fit(const Subdomain& subdomain);
  /// Chooses from the local atoms and the ghosts of earlier stages, of which there are `before` on each side,
  /// what to send, and appends this stage's ghosts (x, id, type) to `p`; adds them to `before`. Collective.
  void select(Particles& p, SideCounts& before);
  /// Brings a record (ghost_records.hpp) from the chosen atoms to the ghosts. Collective.
  template <class Record>
  void pass_on(const Record& record);
  /// Where this rank is alone: the loop body of pass_on, for each of p.n_ghost images.
  template <class Record>
  FillGhosts<Record> images(const Record& record) const {
    return {routes_, shift_, record, nullptr, first_ghost_};
  }

 private:
  /// Another rank, and the sides for which atoms leave to it and arrive from it, in the order of its message.
  struct Neighbour {
    int rank;
    std::vector<int> leaving, arriving;
  };
  using Counts = std::array<int, ghost_sides>;

  bool has_neighbour(int axis, int direction) const;
  void choose(const Particles& p, const SideCounts& before);
  void count_arrivals();
  void list_routes();

  const Communicator& comm_;
  Subdomain subdomain_;
  double reach_;
  AxisRange axes_;
  std::vector<Neighbour> neighbours_;
  std::vector<int> own_sides_;  ///< on which a rank's own images stand

  Kokkos::View<int*, MemSpace> chosen_;      ///< atoms, side after side
  std::array<int, ghost_sides + 1> room_{};  ///< where each side begins in it
  Counts leaving_{}, arriving_{};            ///< atoms for each side, own images included
  GhostRoutes routes_;
  GhostRoutes::Shift shift_;
  std::vector<MessagePair> messages_;
  int n_leaving_ = 0, n_arriving_ = 0, first_ghost_ = 0, n_ghost_ = 0;
  MpiBuffers buffers_;
};

}  // namespace wafermark::tungsten

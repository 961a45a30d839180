// Ghost atoms: copies of other ranks' atoms, and periodic images, within reach of a subdomain.
// Staged along x, y, z: each axis also passes on the ghosts of the axes before it, so six messages reach all
// 26 neighbours (Plimpton, J. Comput. Phys. 117 (1995) 1). The two messages of an axis are under way at once.
#pragma once

#include <vector>

#include "tungsten_md/cluster/ghost_records.hpp"
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
  /// sorted.
  void select(Particles& p);
  /// Sends current positions of the chosen atoms.
  void update_positions(Particles& p);
  /// Sends the chosen atoms' F'(rho), the fourth value of each atom's quad, to that of its ghosts.
  template <class Real>
  void update_slopes(const Kokkos::View<Real*, MemSpace>& quads);

 private:
  /// An axis along which there are ghosts.
  struct Stage {
    LeavingAtoms leaving;
    int below, above;  ///< neighbours' ranks; MPI_PROC_NULL beyond an open face
    int from_above = 0, from_below = 0, first_ghost = 0;

    int arriving() const { return from_above + from_below; }
  };

  bool is_own_neighbour(const Stage& s) const { return s.below == comm_.rank() && s.above == comm_.rank(); }
  /// Indices of the first `candidates` atoms that are within reach of a face.
  int choose(Kokkos::View<int*, MemSpace>& index, const Particles& p, int candidates, int axis,
             bool upper) const;
  template <class Record>
  void pass_on(const Stage& stage, const Record& record);

  const Communicator& comm_;
  Subdomain subdomain_;
  double reach_;
  std::vector<Stage> stages_;
  MpiBuffers buffers_;
};

}  // namespace wafermark::tungsten

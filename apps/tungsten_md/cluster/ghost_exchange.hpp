// Ghost atoms: copies of other ranks' atoms, and periodic images, within reach of a subdomain.
// Staged along x, y, z: each axis also passes on the ghosts of the axes before it, so six messages reach all
// 26 neighbours (Plimpton, J. Comput. Phys. 117 (1995) 1).
#pragma once

#include <vector>

#include "tungsten_md/cluster/mpi_buffer.hpp"
#include "tungsten_md/cluster/subdomain.hpp"

namespace wafermark::tungsten {

class GhostExchange {
 public:
  /// `reach`: how far beyond the subdomain ghosts are needed (the list radius), Angstrom.
  /// Throws InputError when a subdomain that has neighbours is thinner than `reach`.
  GhostExchange(const Communicator& comm, const CartesianGrid& ranks, const Subdomain& subdomain,
                double reach);

  /// Chooses the atoms to send anew and appends the ghosts (x, id, type) to `p`; call after atoms were
  /// sorted.
  void select(Particles& p);
  /// Sends current positions of the chosen atoms.
  void update_positions(Particles& p);
  /// Sends the values of the chosen atoms: value(n_local ...) become the ghosts'.
  template <class Value>
  void update_values(const Kokkos::View<Value*, MemSpace>& value);

 private:
  /// One message: the atoms near one face, to the neighbour beyond that face.
  struct Stage {
    int axis, to, from;
    bool upper;    ///< the face at hi
    double shift;  ///< added to the coordinate along `axis`: crosses a periodic boundary
    int n_send = 0, n_recv = 0, first_ghost = 0;
    Kokkos::View<int*, MemSpace> index;
  };

  void choose(Stage& stage, const Particles& p, int candidates);

  const Communicator& comm_;
  Subdomain subdomain_;
  double reach_;
  std::vector<Stage> stages_;
  BufferView send_, receive_;
};

}  // namespace wafermark::tungsten

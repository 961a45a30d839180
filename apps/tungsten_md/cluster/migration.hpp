// Moves atoms to the ranks that own their positions.
#pragma once

#include <vector>

#include "tungsten_md/cluster/mpi_buffer.hpp"
#include "tungsten_md/cluster/subdomain.hpp"
#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

/// An atom between two ranks. It goes through host memory: few atoms leave a rank at a time.
struct MovingAtom {
  double x[3], v[3];
  std::int64_t id, type;
};
static_assert(sizeof(MovingAtom) == 8 * sizeof(double));

class Migration {
 public:
  Migration(const Communicator& comm, const CartesianGrid& ranks) : comm_(comm), ranks_(ranks) {}

  /// Wraps local atoms along periodic axes and hands those that left the subdomain to the neighbours in
  /// whose direction they went, until every atom is at home: one pass in a normal time step. Ghosts are
  /// dropped. The order of the atoms changes. Collective.
  /// Throws InputError when the number of atoms over all ranks is no longer `expected` or a position is
  /// not finite (a time step that is too long).
  void bring_home(const Subdomain& subdomain, Particles& p, std::int64_t expected);

  /// Removes local atoms, given by ascending indices; others take their places. Ghosts, lists and forces are
  /// then out of date.
  void remove(const std::vector<int>& atoms, Particles& p);

 private:
  /// Gives the places of atoms that have left to those that arrive.
  void settle(const std::vector<int>& left, const std::vector<MovingAtom>& arrivals, Particles& p);
  std::vector<MovingAtom> exchange(const Subdomain& s, const std::vector<MovingAtom>& leaving) const;

  const Communicator& comm_;
  CartesianGrid ranks_;
  Kokkos::View<int*, MemSpace> leavers_;
  Kokkos::View<MovingAtom*, SharedSpace> moving_;
  Kokkos::View<int*, SharedSpace> places_;  ///< of atoms that leave; where atoms go and where they come from
};

/// Sends each atom of any distribution over ranks straight to its owner: the start of a run.
Atoms distribute(const Communicator& comm, const CartesianGrid& ranks, const Subdomain& subdomain,
                 Atoms atoms);

}  // namespace wafermark::tungsten

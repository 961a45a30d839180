// The neighbours of atoms and of ghosts, for energies of three atoms. Triplets around a ghost are summed here
// as they are at its owner, so that a rank's forces hang on positions alone and nothing is sent back.
#pragma once

#include "tungsten_md/cluster/verlet_list.hpp"

namespace wafermark::tungsten {

class TripletList {
 public:
  /// Rows of all atoms and ghosts of p: who lies within `radius`. Call when the list of pairs is new.
  void build(const Particles& p, const CellGrid& grid, double radius);

  const VerletList& rows() const { return rows_; }
  /// By entry of a local atom's row: the entry of the same pair in the other one's row.
  const Kokkos::View<std::int64_t*, MemSpace>& mirror() const { return mirror_; }
  std::size_t bytes() const;

 private:
  VerletList rows_;
  ListWorkspace work_;
  Kokkos::View<std::int64_t*, MemSpace> mirror_;
};

}  // namespace wafermark::tungsten

// The order of work on a half list. Densities, embedding and forces of one place follow each other while what
// they share is in the caches, and a pair's terms (eam_passes.hpp) lie in a ring instead of an array as long
// as the list.
//
// Atoms stand in the order of their cells, and a row holds its atom's later neighbours, so that densities are
// complete up to where the rows are done, and forces can follow at a distance of about one layer of cells.
// Pairs with ghosts wait until the ghosts' embedding slopes have come; their terms are computed anew, which a
// surface of atoms can afford.
#pragma once

#include <vector>

#include "tungsten_md/cluster/verlet_list.hpp"

namespace wafermark::tungsten {

struct Wavefront {
  /// Work up to here: densities of chunks of packs, embedding of atoms, forces of chunks.
  struct Stage {
    int density_chunks, embedded_atoms, force_chunks;
  };
  std::vector<Stage> stages;
  Kokkos::View<int*, MemSpace> has_ghosts;  ///< [chunks] 1: no stage computes its forces
  Kokkos::View<int*, MemSpace> outer;       ///< the chunks that have ghosts
  std::int64_t ring = 0;                    ///< packs whose terms are needed at a time, a power of two

  /// Of a half list of atoms of which those from n_local on are ghosts.
  static Wavefront over(const VerletList& list, int n_local, int n_ghost);
};

}  // namespace wafermark::tungsten

// What a run takes of a rank's memory, by arithmetic: asked before anything is built.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "tungsten_md/cluster/verlet_list.hpp"
#include "tungsten_md/model/box.hpp"
#include "tungsten_md/model/potential_tables.hpp"

namespace wafermark::tungsten {

/// Radial terms of a pair (EamPairs): phi and the density one atom lays at the other, in alloys both
/// densities; none where the potential has no density.
int kept_of_a_pair(const PotentialTables& potential);

/// Of a potential with triplets: the reach of a list of triplets, and that of ghosts, Angstrom.
struct TripletShape {
  double list_radius = 0.0, ghost_reach = 0.0;
};
std::optional<TripletShape> triplets_of_run(const PotentialTables& potential, double skin_angstrom);

/// All that the sizes of arrays follow from. Counts are doubles: nothing overflows.
struct RunShape {
  double atoms = 0.0;  ///< over all ranks
  Box box;
  std::array<int, 3> grid{1, 1, 1};  ///< ranks
  double list_radius = 0.0;          ///< cut-off + skin, Angstrom
  bool mixed = false;                ///< precision
  ListKind list = ListKind::full;
  int kept_of_a_pair = 2;  ///< values that the force field keeps of a pair of a half list
  std::optional<TripletShape> triplets;

  double atoms_of_a_rank() const;
  double ghosts_of_a_rank() const;
  /// Within the list's radius of an atom, at the mean density of the box.
  double neighbours() const { return neighbours_within(list_radius); }
  double neighbours_within(double radius) const;
};

/// Bytes of the lists and arrays of the atoms on a rank's device: as the views of Particles, VerletList, cell
/// grid and force field are sized.
double domain_bytes(const RunShape& shape);

/// Bytes on the host while the atoms are made and dealt to their ranks, and when they are written.
double start_bytes(double atoms_of_a_rank);

/// The larger of what the start takes and what the run then holds: 1.3 times the peak of resident memory that
/// was measured with 432,000 atoms on one rank, in double and in mixed precision (docs/reliability.md).
double run_bytes(const RunShape& shape);

}  // namespace wafermark::tungsten

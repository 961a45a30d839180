// The potential of a deck: the keys of [potential].
#pragma once

#include <string>
#include <vector>

#include "common/deck.hpp"
#include "tungsten_md/model/potential_tables.hpp"

namespace wafermark::tungsten {

struct PotentialSettings {
  std::string model;                  ///< analytic model, or empty
  LennardJones lennard_jones;         ///< of the model lj/cut
  std::string file;                   ///< path as found, or empty
  std::string format;                 ///< "auto" or a format name
  std::vector<std::string> elements;  ///< element of each atom type
  std::string core;                   ///< "none", "zbl", "zbl_dft"
  double core_inner_angstrom = 1.0, core_outer_angstrom = 2.0;
  int table_points = 0;  ///< 0: the file's own

  /// `crystal_elements`: what the crystal's atoms are, the types where the deck names none. Throws
  /// InputError.
  static PotentialSettings read(Deck& deck, const std::vector<std::string>& crystal_elements);
  /// With its core; types follow `elements`.
  PotentialTables load() const;
};

}  // namespace wafermark::tungsten

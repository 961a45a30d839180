// Which atoms of a crystal's columns interact: the part of a placement's problem that no placement changes.
#pragma once

#include <array>
#include <vector>

#include "tungsten_md/model/crystal.hpp"

namespace wafermark::tungsten {

/// Atom k of a column interacts with atom `atom` of the columns that are shift_sets[shifts] columns away.
struct ColumnPartner {
  int atom;
  int shifts;
};

struct ColumnInteractions {
  std::vector<std::vector<std::array<int, 2>>> shift_sets;  ///< column offsets (cx, cy)
  /// [n][...] partners of each atom, both directions listed; an atom is its own partner in other columns.
  std::vector<std::vector<ColumnPartner>> partners;

  int size() const { return static_cast<int>(partners.size()); }
};

/// Pairs with 0 < distance < reach_angstrom in the perfect crystal; a pair that is near in several images
/// along z is one pair. Column offsets stay within |cx| < cells[0], |cy| < cells[1]: the crystal has no
/// others.
ColumnInteractions find_interactions(const Lattice& lattice, bool periodic_z, double reach_angstrom);

}  // namespace wafermark::tungsten

// Reads files of UF3 potentials as LAMMPS' pair style uf3 takes them.
#pragma once

#include <string>
#include <vector>

#include "tungsten_md/model/potential_tables.hpp"

namespace wafermark::tungsten {

/// The potential for atom types made of `elements`; every element of the file, in the order of its blocks,
/// where there are none. Masses are the elements' standard atomic weights: the files hold none. A file
/// without 3B blocks has pairs alone. Throws InputError "FILE:LINE: found ..., expected ..." for a block that
/// is not complete and finite, whose knots do not grow, whose numbers do not fit its knots, that stands
/// twice, that LAMMPS would not take, or whose energy hangs on which of two like neighbours comes first; and
/// for elements that lack one.
PotentialTables read_uf3(const std::string& path, const std::vector<std::string>& elements);

}  // namespace wafermark::tungsten

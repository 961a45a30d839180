// Potential files: DYNAMO setfl (eam/alloy), eam/fs and funcfl, read as LAMMPS reads them.
#pragma once

#include <string>
#include <vector>

#include "tungsten_md/model/potential_tables.hpp"

namespace wafermark::tungsten {

/// The potential for atom types made of `elements` (the element of each type, in the order of the types).
/// `format`: "eam/alloy", "eam/fs", "funcfl", or "auto": by the name's ending (.eam.alloy .alloy .setfl;
/// .eam.fs .fs; .eam .funcfl). funcfl takes one file, or one for each element joined by commas. Throws
/// InputError "FILE:LINE: found ..., expected ..." for every file that is not complete and finite.
PotentialTables read_potential(const std::string& path, const std::string& format,
                               const std::vector<std::string>& elements);

/// Every element of one file, in the file's order.
PotentialTables read_potential(const std::string& path, const std::string& format = "auto");

/// "auto" resolved by the file's name. Throws InputError when the ending is none of those.
std::string potential_format(const std::string& path, const std::string& format);

}  // namespace wafermark::tungsten

// Potential files: UF3 (uf3_file.hpp), DYNAMO setfl (eam/alloy), eam/fs, eam/he and funcfl, read as LAMMPS
// reads them.
#pragma once

#include <string>
#include <vector>

#include "tungsten_md/model/potential_tables.hpp"

namespace wafermark::tungsten {

/// The potential for atom types made of `elements` (the element of each type, in the order of the types).
/// `format`: "eam/alloy", "eam/fs", "eam/he" (helium in metals: Zhou, Bartelt and Sills, Phys. Rev. B 103
/// (2021) 014108), "funcfl", "uf3", or "auto": by the name's ending (.eam.alloy .alloy .setfl; .eam.fs .fs;
/// .eam.he .he; .eam .funcfl; .uf3; before .gz, .bz2, .xz or .zst). funcfl takes one file, or one for each
/// element joined by commas. A table's numbers may be spread over lines in any way, but begin and end with a
/// line, as LAMMPS has it. Throws InputError "FILE:LINE: found ..., expected ..." for every file that is not
/// complete and finite, whose tables are not as long as its header says, or where something follows the last
/// one.
PotentialTables read_potential(const std::string& path, const std::string& format,
                               const std::vector<std::string>& elements);

/// Every element of one file, in the file's order.
PotentialTables read_potential(const std::string& path, const std::string& format = "auto");

/// "auto" resolved by the file's name. Throws InputError when the ending is none of those, or names
/// eam/alloy, eam/fs or eam/he where `format` is another.
std::string potential_format(const std::string& path, const std::string& format);

}  // namespace wafermark::tungsten

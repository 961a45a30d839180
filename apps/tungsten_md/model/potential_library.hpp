// Where potential files are found.
#pragma once

#include <string>
#include <vector>

namespace wafermark::tungsten {

/// The path of the potential that a deck or a command names, looked for in this order: as given;
/// in `deck_folder` (when not empty); in $WAFERMARK_POTENTIALS; in the cache of
/// jobscripts/fetch_potentials.sh (${XDG_CACHE_HOME:-$HOME/.cache}/wafermark/potentials); in
/// /usr/share/lammps/potentials. Names joined by commas (funcfl, one file for each element) are found one by
/// one. Throws InputError that lists the folders and says how to get the files.
std::string find_potential(const std::string& name, const std::string& deck_folder = "");

/// The folders beside the deck's, in their order.
std::vector<std::string> potential_folders();

}  // namespace wafermark::tungsten

#pragma once

#include <string>

#include "tungsten_md/model/potential_tables.hpp"

namespace wafermark::tungsten {

/// Writes the tables with 17 digits, as eam/fs when `path` ends in .eam.fs or .fs, as eam/he
/// when it ends in .eam.he or .he, else as setfl (eam/alloy).
/// Three comment lines are the tables' own, cut or filled up. The file appears whole or not at all. Throws
/// InputError when it cannot be written, or when setfl cannot hold densities that depend on both elements.
void write_potential(const std::string& path, const PotentialTables& tables);

}  // namespace wafermark::tungsten

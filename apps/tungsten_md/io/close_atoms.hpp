// Two atoms in one place: what a file holds that was joined, wrapped or rounded wrongly. No potential gives a
// meaning to it.
#pragma once

#include <string>

#include "common/communicator.hpp"
#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

/// Atoms nearer than this, Angstrom, are two in one place. Far below what a collision reaches (0.1 Angstrom
/// in tungsten at 600 keV) and above the rounding of coordinates that were written with four digits.
inline constexpr double closest_atoms_angstrom = 0.01;

/// Throws InputError "FILE: atoms I and J are D Angstrom apart, expected ..." on all ranks when two atoms,
/// periodic images included, are nearer than that; of several pairs the one with the lowest ids. Collective,
/// for any distribution of the atoms. Time and memory go by the number of atoms, whatever the box.
void require_atoms_apart(const Communicator& comm, const Configuration& state, const std::string& file);

}  // namespace wafermark::tungsten

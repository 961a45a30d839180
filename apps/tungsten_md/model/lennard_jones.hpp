// The Lennard-Jones pair potential: constants of one element, and its samples as tables.
#pragma once

#include <string>

#include "tungsten_md/model/potential_tables.hpp"

namespace wafermark::tungsten {

/// Its name in decks and commands, that of LAMMPS' pair style.
inline constexpr const char* lennard_jones_name = "lj/cut";

/// The cut-off where none is named: 2.5 sigma, as in LAMMPS' bench/in.lj.
double usual_cutoff(double sigma_angstrom);

/// The potential for atoms of one element. Tables (10,001 distances; densities and embedding are zero) stand
/// beside the constants: lattice sums, plots and files take those, forces the closed form. Below sigma / 4,
/// where the energy exceeds 6e7 epsilon, the tables hold r phi(r) constant. Throws InputError for more or
/// fewer elements than one, an unknown symbol, or constants that are not positive and finite.
PotentialTables make_lennard_jones(const LennardJones& constants, const std::vector<std::string>& elements);

}  // namespace wafermark::tungsten

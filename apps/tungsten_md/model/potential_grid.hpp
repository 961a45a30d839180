// The same potential on another grid, or with a core.
#pragma once

#include <string>

#include "tungsten_md/model/potential_tables.hpp"

namespace wafermark::tungsten {

/// Value of a table at sample position `at` (1.5: halfway between samples 1 and 2) through its spline pieces;
/// beyond the table its end values.
double table_value(const std::vector<double>& quads, double at);

/// All that follows throws InputError for a potential that is no tables, but for changes of none.

/// Keeps every `r_stride`-th radial sample up to the new cut-off `r_cut` and every `rho_stride`-th embedding
/// sample, each beginning with the first; no value changes. r_cut = 0 keeps the cut-off and every sample
/// beyond it. Throws InputError when fewer than five samples stay or r_cut lies beyond the old cut-off.
PotentialTables thin(const PotentialTables& tables, int r_stride, double r_cut, int rho_stride);

/// `nr` and `nrho` samples (at least 5; 0: unchanged) over the same ranges, by the table's own cubics.
PotentialTables resample(const PotentialTables& tables, int nr, int nrho);

/// The tables with a screened-Coulomb core on every pair: phi = f phi_core + (1 - f) phi, f falling from 1 at
/// `r_inner` to 0 at `r_outer` (Angstrom; core_weight in kernels/zbl.hpp). `kind`: "zbl" (universal),
/// "zbl_dft" (refitted, W-W pairs only) or "none". The radial grid is refined by a whole factor to at most
/// 0.00125 A: from 0.005 A on the cubics follow the core of W-W to 2e-9 of its value, nearer to 3e-5.
/// Densities and embedding stay: their few eV at such distances are small beside the core's keV. Throws
/// InputError for an unknown kind, element or bad radii.
PotentialTables with_core(const PotentialTables& tables, const std::string& kind, double r_inner,
                          double r_outer);

/// phi of two atoms of elements a and b at distance r > 0, eV.
double pair_energy(const PotentialTables& tables, std::size_t a, std::size_t b, double r);

/// Does every pair repel as nuclei do? Heuristic: at 0.5 A the pair energy is within a factor of 2 of the
/// universal ZBL potential.
bool has_repulsive_core(const PotentialTables& tables);

}  // namespace wafermark::tungsten

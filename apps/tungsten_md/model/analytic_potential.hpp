// Potentials made from published constants: they need no file.
#pragma once

#include <string>
#include <vector>

#include "tungsten_md/model/potential_tables.hpp"

namespace wafermark::tungsten {

/// Names that make_analytic_potential takes.
std::vector<std::string> analytic_models();

/// A model sampled on tables, for atom types made of `elements`. Throws InputError for an unknown model or an
/// element that the model does not have.
///
/// "ackland_thetford_1987": W; Ackland and Thetford, Phil. Mag. A 56 (1987) 15, with its core term below
///   2.7411 A. Finnis-Sinclair form, F = -1.896373 sqrt(rho). Cubics cannot follow sqrt to rho = 0: for
///   rho < 0.01 (the crystal has 31) F is off by up to 0.05 eV and its slope stays finite; from rho = 1 on
///   the table follows it to 1e-9 eV. F(0) = 0 is exact. No screened-Coulomb core: cascades need with_core.
/// "zhou_2004": W, Ta, Cu and their alloys; Zhou, Johnson and Wadley, Phys. Rev. B 69 (2004) 144113, mixed
///   pairs by the paper's rule phi_ab = (rho_b/rho_a phi_aa + rho_a/rho_b phi_bb) / 2. Cut at sqrt(5) r_e of
///   the largest element, as the authors' own program does; that program's sign of eta for W, which makes F
///   smooth (W_zhou.eam.alloy has the other one: F differs above 1.15 rho_e). No screened-Coulomb core.
PotentialTables make_analytic_potential(const std::string& model, const std::vector<std::string>& elements);

}  // namespace wafermark::tungsten

// A potential's radial tables over u = r^2: looked up without a root, and with phi'/r and rho'/r as they
// enter the force.
#pragma once

#include <vector>

#include "tungsten_md/model/potential_tables.hpp"

namespace wafermark::tungsten {

/// Cubic pieces over u on the uniform grid u = k du, k = 0 ... pieces - 1, of which the last begins at the
/// cut-off, is zero and stands for everything beyond. Values and slopes at the grid's points are those of the
/// tables over r; forces are the energy's own slopes, so that energy is conserved as well as with tables over
/// r. Over u the grid is finer at large r, coarser at small: dr = du / 2r. Below u = du, nearer than atoms
/// come, the values go on along their slope at u = du, since phi has no value at r = 0.
struct SquaredTables {
  int pieces = 0;
  double du = 0.0;              ///< Angstrom^2
  std::vector<double> density;  ///< [piece][4]: rho's cubic in p, the place in the piece, 0 <= p <= 1
  /// [piece][8]: (2/du) d rho/dp = rho'/r as c.a p^2 + c.b p + c.c, and 0; phi'/r likewise, and phi where the
  /// piece begins.
  std::vector<double> slopes;
};

/// Of the pair of elements a, b (the density is that of b at a), with at least five `pieces`.
SquaredTables over_squares(const PotentialTables& tables, int a, int b, int pieces);

}  // namespace wafermark::tungsten

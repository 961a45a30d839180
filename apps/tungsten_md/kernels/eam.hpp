// The embedded-atom method (Daw and Baskes, Phys. Rev. B 29 (1984) 6443):
//   E = sum_i F_i(rho_i) + 1/2 sum_ij phi_ij(r_ij),   rho_i = sum_j rho_ij(r_ij)
// Values in, values out; who the neighbours are and where they come from is the caller's business.
#pragma once

#include "tungsten_md/kernels/cubic_table.hpp"

namespace wafermark::tungsten {

template <class T>
struct PairTerm {
  T phi;           ///< pair energy phi(r), eV
  T force_over_r;  ///< minus dE/dr divided by r, eV/A^2: times (x_i - x_j) it is the force on i
};

/// Pair energy and force of one pair at distance r = 1 / inverse_r.
/// r_phi, r_phi_slope: r phi(r) and its derivative; embedding_slope_i, _j: F'(rho_i), F'(rho_j);
/// density_slope_ij: derivative of the density that j lays at i, and _ji the other way round.
///   phi = (r phi) / r,  phi' = (r phi)' / r - phi / r,  dE/dr = F'_i rho'_ij + F'_j rho'_ji + phi'
template <class T>
KOKKOS_FORCEINLINE_FUNCTION PairTerm<T> eam_pair(T inverse_r, T r_phi, T r_phi_slope, T embedding_slope_i,
                                                 T density_slope_ij, T embedding_slope_j,
                                                 T density_slope_ji) {
  const T phi = r_phi * inverse_r;
  const T phi_slope = r_phi_slope * inverse_r - phi * inverse_r;
  const T slope = embedding_slope_i * density_slope_ij + (embedding_slope_j * density_slope_ji + phi_slope);
  return {phi, -(slope * inverse_r)};
}

template <class T>
struct Embedding {
  T energy;  ///< F(rho), eV
  T slope;   ///< F'(rho)
};

/// F and F' from a table of `pieces` cubic quads on the grid rho = k drho. Beyond the table the energy goes
/// on along its last slope; below zero the first piece is extrapolated (both as LAMMPS does).
template <class T>
KOKKOS_FORCEINLINE_FUNCTION Embedding<T> embed(const T* quads, int pieces, T inverse_drho, T rho) {
  using Kokkos::floor;
  using Kokkos::max;
  using Kokkos::min;
  const T s = rho * inverse_drho;
  const T m = max(T(0), min(T(floor(s)), T(pieces - 2)));
  const T p = min(T(s - m), T(1));
  const Quad<T> c = load_quads(quads, truncate(m));
  const T slope = cubic_slope(c, p) * inverse_drho;
  const T beyond = max(T(0), (s - T(pieces - 1)) / inverse_drho);
  return {cubic_value(c, p) + slope * beyond, slope};
}

}  // namespace wafermark::tungsten

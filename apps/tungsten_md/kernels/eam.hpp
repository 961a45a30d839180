// The embedded-atom method (Daw and Baskes, Phys. Rev. B 29 (1984) 6443):
//   E = sum_i F_i(rho_i) + 1/2 sum_ij phi_ij(r_ij),   rho_i = sum_j rho_ij(r_ij)
// Values in, values out; who the neighbours are and where they come from is the caller's business.
#pragma once

#include "tungsten_md/kernels/cubic_table.hpp"

namespace wafermark::tungsten {

/// What a pair contributes to the force that depends on its distance alone.
template <class T>
struct RadialSlopes {
  T phi_slope_over_r;         ///< phi'(r) / r, eV/A^2
  T density_slope_over_r_ij;  ///< of the density that j lays at i: rho'(r) / r
  T density_slope_over_r_ji;  ///< of the density that i lays at j
};
/// The same with the pair energy, eV.
template <class T>
struct RadialTerm : RadialSlopes<T> {
  T phi;
};

/// At distance r = 1 / inverse_r, from r phi(r), its derivative and the densities' derivatives:
///   phi = (r phi) / r,  phi' = ((r phi)' - phi) / r
template <class T>
KOKKOS_FORCEINLINE_FUNCTION RadialTerm<T> eam_radial(T inverse_r, T r_phi, T r_phi_slope, T density_slope_ij,
                                                     T density_slope_ji) {
  const T phi = r_phi * inverse_r;
  const T phi_slope = (r_phi_slope - phi) * inverse_r;
  return {{phi_slope * inverse_r, density_slope_ij * inverse_r, density_slope_ji * inverse_r}, phi};
}

/// The same from the pieces of the pair's tables, `p` into each. `density_ij`: of the density that j lays at
/// i.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION RadialTerm<T> eam_radial(const Quad<T>& density_ij, const Quad<T>& density_ji,
                                                     const Quad<T>& r_phi, T p, T inverse_r, T inverse_dr) {
  return eam_radial(inverse_r, cubic_value(r_phi, p), cubic_slope(r_phi, p) * inverse_dr,
                    cubic_slope(density_ij, p) * inverse_dr, cubic_slope(density_ji, p) * inverse_dr);
}

/// The same for two atoms of one element.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION RadialTerm<T> eam_radial(const Quad<T>& density, const Quad<T>& r_phi, T p,
                                                     T inverse_r, T inverse_dr) {
  const T slope = cubic_slope(density, p) * inverse_dr;
  return eam_radial(inverse_r, cubic_value(r_phi, p), cubic_slope(r_phi, p) * inverse_dr, slope, slope);
}

/// From tables over u = r^2 (model/squared_tables.hpp), which hold rho'/r and phi'/r: no root, no division.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION RadialSlopes<T> eam_radial_of_squares(const Quad<T>& density_slope,
                                                                  const Quad<T>& phi_slope, T p) {
  const T slope = quadratic_value(density_slope, p);
  return {quadratic_value(phi_slope, p), slope, slope};
}
/// The same for two elements: `density_slope_ij` of the density that j lays at i.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION RadialSlopes<T> eam_radial_of_squares(const Quad<T>& density_slope_ij,
                                                                  const Quad<T>& density_slope_ji,
                                                                  const Quad<T>& phi_slope, T p) {
  return {quadratic_value(phi_slope, p), quadratic_value(density_slope_ij, p),
          quadratic_value(density_slope_ji, p)};
}
/// phi from the same, eV: dphi/dp = du/2 phi'/r, summed up from where the piece begins.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION T phi_of_squares(const Quad<T>& phi_slope, T p, T half_du) {
  using V = typename Lanes<T>::Value;
  return phi_slope.d +
         half_du * p * ((phi_slope.a * T(V(1) / V(3)) * p + phi_slope.b * T(V(0.5))) * p + phi_slope.c);
}

/// Minus dE/dr divided by r, eV/A^2: times (x_i - x_j) it is the force on i. The arguments are F'(rho) of
/// both atoms.
///   dE/dr = F'_i rho'_ij + F'_j rho'_ji + phi'
template <class T>
KOKKOS_FORCEINLINE_FUNCTION T eam_force_over_r(const RadialSlopes<T>& pair, T embedding_slope_i,
                                               T embedding_slope_j) {
  return -(embedding_slope_i * pair.density_slope_over_r_ij +
           (embedding_slope_j * pair.density_slope_over_r_ji + pair.phi_slope_over_r));
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
  const T slope = cubic_slope(c, p);
  const T beyond = max(T(0), s - T(pieces - 1));
  return {cubic_value(c, p) + slope * beyond, slope * inverse_drho};
}

/// The same from a table of eam/he, which begins at `least_density` below 0 and goes on along its end slopes
/// on both sides. As in LAMMPS the second piece serves the first interval, too. The place in the table is
/// found in double precision: it is small beside where the table begins.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION Embedding<T> embed_from(const T* quads, int pieces, double drho,
                                                    double least_density, T rho) {
  const double s = (static_cast<double>(rho) - least_density) / drho;
  const double inside = Kokkos::fmax(0.0, Kokkos::fmin(s, static_cast<double>(pieces - 1)));
  const double m = Kokkos::fmax(1.0, Kokkos::fmin(Kokkos::floor(inside), static_cast<double>(pieces - 2)));
  const T p = static_cast<T>(inside - m);
  const Quad<T> c = load_quads(quads, static_cast<int>(m));
  const T slope = cubic_slope(c, p);
  return {cubic_value(c, p) + slope * static_cast<T>(s - inside), slope / static_cast<T>(drho)};
}

}  // namespace wafermark::tungsten

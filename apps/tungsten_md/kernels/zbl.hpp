// Screened Coulomb repulsion of two nuclei at short range:
//   phi(r) = (e^2 / 4 pi eps0) Z1 Z2 / r  sum_k c_k exp(-d_k r / a)
#pragma once

#include <Kokkos_Core.hpp>

namespace wafermark::tungsten {

/// e^2 / (4 pi eps0) in eV Angstrom, the value of LAMMPS' metal units (pair zbl).
inline constexpr double coulomb_ev_angstrom = 14.399645;

/// The screening function and its length. At most four terms; unused ones have amplitude 0.
template <class T>
struct ZblScreening {
  T amplitude[4];
  T decay[4];
  T inverse_length;  ///< 1 / a, 1/Angstrom
  T strength;        ///< coulomb_ev_angstrom Z1 Z2, eV Angstrom

  /// Universal screening of Ziegler, Biersack and Littmark (1985), with the digits of LAMMPS pair zbl.
  static ZblScreening universal(int z1, int z2) {
    const T length = T(0.46850) / (Kokkos::pow(T(z1), T(0.23)) + Kokkos::pow(T(z2), T(0.23)));
    return {{T(0.18175), T(0.50986), T(0.28022), T(0.02817)},
            {T(3.19980), T(0.94229), T(0.40290), T(0.20162)},
            T(1) / length,
            T(coulomb_ev_angstrom) * T(z1 * z2)};
  }
  /// W-W, screening fitted to all-electron DFT: Byggmastar et al., Phys. Rev. B 100 (2019) 144105.
  static ZblScreening tungsten_dft() {
    const T length = T(0.46848) / (T(2) * Kokkos::pow(T(74), T(0.23)));
    return {{T(0.32825), T(0.09219), T(0.58110), T(0)},
            {T(2.54931), T(0.29182), T(0.59231), T(0)},
            T(1) / length,
            T(coulomb_ev_angstrom) * T(74 * 74)};
  }

  /// r phi(r), eV Angstrom; finite at r = 0.
  KOKKOS_FUNCTION T r_phi(T r) const {
    T screening = T(0);
    for (int k = 0; k < 4; ++k) screening += amplitude[k] * Kokkos::exp(-decay[k] * inverse_length * r);
    return strength * screening;
  }
};

/// The weight of the core in phi = f phi_core + (1 - f) phi_table: 1 up to `inner`, 0 from `outer`, with two
/// continuous derivatives: f = 3/16 x^5 - 5/8 x^3 + 15/16 x + 1/2, x = (outer + inner - 2r) / (outer - inner)
/// (Bonny et al., 2017).
template <class T>
KOKKOS_FUNCTION T core_weight(T r, T inner, T outer) {
  if (r <= inner) return T(1);
  if (r >= outer) return T(0);
  const T x = (outer + inner - T(2) * r) / (outer - inner), x2 = x * x;
  return T(0.5) + x * (T(0.9375) + x2 * (T(-0.625) + x2 * T(0.1875)));
}

}  // namespace wafermark::tungsten

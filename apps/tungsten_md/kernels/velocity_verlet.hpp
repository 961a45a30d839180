// Velocity Verlet (Swope et al., J. Chem. Phys. 76 (1982) 637) in metal units:
//   v += f/m dt/2;  x += v dt;  [forces at x];  v += f/m dt/2
#pragma once

#include <Kokkos_Core.hpp>

namespace wafermark::tungsten {

/// (eV/Angstrom) / amu in Angstrom/ps^2: 1.602176634e-19 J/eV / (1.66053906660e-27 kg * 1e4 m2/s2 per
/// (A/ps)^2).
inline constexpr double acceleration_of_ev_per_angstrom_amu = 1.602176634e-19 / 1.66053906660e-23;

/// Velocity after force f (eV/Angstrom) acted for `time` ps on a mass in amu; one component.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION T kick(T v, T f, T inverse_mass, T time) {
  return v + f * inverse_mass * (time * T(acceleration_of_ev_per_angstrom_amu));
}

/// Position after velocity v for `time` ps; one component.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION T drift(T x, T v, T time) {
  return x + v * time;
}

}  // namespace wafermark::tungsten

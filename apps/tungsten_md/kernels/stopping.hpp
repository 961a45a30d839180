// Electronic stopping: the energy that a moving atom loses to electrons, dE/dt = -S(E) v.
#pragma once

#include <Kokkos_Core.hpp>

namespace wafermark::tungsten {

/// Factor on the velocity after `dt` for S = k sqrt(E): a drag linear in the velocity, so it decays as
/// exp(-k dt / sqrt(2 m)); mass in eV (ps/Angstrom)^2, k in eV/Angstrom per sqrt(eV). Exact for any dt.
template <class T>
KOKKOS_INLINE_FUNCTION T stopping_factor_sqrt(T k, T mass, T dt) {
  using Kokkos::exp;
  using Kokkos::sqrt;
  return T(exp(-k * dt / T(sqrt(T(2) * mass))));
}

/// Factor on the velocity for a stopping power S (eV/Angstrom) that is taken as constant over `dt`: constant
/// deceleration, v' = v - S dt / m, and no further than to rest.
template <class T>
KOKKOS_INLINE_FUNCTION T stopping_factor(T stopping_power, T mass, T speed, T dt) {
  using Kokkos::max;
  return T(max(T(0), T(1) - stopping_power * dt / (mass * speed)));
}

/// Linear interpolation in a table of ascending energies; zero below the first, the last value above the last
/// (LAMMPS fix electron/stopping instead ends a run there).
template <class T>
KOKKOS_INLINE_FUNCTION T interpolate_stopping(const T* energy, const T* power, int n, T e) {
  if (e < energy[0]) return T(0);
  if (e >= energy[n - 1]) return power[n - 1];
  int low = 0, high = n - 1;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    (energy[middle] <= e ? low : high) = middle;
  }
  return power[low] + (power[high] - power[low]) * (e - energy[low]) / (energy[high] - energy[low]);
}

/// Which law slows atoms, and from which kinetic energy on.
template <class T>
struct StoppingLaw {
  bool table;
  T coefficient;  ///< k of S = k sqrt(E)
  T cutoff_energy;
  const T *energy, *power;  ///< of the table
  int entries;
};

/// Factor on the velocity of an atom of `mass` eV (ps/Angstrom)^2 and squared speed v2 over `dt`.
template <class T>
KOKKOS_FUNCTION T slowing(const StoppingLaw<T>& law, T mass, T v2, T dt) {
  using Kokkos::sqrt;
  const T kinetic = T(0.5) * mass * v2;
  if (kinetic <= law.cutoff_energy) return T(1);
  if (!law.table) return stopping_factor_sqrt(law.coefficient, mass, dt);
  return stopping_factor(interpolate_stopping(law.energy, law.power, law.entries, kinetic), mass, T(sqrt(v2)),
                         dt);
}

}  // namespace wafermark::tungsten

// The stochastic part of Langevin dynamics as an exact Ornstein-Uhlenbeck step on velocities (the "O" of
// Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34). It commutes with nothing it should not:
// positions stay, so the heat taken from the bath is the change of kinetic energy, to rounding, whatever the
// time step.
#pragma once

#include <Kokkos_Core.hpp>

namespace wafermark::tungsten {

/// Coefficients of v <- keep v + noise g for one mass: keep = exp(-dt / damping time), noise = sqrt((1 -
/// keep^2) kT/m).
template <class T>
struct HeatBath {
  T keep, noise;
};

/// `thermal_speed_squared`: kT / m in (Angstrom/ps)^2.
template <class T>
KOKKOS_INLINE_FUNCTION HeatBath<T> heat_bath(T dt_over_damping_time, T thermal_speed_squared) {
  using Kokkos::exp;
  using Kokkos::sqrt;
  const T keep = T(exp(-dt_over_damping_time));
  return {keep, T(sqrt((T(1) - keep * keep) * thermal_speed_squared))};
}

/// Velocity after the bath acted, one component; `noise` is a standard normal number.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION T bathed(const HeatBath<T>& bath, T v, T noise) {
  return bath.keep * v + bath.noise * noise;
}

/// The part of a box in which no bath acts: lo <= x < hi along every axis; lo > hi: nowhere.
template <class T>
struct QuietRegion {
  T lo[3], hi[3];
  KOKKOS_FUNCTION bool holds(T x, T y, T z) const {
    return x >= lo[0] && x < hi[0] && y >= lo[1] && y < hi[1] && z >= lo[2] && z < hi[2];
  }
};

}  // namespace wafermark::tungsten

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
  const T keep = Kokkos::exp(-dt_over_damping_time);
  return {keep, Kokkos::sqrt((T(1) - keep * keep) * thermal_speed_squared)};
}

}  // namespace wafermark::tungsten

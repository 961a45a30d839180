// The longest time step that an atom allows.
#pragma once

#include "tungsten_md/kernels/velocity_verlet.hpp"

namespace wafermark::tungsten {

/// Limits of one step; 0: no limit.
template <class T>
struct StepLimits {
  T displacement;   ///< Angstrom, by velocity and force
  T energy_change;  ///< eV, |F v| dt
};

/// With what the acceleration is multiplied in longest_time_step() so that its step keeps the displacement
/// limit in each of so many steps: one step is asked for now, several while the force is at most twice what
/// it is, a' = 2 a. Before the last of n steps the speed is at most v + (n - 1) a' dt, so that the atom moves
/// by
///   (v + (n - 1) a' dt) dt + a' dt^2 / 2 = v dt + (2 n - 1) a' dt^2 / 2
constexpr double acceleration_factor(int steps) { return steps == 1 ? 1.0 : 2.0 * (2.0 * steps - 1.0); }

/// Longest step, ps, that keeps one atom within the limits, and no longer than `longest`.
template <class T>
KOKKOS_FUNCTION T longest_time_step(T vx, T vy, T vz, T fx, T fy, T fz, T inverse_mass,
                                    const StepLimits<T>& limits, T longest) {
  using Kokkos::abs;
  using Kokkos::min;
  using Kokkos::sqrt;
  const T tiny = T(1e-30f);
  if (limits.displacement > T(0)) {
    const T v2 = vx * vx + vy * vy + vz * vz;
    const T acceleration =
        T(sqrt(fx * fx + fy * fy + fz * fz)) * inverse_mass * T(acceleration_of_ev_per_angstrom_amu);
    // v dt + a dt^2 / 2 = d, in the form that does not cancel.
    const T root = T(sqrt(v2 + T(2) * acceleration * limits.displacement));
    longest = T(min(longest, T(2) * limits.displacement / (T(sqrt(v2)) + root + tiny)));
  }
  if (limits.energy_change > T(0)) {
    const T power = fx * vx + fy * vy + fz * vz;
    longest = T(min(longest, limits.energy_change / (T(abs(power)) + tiny)));
  }
  return longest;
}

}  // namespace wafermark::tungsten

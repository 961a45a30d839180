// How a box follows the pressure: the logarithms e of its edges obey, for each axis with the pressure P and
// the aim P0,
//   de = -(beta / 3 tau) (P0 - P) dt + sqrt(2 kT beta / (3 V tau)) dW
// Without the noise this is Berendsen's barostat (J. Chem. Phys. 81 (1984) 3684); with it, and with momenta
// that shrink as positions grow, stochastic cell rescaling (Bernetti and Bussi, J. Chem. Phys. 153 (2020)
// 114107; axis by axis: del Tatto et al., Appl. Sci. 12 (2022) 1139). The volume, e_x + e_y + e_z, then has
// the drift beta/tau and the noise 2 kT beta / (V tau) of the paper.
#pragma once

#include <Kokkos_Core.hpp>

namespace wafermark::tungsten {

/// What the strain of one axis follows from over a time `dt`.
template <class T>
struct BoxResponse {
  T compressibility;     ///< beta, 1/pressure
  T dt_over_relaxation;  ///< dt / tau
  T thermal_pressure;    ///< kT / V; 0: no noise

  /// Of one axis; `excess`: P - P0.
  KOKKOS_INLINE_FUNCTION T of_axis(T excess, T noise) const {
    return compressibility * dt_over_relaxation * excess / T(3) +
           T(Kokkos::sqrt(T(2) * thermal_pressure * compressibility * dt_over_relaxation / T(3))) * noise;
  }
  /// Of every axis, where all go together: a third of the volume's. `excess`: mean over the axes.
  KOKKOS_INLINE_FUNCTION T of_volume(T excess, T noise) const {
    return (compressibility * dt_over_relaxation * excess +
            T(Kokkos::sqrt(T(2) * thermal_pressure * compressibility * dt_over_relaxation)) * noise) /
           T(3);
  }
};

/// A coordinate in a box that is stretched by `factor` from its lower corner.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION T stretched(T x, T corner, T factor) {
  return corner + (x - corner) * factor;
}

}  // namespace wafermark::tungsten

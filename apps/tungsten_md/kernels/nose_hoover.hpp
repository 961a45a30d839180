// A Nose-Hoover chain: heat bath without noise (Martyna, Klein and Tuckerman, J. Chem. Phys. 97 (1992) 2635),
// integrated as in Martyna et al., Mol. Phys. 87 (1996) 1117, with three Suzuki-Yoshida steps of order four.
#pragma once

#include <Kokkos_Core.hpp>

namespace wafermark::tungsten {

/// Links k = 0 ... n - 1 with positions and velocities. Q_0 = N kT tau^2, Q_k = kT tau^2 (eV ps^2) for N
/// degrees of freedom and a time tau.
template <class T>
struct NoseHooverChain {
  int n;
  T freedom, time, reference_energy;  ///< N; tau; kT that the masses Q follow from
  T *position, *velocity;             ///< [n]; velocity in 1/ps

  KOKKOS_INLINE_FUNCTION T mass(int k) const {
    return (k == 0 ? freedom : T(1)) * reference_energy * time * time;
  }
  /// dv/dt of a link.
  KOKKOS_INLINE_FUNCTION T acceleration(int k, T twice_kinetic, T kt) const {
    const T excess =
        k == 0 ? twice_kinetic - freedom * kt : mass(k - 1) * velocity[k - 1] * velocity[k - 1] - kt;
    return excess / mass(k);
  }
  KOKKOS_INLINE_FUNCTION T kinetic() const {
    T sum = T(0);
    for (int k = 0; k < n; ++k) sum += T(0.5) * mass(k) * velocity[k] * velocity[k];
    return sum;
  }
  /// Goes on by dt beside atoms of 2 E_kin = `twice_kinetic` and returns the factor on their velocities.
  /// `taken`: grows by the energy, eV, that the links' potential N kT x_0 + kT (x_1 + ...) gained.
  KOKKOS_INLINE_FUNCTION T go_on(T twice_kinetic, T kt, T dt, T& taken) {
    using Kokkos::exp;
    const T third = T(1.0 / (2.0 - 1.2599210498948732));  // 1 / (2 - 2^(1/3))
    const T weight[3] = {third, T(1) - T(2) * third, third};
    T factor = T(1);
    for (int s = 0; s < 3; ++s) {
      const T h = weight[s] * dt;
      velocity[n - 1] += acceleration(n - 1, twice_kinetic, kt) * T(0.5) * h;
      for (int k = n - 2; k >= 0; --k) turn(k, twice_kinetic, kt, h);
      const T slower = T(exp(-h * velocity[0]));
      factor *= slower;
      twice_kinetic *= slower * slower;
      for (int k = 0; k < n; ++k) {
        position[k] += h * velocity[k];
        taken += (k == 0 ? freedom : T(1)) * kt * h * velocity[k];
      }
      for (int k = 0; k < n - 1; ++k) turn(k, twice_kinetic, kt, h);
      velocity[n - 1] += acceleration(n - 1, twice_kinetic, kt) * T(0.5) * h;
    }
    return factor;
  }

 private:
  /// Half a step of h for a link that has another behind it.
  KOKKOS_INLINE_FUNCTION void turn(int k, T twice_kinetic, T kt, T h) {
    const T drag = T(Kokkos::exp(-T(0.25) * h * velocity[k + 1]));
    velocity[k] = (velocity[k] * drag + acceleration(k, twice_kinetic, kt) * T(0.5) * h) * drag;
  }
};

}  // namespace wafermark::tungsten

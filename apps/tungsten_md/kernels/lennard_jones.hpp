// The pair potential of Lennard-Jones (Proc. R. Soc. A 106 (1924) 463), cut at a distance:
//   phi(r) = 4 eps ((sigma/r)^12 - (sigma/r)^6) - shift,   r < cut-off
//   -phi'(r) / r = 24 eps (2 (sigma/r)^12 - (sigma/r)^6) / r^2
// Values in, values out; who the neighbours are and what lies within the cut-off is the caller's business.
#pragma once

#include "tungsten_md/kernels/lanes.hpp"

namespace wafermark::tungsten {

template <class T>
struct LennardJonesPair {
  T phi;           ///< pair energy without the shift, eV
  T force_over_r;  ///< times (x_i - x_j) it is the force on i, eV/A^2
};

/// At the squared distance r_squared > 0, from sigma^2 and 4 epsilon.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION LennardJonesPair<T> lennard_jones(T r_squared, T sigma_squared, T four_epsilon) {
  using V = typename Lanes<T>::Value;
  const T inverse = T(V(1)) / r_squared;
  const T s2 = sigma_squared * inverse;
  const T s6 = s2 * s2 * s2;
  const T attraction = four_epsilon * s6;
  const T phi = attraction * s6 - attraction;
  return {phi, T(V(6)) * (phi + attraction * s6) * inverse};
}

}  // namespace wafermark::tungsten

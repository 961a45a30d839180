// The step of the minimiser FIRE (Bitzek et al., Phys. Rev. Lett. 97 (2006) 170201) for one component.
#pragma once

#include <Kokkos_Core.hpp>

namespace wafermark::tungsten {

/// Velocity turned towards the force: (1 - mixing) v + mixing |v| f / |f|, with along_force = mixing |v| /
/// |f| of all atoms together.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION T turned(T v, T f, T mixing, T along_force) {
  return (T(1) - mixing) * v + along_force * f;
}

}  // namespace wafermark::tungsten

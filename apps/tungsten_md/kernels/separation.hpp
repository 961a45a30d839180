// Differences of positions.
#pragma once

#include "tungsten_md/kernels/lanes.hpp"

namespace wafermark::tungsten {

template <class T>
KOKKOS_FORCEINLINE_FUNCTION T squared_length(T x, T y, T z) {
  return x * x + y * y + z * z;
}

/// a - b along one axis of two positions that are given from the corners of their own cells; `corners` is
/// corner(b) - corner(a). The order keeps difference(a, b) = -difference(b, a) to the last bit.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION T cell_difference(T a, T b, T corners) {
  return (a - b) - corners;
}

/// The shortest periodic image of a difference.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION T nearest_image(T d, T length, T inverse_length) {
  using Kokkos::round;
  return d - length * T(round(d * inverse_length));
}

}  // namespace wafermark::tungsten

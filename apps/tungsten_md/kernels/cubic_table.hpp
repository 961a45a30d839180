// A table of cubic pieces on a uniform grid, as the splines of model/potential_tables.hpp make them.
#pragma once

#include "tungsten_md/kernels/lanes.hpp"

namespace wafermark::tungsten {

/// Where a value falls in a uniform grid: piece `index`, and how far into it, 0 <= p <= 1.
template <class T>
struct TablePosition {
  typename Lanes<T>::Int index;
  T p;
};

/// Piece of grid coordinate s = r / dr >= 0 among `pieces` pieces of which the last is the value at the
/// table's end (constant). Lanes that are not `inside` get piece `pieces`, which every table keeps zero. As
/// LAMMPS (pair_eam.cpp, PairEAM::compute): m = min(int(s), n - 2), p = min(s - m, 1).
template <class T, class Mask>
KOKKOS_FORCEINLINE_FUNCTION TablePosition<T> locate(T s, Mask inside, int pieces) {
  using V = typename Lanes<T>::Value;
  using Kokkos::floor;
  using Kokkos::min;
  const T m = min(T(floor(s)), T(static_cast<V>(pieces - 2)));
  const T p = min(T(s - m), T(static_cast<V>(1)));
  return {truncate(select(inside, m, T(static_cast<V>(pieces)))), p};
}

/// The same for s >= 0 in a table whose piece `last` is zero and stands for everything beyond. No test is
/// needed: what lies beyond adds nothing.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION TablePosition<T> locate_or_beyond(T s, T last) {
  using Kokkos::floor;
  using Kokkos::min;
  const T within = T(min(last, s)), m = T(floor(within));
  return {truncate(m), within - m};
}

/// ((c.a p + c.b) p + c.c) p + c.d
template <class T>
KOKKOS_FORCEINLINE_FUNCTION T cubic_value(const Quad<T>& c, T p) {
  return ((c.a * p + c.b) * p + c.c) * p + c.d;
}
/// (c.a p + c.b) p + c.c
template <class T>
KOKKOS_FORCEINLINE_FUNCTION T quadratic_value(const Quad<T>& c, T p) {
  return (c.a * p + c.b) * p + c.c;
}
/// Derivative with respect to p; times 1/dr it is the derivative with respect to r.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION T cubic_slope(const Quad<T>& c, T p) {
  using V = typename Lanes<T>::Value;
  return (T(V(3)) * c.a * p + T(V(2)) * c.b) * p + c.c;
}

}  // namespace wafermark::tungsten

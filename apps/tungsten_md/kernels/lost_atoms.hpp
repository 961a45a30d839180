// When an atom has left an open box for good.
#pragma once

#include <Kokkos_Core.hpp>

namespace wafermark::tungsten {

/// An atom with fewer neighbours than this has come off the crystal: an atom of a surface has some twenty, of
/// a corner eight.
inline constexpr int neighbours_that_hold = 4;

/// The open faces of a box; along periodic axes they lie at infinity. `radius`: how far neighbours count,
/// cut-off and skin.
struct OpenFaces {
  double lo[3], hi[3], length[3], radius;

  /// How far a place lies beyond them: 0: within the radius; 1: farther; 2: farther than the box is long.
  KOKKOS_FUNCTION int zone(double x, double y, double z) const {
    const double at[3] = {x, y, z};
    int zone = 0;
    for (int d = 0; d < 3; ++d) {
      const double beyond = Kokkos::max(lo[d] - at[d], at[d] - hi[d]);
      if (beyond > radius) zone = Kokkos::max(zone, beyond > length[d] ? 2 : 1);
    }
    return zone;
  }
};

/// An atom is lost when it lies beyond an open face by more than the radius and fewer than four atoms are
/// within that radius, or when it lies beyond the face by more than the box is long. So neither a surface
/// that vibrates, nor a crystal that grows over its box as it heats, nor a crystal beside a tight box loses
/// atoms; sputtered atoms and dimers do.
KOKKOS_INLINE_FUNCTION bool is_lost(int zone, int neighbours) {
  return zone == 2 || (zone == 1 && neighbours < neighbours_that_hold);
}

}  // namespace wafermark::tungsten

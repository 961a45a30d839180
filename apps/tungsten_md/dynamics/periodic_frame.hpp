// A periodic box seen from a place in it: each recoil of a dose is in the middle of its own box.
#pragma once

#include <Kokkos_Core.hpp>

#include "tungsten_md/model/box.hpp"

namespace wafermark::tungsten {

/// Coordinates moved along the periodic axes so that a place lies in the middle of the box. As constructed it
/// moves nothing.
struct PeriodicFrame {
  double shift[3] = {0.0, 0.0, 0.0};
  double lo[3] = {0.0, 0.0, 0.0}, hi[3] = {0.0, 0.0, 0.0};

  static PeriodicFrame around(const Box& box, const Vec3& place) {
    PeriodicFrame frame;
    for (int d = 0; d < 3; ++d) {
      frame.lo[d] = box.lo[d];
      frame.hi[d] = box.hi[d];
      if (box.periodic[d]) frame.shift[d] = 0.5 * (box.lo[d] + box.hi[d]) - place[d];
    }
    return frame;
  }
  /// Coordinate x of axis d. For x in or near the box, and a place in it.
  KOKKOS_FUNCTION double along(int d, double x) const {
    if (shift[d] == 0.0) return x;
    const double moved = x + shift[d], length = hi[d] - lo[d];
    return moved >= hi[d] ? moved - length : moved < lo[d] ? moved + length : moved;
  }
};

}  // namespace wafermark::tungsten

// The simulation box: an orthogonal cuboid, each axis periodic or open.
#pragma once

#include <array>

namespace wafermark::tungsten {

using Vec3 = std::array<double, 3>;

/// Lengths in Angstrom. An open axis still has bounds: they place the ranks' subdomains; atoms may leave them.
struct Box {
  Vec3 lo{0, 0, 0};
  Vec3 hi{0, 0, 0};
  std::array<bool, 3> periodic{true, true, true};

  double length(int axis) const { return hi[axis] - lo[axis]; }
  double volume() const { return length(0) * length(1) * length(2); }
};

}  // namespace wafermark::tungsten

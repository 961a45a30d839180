// The simulation box: an orthogonal cuboid, each axis periodic or open.
#pragma once

#include <array>
#include <cmath>

namespace wafermark::tungsten {

using Vec3 = std::array<double, 3>;

/// Lengths in Angstrom. An open axis still has bounds: they place the ranks' subdomains; atoms may leave
/// them.
struct Box {
  Vec3 lo{0, 0, 0};
  Vec3 hi{0, 0, 0};
  std::array<bool, 3> periodic{true, true, true};

  double length(int axis) const { return hi[axis] - lo[axis]; }
  bool operator==(const Box&) const = default;
  double volume() const { return length(0) * length(1) * length(2); }

  /// Whether an off-diagonal element of a box matrix is rounding beside an edge of `length`, of the single
  /// precision that some programs write boxes in.
  static bool is_rounding(double tilt, double length) { return std::abs(tilt) <= 1e-7 * length; }

  /// `x` moved by box lengths into [lo, hi) along the periodic axes.
  Vec3 wrap(Vec3 x) const {
    for (int d = 0; d < 3; ++d) {
      if (!periodic[d] || (lo[d] <= x[d] && x[d] < hi[d])) continue;
      x[d] -= std::floor((x[d] - lo[d]) / length(d)) * length(d);
      if (x[d] >= hi[d] || x[d] < lo[d]) x[d] = lo[d];  // rounding met a face
    }
    return x;
  }
  /// The shortest periodic image of the difference vector `d`.
  Vec3 minimum_image(Vec3 d) const {
    for (int axis = 0; axis < 3; ++axis)
      if (periodic[axis]) d[axis] -= std::nearbyint(d[axis] / length(axis)) * length(axis);
    return d;
  }
};

}  // namespace wafermark::tungsten

// The two arithmetics of the cluster target.
#pragma once

#include "tungsten_md/kernels/lanes.hpp"

namespace wafermark::tungsten {

/// Everything in fp64.
struct DoublePrecision {
  using Real = double;
  static constexpr const char* name = "double";
  /// Coordinate of a site, and the difference of two (in units of `unit`).
  KOKKOS_FUNCTION static double encode(double x, double centre, double) { return x - centre; }
  template <class T>
  KOKKOS_FORCEINLINE_FUNCTION static T difference(T a, T b) {
    return a - b;
  }
};

/// Pair arithmetic in fp32; positions, velocities, energies and their sums in fp64. Coordinates reach the
/// pair kernels as 32-bit integers in units of the subdomain's extent / 2^31, so that differences are exact
/// and the rounding of a distance (below 1e-6 Angstrom for a subdomain of 1,000 Angstrom) does not grow with
/// the box the way fp32 coordinates would.
struct MixedPrecision {
  using Real = float;
  static constexpr const char* name = "mixed";
  KOKKOS_FUNCTION static float encode(double x, double centre, double inverse_unit) {
    return Kokkos::bit_cast<float>(
        static_cast<std::int32_t>(Kokkos::floor((x - centre) * inverse_unit + 0.5)));
  }
  template <class T>
  KOKKOS_FORCEINLINE_FUNCTION static T difference(T a, T b) {
    return fixed_point_difference(a, b);
  }
};

}  // namespace wafermark::tungsten

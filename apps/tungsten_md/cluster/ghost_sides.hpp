// The sides of a subdomain on which ghosts stand, and the atoms that are copied to each.
#pragma once

#include <Kokkos_Core.hpp>

#include "tungsten_md/dynamics/particles.hpp"

namespace wafermark::tungsten {

/// Side s = sum of digit_d 3^d over the axes; a digit says where the owner lies along its axis: 0 in the same
/// slice, 1 in the one above, 2 in the one below. Side 0 is the subdomain itself. Ghosts stand side after
/// side, each side in its owner's order.
inline constexpr int ghost_sides = 27;
enum SideDigit : int { same_slice = 0, slice_above = 1, slice_below = 2 };

KOKKOS_FORCEINLINE_FUNCTION constexpr int side_digit(int side, int axis) {
  return axis == 0 ? side % 3 : axis == 1 ? side / 3 % 3 : side / 9;
}
/// -1, 0, +1: from the subdomain to the owner.
constexpr int owner_offset(int side, int axis) {
  const int digit = side_digit(side, axis);
  return digit == slice_above ? 1 : digit == slice_below ? -1 : 0;
}

/// The sides whose last crossed axis is `axis` are first_side(axis) ... first_side(axis + 1) - 1.
constexpr int first_side(int axis) { return axis == 0 ? 1 : axis == 1 ? 3 : axis == 2 ? 9 : ghost_sides; }

/// A number for each side.
struct SideCounts {
  int of[ghost_sides]{};
  KOKKOS_FUNCTION SideCounts& operator+=(const SideCounts& o) {
    for (int s = 0; s < ghost_sides; ++s) of[s] += o.of[s];
    return *this;
  }
};

/// Lists the atoms that are ghosts of others, for each side in ascending order: those near the lower face
/// stand above the neighbour below, those near the upper face below the neighbour above. A ghost that is
/// passed on stands on its side and beyond.
struct ChooseGhosts {
  Vector3View x;
  int n_local;
  int ghost_end[ghost_sides];           ///< of each side's ghosts behind the local atoms
  double near_lower[3], near_upper[3];  ///< infinite where there is no neighbour
  Kokkos::View<int*, MemSpace> index;   ///< room for each side after the other
  int begin[ghost_sides + 1];           ///< of that room

  KOKKOS_FUNCTION void operator()(int i, SideCounts& sum, bool last) const {
    int own = 0;
    if (i >= n_local)
      while (i - n_local >= ghost_end[own]) ++own;
    int digit[3][3]{}, digits[3] = {1, 1, 1};
    for (int d = 0; d < 3; ++d) {
      if (x(i, d) < near_lower[d]) digit[d][digits[d]++] = slice_above;
      if (x(i, d) >= near_upper[d]) digit[d][digits[d]++] = slice_below;
    }
    for (int a = 0; a < digits[0]; ++a)
      for (int b = 0; b < digits[1]; ++b)
        for (int c = 0; c < digits[2]; ++c) {
          const int crossed = digit[0][a] + 3 * digit[1][b] + 9 * digit[2][c], side = own + crossed;
          if (crossed == 0) continue;
          const int at = begin[side] + sum.of[side]++;
          if (last && at < begin[side + 1]) index(at) = i;
        }
  }
};

}  // namespace wafermark::tungsten

// Search for the assignment of a column's atoms to a rectangle of tiles: a small quadratic assignment
// problem.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tungsten_md/wafer/placement/column_interactions.hpp"

namespace wafermark::tungsten {

/// How far interacting atoms are apart: lexicographically smaller is better.
struct ColumnReach {
  int b = 0;                    ///< largest Chebyshev tile distance of a pair
  std::int64_t pairs_at_b = 0;  ///< pairs per column at that distance, each counted once
  auto operator<=>(const ColumnReach&) const = default;
};

ColumnReach measure(const ColumnInteractions& interactions, const std::vector<std::array<int, 2>>& tile_of,
                    int p, int q);

/// No placement on p x q tiles has a smaller b: an atom and its own copies in other columns are always whole
/// rectangles apart, and an atom and its m partners need (m + 1) / atoms_of_tile tiles of a (2b+1) x (2b+1)
/// square.
class LeastReach {
 public:
  /// `atoms_of_tile`: that a tile tells its neighbours of, its own and those of other layers at its place.
  explicit LeastReach(const ColumnInteractions& interactions, int atoms_of_tile = 1);
  int on(int p, int q) const;

 private:
  int columns_x_ = 0, columns_y_ = 0;  ///< that an atom's farthest copies are away
  int for_partners_ = 0;
};

struct ColumnAssignment {
  std::vector<std::array<int, 2>> tile_of;
  ColumnReach reach;
};

/// Best assignment found on p x q tiles (p q >= n). Starts from atoms ordered by basis site and height in
/// bands of the rectangle, swaps tiles (empty ones included) while the sum of distance^8 over pairs falls
/// (a limited number of them), then anneals the best one on the excess of pairs over a threshold b - 1 that
/// is lowered whenever it is met. `swaps` bounds the swaps tried by the annealing, and so does the number of
/// ways to lay few atoms. Fixed seed.
ColumnAssignment search_assignment(const ColumnInteractions& interactions, int sites_per_cell, int p, int q,
                                   std::int64_t swaps);

}  // namespace wafermark::tungsten

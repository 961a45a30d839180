// Exchanges of tiles that bring interacting atoms nearer to each other: the last part of placing a structure.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tungsten_md/wafer/placement/near_atoms.hpp"

namespace wafermark::tungsten {

/// Pairs of atoms that must know of each other, each listed from both sides.
struct PairList {
  std::vector<std::size_t> begin;    ///< [atom], and one more
  std::vector<std::uint32_t> other;  ///< [begin[k] ... begin[k + 1])

  static PairList within(const Configuration& structure, double reach);
  std::size_t atoms() const { return begin.size() - 1; }
};

/// A rectangle of tiles; a ring's ends are neighbours.
struct TilePlane {
  std::array<int, 2> tiles{};
  std::array<bool, 2> ring{};

  /// Places from one tile to another along an axis, the shorter way.
  int places(int from, int to, std::size_t axis) const {
    int d = to - from;
    if (ring[axis]) d = 2 * d > tiles[axis] ? d - tiles[axis] : 2 * d < -tiles[axis] ? d + tiles[axis] : d;
    return d;
  }
};

/// How far atoms of a pair are apart, in tiles (Chebyshev): less is better.
struct PairDistances {
  int most = 0;
  std::int64_t pairs_at_most = 0;
  double mean = 0.0;
  bool operator<(const PairDistances& o) const {
    return most != o.most ? most < o.most : pairs_at_most < o.pairs_at_most;
  }
};
PairDistances measure(const PairList& pairs, const TilePlane& plane,
                      const std::vector<std::array<int, 2>>& tile_of);

/// Lowers the greatest distance of a pair as far as exchanges of the contents of two tiles do: atoms of pairs
/// beyond it change tiles with what lies around them while the squares of all excesses fall, then the limit
/// is lowered. Looks at no more than about `budget` pairs. Plain arithmetic in one order: equal arguments,
/// equal results.
void bring_nearer(const PairList& pairs, const TilePlane& plane, std::int64_t budget,
                  std::vector<std::array<int, 2>>& tile_of);

}  // namespace wafermark::tungsten

// The search for a column's tiles against all ways to lay it.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tungsten_md/wafer/placement/column_search.hpp"

namespace wafermark::tungsten {
namespace {

/// The least reach of all ways to lay a column on p x q tiles, as many as it has atoms.
ColumnReach least_of_all(const ColumnInteractions& interactions, int p, int q) {
  std::vector<int> tiles(static_cast<std::size_t>(p * q));
  std::iota(tiles.begin(), tiles.end(), 0);
  ColumnReach least{1000, 0};
  do {
    std::vector<std::array<int, 2>> tile_of;
    for (const int tile : tiles) tile_of.push_back({tile % p, tile / p});
    least = std::min(least, measure(interactions, tile_of, p, q));
  } while (std::next_permutation(tiles.begin(), tiles.end()));
  return least;
}

TEST(ColumnSearch, FindsTheBestOfAllWaysToLayAFewAtoms) {
  for (const int cells : {1, 2, 3, 4})
    for (const bool periodic_z : {false, true})
      for (const double reach : {3.4, 6.3}) {
        const Lattice lattice = make_lattice(LatticeKind::bcc, 3.1652, {8, 8, cells});
        const ColumnInteractions interactions = find_interactions(lattice, periodic_z, reach);
        for (const int p : {1, 2}) {
          const int q = interactions.size() / p;
          const ColumnAssignment found = search_assignment(interactions, 2, p, q, 10'000'000);
          const ColumnReach best = least_of_all(interactions, p, q);
          EXPECT_EQ(found.reach.b, best.b) << cells << " cells on " << p << " x " << q;
          EXPECT_EQ(found.reach.pairs_at_b, best.pairs_at_b) << cells << " cells on " << p << " x " << q;
        }
      }
}

}  // namespace
}  // namespace wafermark::tungsten

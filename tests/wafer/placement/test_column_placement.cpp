// Crystals on tiles: b is computed from the crystal, checked here against a search over explicit atoms.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <set>

#include "common/errors.hpp"
#include "tungsten_md/wafer/placement/column_placement.hpp"

namespace wafermark::tungsten {
namespace {

constexpr std::array<bool, 3> open{false, false, false}, periodic{true, true, true};

/// b from the positions of all atoms of a crystal of this lattice with `cells` cells, open in x and y.
int reach_of_atoms(const Lattice& lattice, std::array<int, 3> cells, bool periodic_z,
                   const ColumnPlacement& placement, double reach) {
  const Lattice part = make_lattice(lattice.kind, lattice.a, cells);
  const Box box = part.box({false, false, periodic_z});
  const int n = cells[2] * part.sites_per_cell();
  int b = 0;
  for (std::int64_t i = 0; i < part.size(); ++i)
    for (std::int64_t j = 0; j < i; ++j) {
      const Vec3 from = part.position(i), to = part.position(j);
      const Vec3 d = box.minimum_image({to[0] - from[0], to[1] - from[1], to[2] - from[2]});
      if (d[0] * d[0] + d[1] * d[1] + d[2] * d[2] >= reach * reach) continue;
      const auto tile = [&](std::int64_t site) {
        const std::int64_t column = site / n;
        const auto& t = placement.tile_of[site % n];
        return std::array<std::int64_t, 2>{column / cells[1] * placement.p + t[0],
                                           column % cells[1] * placement.q + t[1]};
      };
      const auto s = tile(i), t = tile(j);
      b = std::max({b, static_cast<int>(std::abs(s[0] - t[0])), static_cast<int>(std::abs(s[1] - t[1]))});
    }
  return b;
}

void expect_each_atom_has_its_own_tile(const Lattice& lattice, const ColumnPlacement& placement) {
  std::set<std::array<int, 2>> tiles(placement.tile_of.begin(), placement.tile_of.end());
  EXPECT_EQ(tiles.size(), static_cast<std::size_t>(lattice.cells[2] * lattice.sites_per_cell()));
  EXPECT_EQ(tiles.size(), placement.tile_of.size());
  for (const auto& t : tiles) {
    EXPECT_TRUE(0 <= t[0] && t[0] < placement.p) << t[0];
    EXPECT_TRUE(0 <= t[1] && t[1] < placement.q) << t[1];
  }
}

ColumnPlacement placed_as_published(LatticeKind kind, double a, std::array<int, 3> cells, double reach) {
  const Lattice lattice = make_lattice(kind, a, cells);
  const ColumnPlacement placement = place_column(lattice, open, reach, 769, 1044);
  expect_each_atom_has_its_own_tile(lattice, placement);
  EXPECT_LE(placement.p * cells[0], placement.turned ? 1044 : 769);
  EXPECT_LE(placement.q * cells[1], placement.turned ? 769 : 1044);
  EXPECT_EQ(reach_of(lattice, false, placement.tile_of, placement.p, placement.q, reach), placement.b);
  EXPECT_EQ(reach_of_atoms(lattice, {5, 5, cells[2]}, false, placement, reach), placement.b);
  return placement;
}

TEST(ColumnPlacement, TantalumSlabReachesFourTiles) {
  const auto placement = placed_as_published(LatticeKind::bcc, 3.2989, {256, 261, 6}, 3.98371 + 0.3);
  EXPECT_EQ(placement.b, 4);
  EXPECT_EQ(std::pair(placement.p, placement.q), std::pair(3, 4));
  EXPECT_FALSE(placement.turned);
}

TEST(ColumnPlacement, TungstenSlabReachesSevenTiles) {
  EXPECT_EQ(placed_as_published(LatticeKind::bcc, 3.1685, {256, 261, 6}, 5.52475 + 0.3).b, 7);
}

TEST(ColumnPlacement, CopperSlabReachesSevenTilesTurned) {
  const auto placement = placed_as_published(LatticeKind::fcc, 3.6319, {174, 192, 6}, 4.95 + 0.3);
  EXPECT_EQ(placement.b, 7);
  EXPECT_EQ(std::pair(placement.p, placement.q), std::pair(6, 4));
  EXPECT_TRUE(placement.turned);
}

}  // namespace
}  // namespace wafermark::tungsten

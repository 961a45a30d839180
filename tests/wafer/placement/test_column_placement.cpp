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

TEST(ColumnPlacement, PeriodicCubeKeepsAPairOverTheZFaceNear) {
  const Lattice cube = make_lattice(LatticeKind::bcc, 3.14339, {25, 25, 25});
  const double reach = 5.5 + 2.7;
  const ColumnPlacement placement = place_column(cube, periodic, reach, 769, 1044);
  expect_each_atom_has_its_own_tile(cube, placement);
  EXPECT_EQ(reach_of_atoms(cube, {7, 7, 25}, true, placement, reach), placement.b);
  // No square of fewer tiles holds the atoms of a column and of those two columns away in x and y.
  EXPECT_GE(placement.b, 2 * std::max(placement.p, placement.q));
  EXPECT_LE(placement.b, 3 * std::max(placement.p, placement.q));
  // Open in z the same assignment has fewer pairs, so it reaches no farther.
  EXPECT_LE(reach_of(cube, false, placement.tile_of, placement.p, placement.q, reach), placement.b);
  RecordProperty("b", placement.b);
  std::printf("periodic cube: b = %d on %d x %d tiles a column\n", placement.b, placement.p, placement.q);
}

TEST(ColumnPlacement, SmallSlabFitsInASquareOfItsOwnTiles) {
  const Lattice slab = make_lattice(LatticeKind::bcc, 3.2989, {2, 2, 2});
  const ColumnPlacement placement = place_column(slab, open, 4.28371, 769, 1044);
  expect_each_atom_has_its_own_tile(slab, placement);
  EXPECT_EQ(reach_of_atoms(slab, {2, 2, 2}, false, placement, 4.28371), placement.b);
  EXPECT_LE(placement.b, 3);  // all 16 atoms are on 4 x 4 tiles
}

TEST(ColumnPlacement, OneLayerOfASimpleCubicCrystalIsTheGridItself) {
  const Lattice layer = make_lattice(LatticeKind::sc, 2.5, {40, 30, 1});
  const ColumnPlacement nearest = place_column(layer, open, 2.6, 100, 100);
  EXPECT_EQ(std::pair(nearest.p, nearest.q), std::pair(1, 1));
  EXPECT_EQ(nearest.b, 1);
  EXPECT_EQ(place_column(layer, open, 2.5 * 3.1, 100, 100).b, 3);
}

TEST(ColumnPlacement, ReachCountsColumnsThatTheCrystalHas) {
  // Atoms two columns apart interact, but a crystal of 1 x 3 columns has such neighbours in y only.
  const Lattice row = make_lattice(LatticeKind::sc, 2.0, {1, 3, 1});
  EXPECT_EQ(reach_of(row, false, {{0, 0}}, 5, 1, 4.1), 2);
  EXPECT_EQ(reach_of(row, false, {{0, 0}}, 5, 4, 4.1), 8);
  EXPECT_EQ(reach_of(row, false, {{0, 0}}, 5, 4, 3.9), 4);
  EXPECT_THROW(reach_of(row, false, {{0, 0}, {0, 1}}, 5, 4, 3.9), InputError);
}

TEST(ColumnPlacement, EqualArgumentsGiveEqualPlacements) {
  const Lattice slab = make_lattice(LatticeKind::fcc, 3.6319, {10, 12, 3});
  const ColumnPlacement first = place_column(slab, {true, true, false}, 5.25, 100, 100);
  const ColumnPlacement again = place_column(slab, {true, true, false}, 5.25, 100, 100);
  EXPECT_EQ(first.tile_of, again.tile_of);
  EXPECT_EQ(first.b, again.b);
}

TEST(ColumnPlacement, ACrystalWithMoreAtomsThanTilesIsRefused) {
  const Lattice slab = make_lattice(LatticeKind::bcc, 3.2989, {256, 261, 7});
  try {
    place_column(slab, open, 4.28371, 769, 1044);
    FAIL() << "14 atoms were placed on 12 tiles";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("found 14 atoms in a column of"), std::string::npos)
        << error.what();
    EXPECT_NE(std::string(error.what()).find("expected at most 12"), std::string::npos) << error.what();
  }
  EXPECT_THROW(place_column(slab, open, 0.0, 7690, 10440), InputError);
}

/// All pairs of a crystal's atoms that are near enough, against what tiles of layers know of.
void expect_layers_know_of_all_pairs(const Lattice& lattice, std::array<bool, 3> ends, int layer_cells,
                                     double reach) {
  const LayeredPlacement placed = place_layers(lattice, ends, reach, layer_cells, 400, 500);
  const int nb = lattice.sites_per_cell(), n = lattice.cells[2] * nb, layers = placed.layers();
  ASSERT_EQ(placed.first_cell.back(), lattice.cells[2]);
  ASSERT_EQ(placed.panels.size(), layers == 1 ? 0u : static_cast<std::size_t>(layers));
  const auto layer_of = [&](int iz) {
    int layer = 0;
    while (placed.first_cell[static_cast<std::size_t>(layer + 1)] <= iz) ++layer;
    return layer;
  };
  const Box box = lattice.box({false, false, ends[2]});
  int widest = 0, farthest = 0;
  for (std::int64_t i = 0; i < lattice.size(); ++i)
    for (std::int64_t j = 0; j < i; ++j) {
      const Vec3 from = lattice.position(i), to = lattice.position(j);
      const Vec3 d = box.minimum_image({to[0] - from[0], to[1] - from[1], to[2] - from[2]});
      if (d[0] * d[0] + d[1] * d[1] + d[2] * d[2] >= reach * reach) continue;
      struct Where {
        std::int64_t x, y;
        int layer;
      };
      const auto where = [&](std::int64_t site) {
        const std::int64_t column = site / n;
        const int k = static_cast<int>(site % n), layer = layer_of(k / nb);
        const auto& t = placed.column.tile_of[static_cast<std::size_t>(
            k - nb * placed.first_cell[static_cast<std::size_t>(layer)])];
        return Where{column / lattice.cells[1] * placed.column.p + t[0],
                     column % lattice.cells[1] * placed.column.q + t[1], layer};
      };
      const Where a = where(i), b = where(j);
      widest =
          std::max({widest, static_cast<int>(std::abs(a.x - b.x)), static_cast<int>(std::abs(a.y - b.y))});
      int apart = std::abs(a.layer - b.layer);
      if (ends[2]) apart = std::min(apart, layers - apart);
      farthest = std::max(farthest, apart);
    }
  EXPECT_EQ(widest, placed.column.b) << "layers of " << layer_cells;
  EXPECT_LE(farthest, placed.each_side) << "layers of " << layer_cells;
}

TEST(LayeredPlacement, KnowsOfAllPairsAlsoWhereLayersDiffer) {
  for (const auto& ends : {open, periodic})
    for (const int cells : {1, 2, 3, 100}) {
      expect_layers_know_of_all_pairs(make_lattice(LatticeKind::bcc, 3.157, {4, 4, 11}), ends, cells, 4.2);
      expect_layers_know_of_all_pairs(make_lattice(LatticeKind::fcc, 3.615, {3, 3, 8}), ends, cells, 3.9);
    }
}

TEST(LayeredPlacement, OfAThickCrystalHasNeighbourhoodsAsSmallAsThoseOfAThinOne) {
  const auto placed = [](LatticeKind kind, double a, double reach, int cells) {
    return place_layers(make_lattice(kind, a, {25, 25, 24}), open, reach, cells, 750, 994);
  };
  const auto candidates = [](const LayeredPlacement& p) {
    return (2 * p.each_side + 1) * (2 * p.column.b + 1) * (2 * p.column.b + 1) - 1;
  };
  EXPECT_EQ(candidates(placed(LatticeKind::bcc, 3.3026, 3.98371, 1)), 74);   // Ta, 14 neighbours
  EXPECT_EQ(candidates(placed(LatticeKind::fcc, 3.615, 4.95, 1)), 74);       // Cu, 42
  EXPECT_EQ(candidates(placed(LatticeKind::bcc, 3.1685, 5.52475, 1)), 244);  // W, 58
  EXPECT_GT(candidates(placed(LatticeKind::bcc, 3.1685, 5.52475, 0)), 700);
}

TEST(LayeredPlacement, RefusesWhatDoesNotFit) {
  const Lattice lattice = make_lattice(LatticeKind::bcc, 3.165, {30, 30, 8});
  EXPECT_THROW(place_layers(lattice, open, 5.5, 1, 40, 40), InputError);        // too few tiles
  EXPECT_THROW(place_layers(lattice, periodic, 5.5, 4, 400, 400), InputError);  // two layers around a ring
}

}  // namespace
}  // namespace wafermark::tungsten

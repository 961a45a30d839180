// Atoms of any structure on tiles: each has its own, and b is that of the pairs, checked by a plain search.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <set>

#include "common/errors.hpp"
#include "tungsten_md/model/crystal.hpp"
#include "tungsten_md/wafer/placement/near_atoms.hpp"
#include "tungsten_md/wafer/placement/structure_placement.hpp"

namespace wafermark::tungsten {
namespace {

constexpr double cutoff = 5.525, reach = 5.825;

/// A hot tungsten crystal without the atoms for which `leave_out`.
template <class LeaveOut>
Configuration structure(std::array<int, 3> cells, std::array<bool, 3> periodic, const LeaveOut& leave_out) {
  const Configuration crystal =
      build_crystal(make_lattice(LatticeKind::bcc, 3.157, cells), periodic, "W", 183.84);
  std::mt19937 random(3);
  std::normal_distribution<double> heat(0.0, 0.08);
  Configuration left{crystal.box, crystal.elements, crystal.masses, {}};
  for (Vec3 x : crystal.atoms.x) {
    if (leave_out(x)) continue;
    for (double& component : x) component += heat(random);
    left.atoms.id.push_back(static_cast<std::int64_t>(left.atoms.id.size()) + 1);
    left.atoms.type.push_back(0);
    left.atoms.x.push_back(crystal.box.wrap(x));
    left.atoms.v.push_back({});
  }
  return left;
}
bool none(const Vec3&) { return false; }

void expect_sound(const Configuration& s, const StructurePlacement& p) {
  std::set<std::array<int, 2>> used(p.tile_of.begin(), p.tile_of.end());
  EXPECT_EQ(used.size(), s.atoms.size());
  ASSERT_EQ(p.tile_of.size(), s.atoms.size());
  int b = 0;
  for (std::size_t i = 0; i < s.atoms.size(); ++i) {
    for (std::size_t d = 0; d < 2; ++d) {
      ASSERT_GE(p.tile_of[i][d], 0);
      ASSERT_LT(p.tile_of[i][d], p.tiles[d]);
    }
    for (std::size_t j = 0; j < i; ++j) {
      const Vec3 &x = s.atoms.x[i], &y = s.atoms.x[j];
      const Vec3 d = s.box.minimum_image({x[0] - y[0], x[1] - y[1], x[2] - y[2]});
      if (d[0] * d[0] + d[1] * d[1] + d[2] * d[2] >= reach * reach) continue;
      for (std::size_t a = 0; a < 2; ++a) {
        const int places = std::abs(p.tile_of[i][a] - p.tile_of[j][a]);
        b = std::max(b, s.box.periodic[a] ? std::min(places, p.tiles[a] - places) : places);
      }
    }
  }
  EXPECT_EQ(b, p.b);
}

TEST(StructurePlacement, IsAsNarrowAsTheColumnsOfACrystal) {
  // place_column(): b = 7 for six cells at rest.
  for (const std::array<bool, 3>& periodic :
       {std::array{false, false, false}, {true, true, true}, {true, false, true}}) {
    const Configuration s = structure({16, 16, 6}, periodic, none);
    const StructurePlacement p = place_structure(s, reach, cutoff, 750, 994);
    expect_sound(s, p);
    EXPECT_LE(p.b, 8);
    EXPECT_GT(static_cast<double>(s.atoms.size()) / (p.tiles[0] * p.tiles[1]), 0.9);
  }
}

TEST(StructurePlacement, HoldsVoidsStepsAndThinFilms) {
  const Configuration with_void = structure({14, 14, 8}, {true, true, true}, [](const Vec3& x) {
    return std::hypot(x[0] - 22.0, x[1] - 22.0, x[2] - 12.0) < 9.0;
  });
  const Configuration step =
      structure({14, 14, 8}, {false, false, false}, [](const Vec3& x) { return x[0] > 22.0 && x[2] > 12.0; });
  const Configuration film = structure({20, 3, 2}, {false, false, false}, none);
  for (const Configuration* s : {&with_void, &step, &film}) {
    const StructurePlacement p = place_structure(*s, reach, cutoff, 750, 994);
    expect_sound(*s, p);
    EXPECT_LE(p.b, 11);
  }
}

TEST(StructurePlacement, TakesAnyNumberOfAtomsOnAnyShapeOfWafer) {
  for (const auto& [cells, width, height] : {std::tuple{std::array{1, 1, 1}, 8, 8},
                                             {std::array{3, 3, 1}, 18, 1},
                                             {std::array{3, 3, 1}, 1, 18},
                                             {std::array{12, 2, 2}, 8, 60},
                                             {std::array{6, 6, 2}, 12, 12}}) {
    const Configuration s = structure(cells, {false, false, false}, none);
    const StructurePlacement p = place_structure(s, reach, cutoff, width, height);
    expect_sound(s, p);
    EXPECT_LE(p.turned ? p.tiles[1] : p.tiles[0], width);
    EXPECT_LE(p.turned ? p.tiles[0] : p.tiles[1], height);
  }
  const Configuration one =
      structure({1, 1, 1}, {false, false, false}, [](const Vec3& x) { return x[0] > 1.0; });
  ASSERT_EQ(one.atoms.size(), 1u);
  EXPECT_EQ(place_structure(one, reach, cutoff, 1, 1).b, 0);
}

TEST(StructurePlacement, KeepsTogetherWhatAnAtomHasFlownFarFrom) {
  for (const double far : {1e4, 1e7, 1e300}) {
    Configuration s = structure({4, 4, 2}, {false, false, false}, none);
    s.atoms.x.front() = {far, -far, 0.0};
    const StructurePlacement p = place_structure(s, reach, cutoff, 750, 994);
    expect_sound(s, p);
    EXPECT_LE(p.tiles[0] * p.tiles[1], 2 * static_cast<int>(s.atoms.size()));
  }
}

TEST(StructurePlacement, RefusesMoreAtomsThanTiles) {
  const Configuration s = structure({3, 3, 1}, {false, false, false}, none);
  EXPECT_THROW(place_structure(s, reach, cutoff, 17, 1), InputError);
  EXPECT_THROW(place_structure(structure({1, 1, 1}, {false, false, false}, [](const Vec3&) { return true; }),
                               reach, cutoff, 8, 8),
               InputError);
}

TEST(StructurePlacement, IsTheSameEveryTime) {
  const Configuration s = structure({8, 8, 4}, {true, true, false}, none);
  const StructurePlacement a = place_structure(s, reach, cutoff, 750, 994),
                           b = place_structure(s, reach, cutoff, 750, 994);
  EXPECT_EQ(a.tile_of, b.tile_of);
  EXPECT_EQ(a.places, b.places);
}

TEST(NearAtoms, FindsEachAtomOnceByItsNearestImage) {
  const Configuration s = structure({3, 4, 2}, {true, false, true}, none);
  const NearAtoms near(s, cutoff);
  for (std::size_t k = 0; k < s.atoms.size(); ++k) {
    int plain = 0;
    for (std::size_t j = 0; j < s.atoms.size(); ++j) {
      const Vec3 &x = s.atoms.x[k], &y = s.atoms.x[j];
      const Vec3 d = s.box.minimum_image({x[0] - y[0], x[1] - y[1], x[2] - y[2]});
      plain += j != k && d[0] * d[0] + d[1] * d[1] + d[2] * d[2] < cutoff * cutoff ? 1 : 0;
    }
    EXPECT_EQ(near.count(k), plain);
  }
}

}  // namespace
}  // namespace wafermark::tungsten

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "common/errors.hpp"
#include "tungsten_md/model/crystal.hpp"

namespace wafermark::tungsten {
namespace {

constexpr std::array<bool, 3> periodic{true, true, true};

double distance(const Box& box, const Vec3& a, const Vec3& b) {
  const Vec3 d = box.minimum_image({a[0] - b[0], a[1] - b[1], a[2] - b[2]});
  return std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
}

/// Number of neighbours of atom 0 in each of the first four shells.
std::vector<int> coordination(const Lattice& lattice) {
  const Configuration crystal = build_crystal(lattice, periodic, "W", 183.84);
  std::vector<int> counts(4, 0);
  for (std::size_t i = 1; i < crystal.atoms.size(); ++i)
    for (int n = 1; n <= 4; ++n)
      if (std::abs(distance(crystal.box, crystal.atoms.x[0], crystal.atoms.x[i]) - lattice.shell(n)) < 1e-9)
        ++counts[n - 1];
  return counts;
}

TEST(Crystal, NeighbourShellsOfTheCubicLattices) {
  EXPECT_EQ(coordination(make_lattice(LatticeKind::sc, 2.5, {6, 6, 6})), (std::vector{6, 12, 8, 6}));
  EXPECT_EQ(coordination(make_lattice(LatticeKind::bcc, 3.165, {6, 6, 6})), (std::vector{8, 6, 12, 24}));
  EXPECT_EQ(coordination(make_lattice(LatticeKind::fcc, 3.615, {6, 6, 6})), (std::vector{12, 6, 24, 12}));
}

TEST(Crystal, IdsNumberTheSites) {
  const Lattice lattice = make_lattice(LatticeKind::fcc, 3.615, {3, 4, 5});
  const Configuration crystal = build_crystal(lattice, periodic, "Cu", 63.55);
  ASSERT_EQ(crystal.atoms.size(), 240u);
  for (std::size_t i = 0; i < crystal.atoms.size(); ++i) {
    EXPECT_EQ(crystal.atoms.id[i], static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(crystal.atoms.x[i], lattice.position(static_cast<std::int64_t>(i)));
  }
}

TEST(Crystal, HalfOpenPartsGiveEveryAtomOnce) {
  const Lattice lattice = make_lattice(LatticeKind::bcc, 3.1652, {5, 4, 3});
  const Configuration whole = build_crystal(lattice, periodic, "W", 183.84);
  // Parts whose faces pass through planes of atoms and between them.
  for (int parts : {1, 2, 3, 7, 20}) {
    std::map<std::int64_t, int> seen;
    for (int p = 0; p < parts; ++p) {
      Vec3 lo = whole.box.lo, hi = whole.box.hi;
      lo[0] = whole.box.length(0) * p / parts;
      hi[0] = whole.box.length(0) * (p + 1) / parts;
      for (std::int64_t id : build_crystal(lattice, periodic, "W", 183.84, lo, hi).atoms.id) ++seen[id];
    }
    EXPECT_EQ(seen.size(), whole.atoms.size());
    EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](const auto& s) { return s.second == 1; }));
  }
}

TEST(Crystal, NoAtomLiesWithinHalfAPlaneSpacingOfAFace) {
  for (LatticeKind kind : {LatticeKind::sc, LatticeKind::bcc, LatticeKind::fcc}) {
    const Lattice lattice = make_lattice(kind, 4.0, {2, 2, 2});
    const Configuration crystal = build_crystal(lattice, {false, false, false}, "W", 183.84);
    for (int d = 0; d < 3; ++d) {
      double lo = 1e9, hi = -1e9;
      for (const Vec3& x : crystal.atoms.x) lo = std::min(lo, x[d]), hi = std::max(hi, x[d]);
      EXPECT_DOUBLE_EQ(lo - crystal.box.lo[d], lattice.margin());
      EXPECT_DOUBLE_EQ(crystal.box.hi[d] - hi, lattice.margin());
    }
  }
}

TEST(Crystal, TheSlabOfTheWaferRunsHas801792Atoms) {
  EXPECT_EQ(make_lattice(LatticeKind::bcc, 3.157, {256, 261, 6}).size(), 801792);
  EXPECT_EQ(make_lattice(LatticeKind::fcc, 3.615, {174, 192, 6}).size(), 801792);
}

TEST(Crystal, RejectsWhatIsNoCrystal) {
  EXPECT_THROW(make_lattice(LatticeKind::bcc, 0.0, {1, 1, 1}), InputError);
  EXPECT_THROW(make_lattice(LatticeKind::bcc, std::nan(""), {1, 1, 1}), InputError);
  EXPECT_THROW(make_lattice(LatticeKind::bcc, 3.0, {1, 0, 1}), InputError);
  try {
    lattice_kind("hcp", "deck.toml:3");
    FAIL();
  } catch (const InputError& e) {
    EXPECT_STREQ(e.what(), "deck.toml:3: found lattice 'hcp', expected sc, bcc or fcc");
  }
}

TEST(Box, WrapsIntoTheHalfOpenBox) {
  const Box box{{0, 0, 0}, {10, 10, 10}, {true, true, false}};
  for (double x : {-1e-17, -10.0, 10.0, 25.0, -1e-9, 9.999999999999998}) {
    const Vec3 w = box.wrap({x, 0, x});
    EXPECT_GE(w[0], 0.0);
    EXPECT_LT(w[0], 10.0);
    EXPECT_EQ(w[2], x) << "open axes stay";
  }
  EXPECT_DOUBLE_EQ(box.minimum_image({9.0, -9.0, 9.0})[0], -1.0);
  EXPECT_DOUBLE_EQ(box.minimum_image({9.0, -9.0, 9.0})[1], 1.0);
  EXPECT_DOUBLE_EQ(box.minimum_image({9.0, -9.0, 9.0})[2], 9.0);
}

}  // namespace
}  // namespace wafermark::tungsten

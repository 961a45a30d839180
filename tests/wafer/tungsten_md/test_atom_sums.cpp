// Lanes give the bits of the scalar loop.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "tungsten_md/model/potential_tables.hpp"
#include "tungsten_md/wafer/atom_sums.hpp"

using namespace wafermark;
using namespace wafermark::tungsten;

namespace {

using Lane = native_lanes<float, Kokkos::DefaultHostExecutionSpace>;
constexpr float cutoff = 4.0f;
constexpr int pieces = 60;

/// Smooth tables of quads; a last piece that is zero.
std::vector<float> quads(int per_piece) {
  std::vector<float> t(4 * static_cast<std::size_t>(per_piece) * (pieces + 1), 0.0f);
  std::mt19937 random(3);
  std::uniform_real_distribution<float> value(-1.0f, 1.0f);
  for (std::size_t k = 0; k + 4 * static_cast<std::size_t>(per_piece) < t.size(); ++k) t[k] = value(random);
  return t;
}

struct Tables {
  std::vector<float> two = quads(2), one = quads(1);
  TileTables<float> over_r{two.data(), one.data(), pieces, pieces, pieces / cutoff, 1.0f, cutoff* cutoff};
  SquaredTileTables<float> over_squares{one.data(), two.data(), pieces / (cutoff * cutoff),
                                        0.5f * cutoff* cutoff / pieces, pieces};
};

ListPiece near_atoms(int size, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> place(-3.5f, 3.5f);
  ListPiece near;
  for (int k = 0; k < size; ++k)
    near.add({place(random), place(random), place(random)}, place(random), static_cast<int>(random() % 4));
  return near;
}

/// Bits, so that zeros of both signs and numbers that are none are told apart.
template <class A>
void expect_bits(const A& a, const A& b, const char* what) {
  EXPECT_EQ(std::memcmp(&a, &b, sizeof(A)), 0) << what;
}

template <class Table>
void compare(const Table& table, const ListPiece& given, const PeriodicZ<float>& z, Taken taken, int shares) {
  ListPiece scalar = given, lanes = given;
  DensitySum a, b;
  add_densities<float>(scalar, table, z, cutoff * cutoff, taken, shares, a);
  add_densities<Lane>(lanes, table, z, cutoff * cutoff, taken, shares, b);
  expect_bits(a.partial, b.partial, "densities");
  EXPECT_EQ(a.found, b.found);
  EXPECT_EQ(a.neighbours, b.neighbours);
  scalar = lanes = given;
  ForceSum f{.with_energy = true}, g{.with_energy = true};
  add_forces<float>(scalar, table, z, cutoff * cutoff, taken, 0.3f, f);
  add_forces<Lane>(lanes, table, z, cutoff * cutoff, taken, 0.3f, g);
  expect_bits(f.partial, g.partial, "forces");
  expect_bits(f.pair_energy, g.pair_energy, "energy");
  expect_bits(f.virial, g.virial, "virial");
}

TEST(AtomSums, InLanesHaveTheBitsOfTheScalarLoop) {
  const Tables t;
  for (int size = 0; size <= ListPiece::most; ++size)
    for (const bool periodic : {false, true})
      for (const int shares : {1, 2, 4}) {
        const PeriodicZ<float> z{periodic, 9.0f, 1.0f / 9.0f};
        const ListPiece near = near_atoms(size, static_cast<unsigned>(size));
        compare(t.over_r, near, z, Taken::within_cutoff, shares);
        compare(t.over_squares, near, z, Taken::within_cutoff, shares);
        compare(t.over_squares, near, z, Taken::all, shares);
      }
}

TEST(AtomSums, LeaveOutWhatIsNoNumber) {
  const Tables t;
  ListPiece near = near_atoms(13, 5);
  near.x[3] = std::numeric_limits<float>::quiet_NaN();
  near.y[7] = std::numeric_limits<float>::infinity();
  DensitySum with;
  add_densities<Lane>(near, t.over_r, {}, cutoff * cutoff, Taken::within_cutoff, 1, with);
  EXPECT_TRUE(std::isfinite(with.partial[0]));
  compare(t.over_r, near_atoms(13, 5), {}, Taken::within_cutoff, 1);
}

TEST(AtomSums, AreTheSumsOverPairsThatAct) {
  const Tables t;
  ListPiece near = near_atoms(40, 9);
  DensitySum sum;
  const ListPiece given = near;
  add_densities<Lane>(near, t.over_r, {}, cutoff * cutoff, Taken::within_cutoff, 1, sum);
  float density = 0.0f;
  int neighbours = 0;
  for (std::size_t k = 0; k < 40; ++k) {
    const float r2 = given.x[k] * given.x[k] + given.y[k] * given.y[k] + given.z[k] * given.z[k];
    if (!(r2 < cutoff * cutoff)) continue;
    add_density(t.over_r, neighbour_distance(t.over_r, r2), density);
    ++neighbours;
  }
  EXPECT_EQ(sum.neighbours, neighbours);
  EXPECT_GT(neighbours, 10);
  EXPECT_NEAR(sum.partial[0], density, 1e-5 * std::abs(density));
}

}  // namespace

// Forces of the cluster target against all-pairs loops, on every number of ranks, list kind and precision.
#include <gtest/gtest.h>

#include <cmath>

#include "common/errors.hpp"
#include "expect_all_pairs.hpp"
#include "tungsten_md/cluster/domain.hpp"

namespace wafermark::tungsten {
namespace {

struct Variant {
  int elements;
  ListKind list;
  const char* precision;
  std::array<bool, 3> periodic;
  double tolerance;  ///< relative to the largest force
  int lanes = 0;     ///< an atom; 0: chosen
};

class Forces : public ::testing::TestWithParam<Variant> {};

TEST_P(Forces, EqualAllPairsLoopsOnAnyNumberOfRanks) {
  const Variant v = GetParam();
  if (!suits_machine(v.list)) GTEST_SKIP() << "half lists are for CPUs";
  const Communicator comm;
  const auto potential = toy::alloy(v.elements);
  const auto all = toy::shaken_crystal(potential, {8, 7, 6}, v.periodic, 0.25);
  const auto expected = toy::all_pairs(potential, all);

  RegionTimes times;
  DomainSettings settings;
  settings.precision = v.precision;
  settings.list = v.list;
  settings.lanes_per_atom = v.lanes;
  Domain domain(comm, toy::slice(all, comm.rank(), comm.size()), potential, settings, times);
  expect_all_pairs(domain, expected, v.tolerance);
}

constexpr std::array<bool, 3> everywhere{true, true, true}, slab{true, true, false},
    nowhere{false, false, false};
INSTANTIATE_TEST_SUITE_P(Cluster, Forces,
                         ::testing::Values(Variant{1, ListKind::half, "double", everywhere, 1e-12},
                                           Variant{1, ListKind::full, "double", slab, 1e-12},
                                           Variant{2, ListKind::half, "double", slab, 1e-12},
                                           Variant{2, ListKind::full, "double", everywhere, 1e-12},
                                           Variant{3, ListKind::half, "double", nowhere, 1e-12},
                                           Variant{1, ListKind::half, "mixed", everywhere, 3e-6},
                                           Variant{1, ListKind::full, "mixed", slab, 3e-6},
                                           Variant{2, ListKind::half, "mixed", nowhere, 3e-6},
                                           Variant{2, ListKind::full, "mixed", everywhere, 3e-6},
                                           Variant{1, ListKind::full, "double", everywhere, 1e-12, 2},
                                           Variant{1, ListKind::full, "double", slab, 1e-12, 32},
                                           Variant{3, ListKind::full, "double", nowhere, 1e-12, 8},
                                           Variant{2, ListKind::full, "mixed", everywhere, 3e-6, 4}));

TEST(PerfectLattice, HasNoForces) {
  const Communicator comm;
  const auto potential = toy::alloy(1);
  const auto all = toy::shaken_crystal(potential, {6, 6, 6}, everywhere, 0.0);
  RegionTimes times;
  Domain domain(comm, toy::slice(all, comm.rank(), comm.size()), potential, {}, times);
  domain.compute_forces();
  for (const auto& f : domain.forces_on_host())
    for (const double c : f) EXPECT_NEAR(c, 0.0, 1e-12);
}

TEST(MovedAtoms, PositionsThatAreNotFiniteOnOneRankEndTheRunOnAll) {
  const Communicator comm;
  const auto potential = toy::alloy(1);
  const auto all = toy::shaken_crystal(potential, {8, 7, 6}, everywhere, 0.0);
  RegionTimes times;
  for (const double bad : {std::nan(""), HUGE_VAL}) {
    Domain domain(comm, toy::slice(all, comm.rank(), comm.size()), potential, {}, times);
    if (comm.rank() + 1 == comm.size()) Kokkos::deep_copy(Kokkos::subview(domain.particles().x, 0, 1), bad);
    EXPECT_THROW(domain.rebuild(), InputError);
  }
}

TEST(MovedAtoms, KeepTheirForcesAcrossARebuild) {
  const Communicator comm;
  const auto potential = toy::alloy(2);
  auto all = toy::shaken_crystal(potential, {8, 7, 6}, everywhere, 0.2);
  // A rigid shift by a third of the box carries most atoms over a subdomain or box face.
  for (auto& x : all.atoms.x) x[0] += 8.5;
  RegionTimes times;
  Domain domain(comm, toy::slice(all, comm.rank(), comm.size()), potential, {}, times);
  domain.rebuild();
  domain.compute_forces();
  const auto expected = toy::all_pairs(potential, all);
  const Atoms atoms = domain.atoms_on_host();
  const auto force = domain.forces_on_host();
  for (std::size_t i = 0; i < atoms.size(); ++i)
    for (int d = 0; d < 3; ++d)
      ASSERT_NEAR(force[i][d], expected.force[static_cast<std::size_t>(atoms.id[i] - 1)][d], 1e-10);
}

TEST(BadDecompositions, AreRejectedInOneLine) {
  const Communicator comm;
  const auto potential = toy::alloy(1);
  RegionTimes times;
  const auto small = toy::shaken_crystal(potential, {2, 7, 6}, everywhere, 0.0);
  EXPECT_THROW(Domain(comm, toy::slice(small, comm.rank(), comm.size()), potential, {}, times), InputError);
  if (comm.size() == 8) {
    DomainSettings thin;
    thin.rank_grid = {8, 1, 1};
    const auto all = toy::shaken_crystal(potential, {8, 7, 6}, everywhere, 0.0);
    EXPECT_THROW(Domain(comm, toy::slice(all, comm.rank(), comm.size()), potential, thin, times), InputError);
  }
}

}  // namespace
}  // namespace wafermark::tungsten

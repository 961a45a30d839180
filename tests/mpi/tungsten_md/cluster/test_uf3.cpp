// Potentials of two and three bodies: forces against plain loops on any number of ranks, and runs with them.
#include <gtest/gtest.h>

#include <cmath>

#include "expect_all_pairs.hpp"
#include "toy_uf3.hpp"
#include "tungsten_md/cluster/memory_estimate.hpp"
#include "tungsten_md/cluster/simulation.hpp"

namespace wafermark::tungsten {
namespace {

constexpr std::array<bool, 3> everywhere{true, true, true}, slab{true, true, false},
    nowhere{false, false, false};

struct Variant {
  std::size_t elements;
  int bodies;
  double pair_cutoff, bend;
  ListKind list;
  const char* precision;
  std::array<bool, 3> periodic;
  double tolerance;  ///< relative to the largest force
  int lanes = 0;     ///< an atom; 0: chosen
};

class Uf3Forces : public ::testing::TestWithParam<Variant> {};

TEST_P(Uf3Forces, EqualPlainLoopsOverTripletsOnAnyNumberOfRanks) {
  const Variant v = GetParam();
  if (!suits_machine(v.list)) GTEST_SKIP() << "half lists are for CPUs";
  const Communicator comm;
  const PotentialTables potential = toy::uf3(v.elements, v.bodies, v.pair_cutoff, v.bend);
  const Configuration all = toy::shaken_crystal(potential, {8, 5, 6}, v.periodic, 0.3);
  const toy::Reference expected = toy::all_triplets(*potential.uf3, all);
  RegionTimes times;
  DomainSettings settings;
  settings.precision = v.precision;
  settings.list = v.list;
  settings.skin_angstrom = 0.3;
  settings.lanes_per_atom = v.lanes;
  Domain domain(comm, toy::slice(all, comm.rank(), comm.size()), potential, settings, times);
  expect_all_pairs(domain, expected, v.tolerance);
}

INSTANTIATE_TEST_SUITE_P(
    Cluster, Uf3Forces,
    ::testing::Values(Variant{1, 2, 4.6, 1.0, ListKind::half, "double", everywhere, 1e-12},
                      Variant{1, 3, 4.6, 1.0, ListKind::half, "double", everywhere, 1e-12},
                      Variant{1, 3, 4.6, 1.3, ListKind::full, "double", slab, 1e-12},
                      Variant{2, 3, 4.6, 1.3, ListKind::half, "double", slab, 1e-12},
                      Variant{2, 3, 4.6, 1.3, ListKind::full, "double", nowhere, 1e-12},
                      Variant{3, 2, 4.6, 1.3, ListKind::full, "double", everywhere, 1e-12},
                      Variant{3, 3, 4.6, 1.0, ListKind::full, "double", everywhere, 1e-12},
                      Variant{1, 3, 3.5, 1.3, ListKind::half, "double", everywhere, 1e-12},
                      Variant{1, 3, 4.6, 1.3, ListKind::half, "mixed", everywhere, 2e-5},
                      Variant{2, 3, 4.6, 1.0, ListKind::full, "mixed", slab, 2e-5},
                      Variant{2, 3, 4.6, 1.3, ListKind::full, "double", everywhere, 1e-12, 8}));

TEST(Uf3Reference, HasTheSlopesOfItsEnergy) {
  const PotentialTables potential = toy::uf3(2, 3);
  Configuration all = toy::shaken_crystal(potential, {4, 4, 4}, nowhere, 0.3);
  const toy::Reference at = toy::all_triplets(*potential.uf3, all);
  const double h = 1e-5;
  for (const std::size_t i : {std::size_t{0}, std::size_t{63}})
    for (std::size_t d = 0; d < 3; ++d) {
      double energy[2];
      for (const int side : {0, 1}) {
        all.atoms.x[i][d] += side == 0 ? -h : 2 * h;
        energy[side] = toy::all_triplets(*potential.uf3, all).energy;
      }
      all.atoms.x[i][d] -= h;
      EXPECT_NEAR(at.force[i][d], -(energy[1] - energy[0]) / (2 * h), 2e-6) << i << ' ' << d;
    }
}

struct Uf3Run : public ::testing::Test {
  Communicator comm;
  RegionTimes times;
  Case what;
  PotentialTables potential = toy::uf3(2, 3);

  Uf3Run() {
    what.run.timestep_ps = 0.001;
    what.run.skin_angstrom = 0.4;
    what.run.seed = 5;
    what.potential.elements = {"A", "B"};
    what.dynamics.temperature.draw_k = 600.0;
  }
  Configuration crystal() const {
    return toy::slice(toy::shaken_crystal(potential, {8, 5, 6}, everywhere, 0.05), comm.rank(), comm.size());
  }
};

TEST_F(Uf3Run, KeepsItsEnergy) {
  for (const char* precision : {"double", "mixed"}) {
    what.run.precision = precision;
    Simulation s(comm, what, potential, crystal(), times);
    for (int k = 0; k < 100; ++k) s.step(k == 99);
    const double largest = precision == std::string("mixed") ? 2e-3 : 1e-3;
    EXPECT_LT(std::abs(s.energy_error_ev(s.thermo())), largest * s.thermo().kinetic_ev) << precision;
    EXPECT_GT(s.domain().rebuilds(), 1) << "atoms move";
  }
}

TEST_F(Uf3Run, GoesOnFromAStateBitForBit) {
  Simulation s(comm, what, potential, crystal(), times);
  for (int k = 0; k < 15; ++k) s.step(false);
  Simulation again(comm, what, potential, s.state(), times);
  for (int k = 15; k < 40; ++k) {
    s.step(k == 39);
    again.step(k == 39);
  }
  const auto a = s.configuration().atoms, b = again.configuration().atoms;
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.x, b.x);
  EXPECT_EQ(a.v, b.v);
}

TEST_F(Uf3Run, HoldsWhatTheMemoryEstimateSays) {
  Simulation s(comm, what, potential, crystal(), times);
  const Domain& domain = s.domain();
  RunShape shape;
  shape.atoms = static_cast<double>(domain.atoms());
  shape.box = domain.box();
  shape.grid = domain.subdomain().grid;
  shape.list_radius = domain.cutoff() + what.run.skin_angstrom;
  shape.kept_of_a_pair = kept_of_a_pair(potential);
  shape.list = domain.list().kind;
  shape.triplets = triplets_of_run(potential, what.run.skin_angstrom);
  const Domain::Memory held = domain.bytes();
  const double bytes = (held.particles + held.list + held.force_field) * domain.particles().n_local;
  EXPECT_LT(bytes, 1.3 * domain_bytes(shape));
  EXPECT_GT(bytes, 0.4 * domain_bytes(shape));
}

}  // namespace
}  // namespace wafermark::tungsten

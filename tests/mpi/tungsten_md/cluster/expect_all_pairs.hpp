// Forces, energy and virial of a domain against loops over all pairs.
#pragma once

#include <gtest/gtest.h>

#include "toy_alloy.hpp"
#include "tungsten_md/cluster/domain.hpp"

namespace wafermark::tungsten {

/// Evaluates the domain. `tolerance` is relative to the largest force, to the energy, and ten times to the
/// pressure's virial. Collective.
inline void expect_all_pairs(Domain& domain, const toy::Reference& expected, double tolerance) {
  const Communicator& comm = domain.comm();
  const EnergyVirial found = domain.compute_forces_and_energy();
  double largest = 0.0;
  for (const auto& f : expected.force)
    for (const double c : f) largest = std::max(largest, std::abs(c));
  const Atoms atoms = domain.atoms_on_host();
  const auto force = domain.forces_on_host();
  EXPECT_EQ(comm.sum(static_cast<std::int64_t>(atoms.size())),
            static_cast<std::int64_t>(expected.force.size()));
  for (std::size_t i = 0; i < atoms.size(); ++i)
    for (std::size_t d = 0; d < 3; ++d)
      ASSERT_NEAR(force[i][d], expected.force[static_cast<std::size_t>(atoms.id[i] - 1)][d],
                  tolerance * largest)
          << "atom " << atoms.id[i];
  EXPECT_NEAR(comm.sum(found.energy), expected.energy, tolerance * std::abs(expected.energy));
  const double pressure_scale =
      std::abs(expected.virial[0]) + std::abs(expected.virial[1]) + std::abs(expected.virial[2]);
  for (std::size_t k = 0; k < 6; ++k)
    EXPECT_NEAR(comm.sum(found.virial[k]), expected.virial[k], 10 * tolerance * pressure_scale);
  // The loop that skips energies computes the same forces.
  domain.compute_forces();
  const auto again = domain.forces_on_host();
  for (std::size_t i = 0; i < atoms.size(); ++i)
    for (std::size_t d = 0; d < 3; ++d) ASSERT_NEAR(again[i][d], force[i][d], 0.1 * tolerance * largest);
}

}  // namespace wafermark::tungsten

// Material constants of Marinica's EAM4 tungsten (J. Phys.: Condens. Matter 25 (2013) 395502), to the digits
// that Bonny et al. (Modelling Simul. Mater. Sci. Eng. 22 (2014) 053001) and this project's sources give: the
// whole chain of tables, lists, forces and relaxation. Skipped where the potential is not at hand.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "common/errors.hpp"
#include "tungsten_md/cluster/fire.hpp"
#include "tungsten_md/model/potential_file.hpp"
#include "tungsten_md/model/potential_library.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

constexpr double a0 = 3.14339;

/// Atoms of a bcc crystal whose box axes lie along three orthogonal lattice directions, `repeats` periods of
/// each.
Configuration oriented_bcc(double a, const std::array<std::array<int, 3>, 3>& axes,
                           const std::array<int, 3>& repeats,
                           std::array<bool, 3> periodic = {true, true, true}) {
  Configuration c;
  c.box.periodic = periodic;
  c.elements = {"W"};
  c.masses = {183.84};
  std::array<double, 3> length{};
  int reach = 0;
  for (std::size_t k = 0; k < 3; ++k) {
    length[k] = std::sqrt(axes[k][0] * axes[k][0] + axes[k][1] * axes[k][1] + axes[k][2] * axes[k][2]);
    c.box.hi[k] = a * length[k] * repeats[k];
    for (const int n : axes[k]) reach += std::abs(n) * repeats[k];
  }
  for (int i = -reach; i <= reach; ++i)
    for (int j = -reach; j <= reach; ++j)
      for (int k = -reach; k <= reach; ++k)
        for (const double half : {0.0, 0.5}) {
          Vec3 x{};
          bool inside = true;
          for (std::size_t d = 0; d < 3; ++d) {
            const double along =
                ((i + half) * axes[d][0] + (j + half) * axes[d][1] + (k + half) * axes[d][2]) / length[d];
            // A tenth of an Angstrom off the faces, so that rounding decides nothing.
            x[d] = a * along + 0.1;
            inside = inside && x[d] >= 0.0 && x[d] < c.box.hi[d];
          }
          if (!inside) continue;
          c.atoms.id.push_back(static_cast<std::int64_t>(c.atoms.size()) + 1);
          c.atoms.type.push_back(0);
          c.atoms.x.push_back(x);
          c.atoms.v.push_back({0, 0, 0});
        }
  return c;
}

constexpr std::array<std::array<int, 3>, 3> cube{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
constexpr std::array<std::array<int, 3>, 3> diagonal{{{1, 1, 0}, {1, -1, 0}, {0, 0, 1}}};

class Eam4 : public ::testing::Test {
 protected:
  Communicator comm{MPI_COMM_SELF};
  RegionTimes times;
  PotentialTables potential;

  void SetUp() override {
    std::string path =
        std::string(WAFERMARK_SOURCE_DIR) + "/../shared/data/potentials/W_Marinica2013_EAM4_5001.eam.alloy";
    if (!std::filesystem::exists(path)) {
      try {
        path = find_potential("W_marinica2013_eam4.eam.alloy");
      } catch (const InputError&) {
        GTEST_SKIP() << "EAM4 is not here: jobscripts/fetch_potentials.sh takes it out of openkim-models";
      }
    }
    potential = read_potential(path, "eam/alloy", {"W"});
  }

  double energy(const Configuration& c) {
    Domain domain(comm, c, potential, {}, times);
    return domain.compute_forces_and_energy().energy;
  }
  double relaxed_energy(const Configuration& c) {
    Domain domain(comm, c, potential, {}, times);
    const FireResult r = relax(domain, {4000, 1e-4, {}});
    EXPECT_TRUE(r.converged) << r.max_force;
    return r.energy_ev;
  }
  double per_atom(double a) {
    const auto c = oriented_bcc(a, cube, {4, 4, 4});
    return energy(c) / static_cast<double>(c.atoms.size());
  }
  /// Second derivative of the energy density with respect to a strain of the box's axes in these proportions,
  /// GPa.
  double stiffness(const std::array<std::array<int, 3>, 3>& axes, const std::array<int, 3>& repeats,
                   const Vec3& strain) {
    const auto strained = [&](double e) {
      auto c = oriented_bcc(a0, axes, repeats);
      for (std::size_t d = 0; d < 3; ++d) {
        c.box.hi[d] *= 1.0 + e * strain[d];
        for (auto& x : c.atoms.x) x[d] *= 1.0 + e * strain[d];
      }
      return energy(c);
    };
    const double h = 1e-3, volume = oriented_bcc(a0, axes, repeats).box.volume();
    return (strained(h) - 2.0 * strained(0.0) + strained(-h)) / (h * h * volume) * units::ev_per_a3_in_gpa;
  }
  double surface_energy(const std::array<std::array<int, 3>, 3>& axes, const std::array<int, 3>& repeats) {
    const auto slab = oriented_bcc(a0, axes, repeats, {true, true, false});
    const double bulk = per_atom(a0) * static_cast<double>(slab.atoms.size());
    return (relaxed_energy(slab) - bulk) / (2.0 * slab.box.length(0) * slab.box.length(1)) *
           16021.76634;  // mJ/m2
  }
  /// A self-interstitial: the atom nearest to the middle becomes a dumbbell along `direction`.
  double interstitial(const Vec3& direction) {
    auto c = oriented_bcc(a0, cube, {8, 8, 8});
    const double n = static_cast<double>(c.atoms.size());
    std::size_t middle = 0;
    const auto distance = [&](std::size_t i) {
      double sum = 0.0;
      for (std::size_t d = 0; d < 3; ++d) sum += std::pow(c.atoms.x[i][d] - 0.5 * c.box.hi[d], 2);
      return sum;
    };
    for (std::size_t i = 0; i < c.atoms.size(); ++i)
      if (distance(i) < distance(middle)) middle = i;
    const double norm =
        std::sqrt(direction[0] * direction[0] + direction[1] * direction[1] + direction[2] * direction[2]);
    Vec3 other = c.atoms.x[middle];
    for (std::size_t d = 0; d < 3; ++d) {
      c.atoms.x[middle][d] += 1.05 * direction[d] / norm;
      other[d] -= 1.05 * direction[d] / norm;
    }
    c.atoms.id.push_back(static_cast<std::int64_t>(n) + 1);
    c.atoms.type.push_back(0);
    c.atoms.x.push_back(other);
    c.atoms.v.push_back({0, 0, 0});
    return relaxed_energy(c) - (n + 1) * per_atom(a0);
  }
};

TEST_F(Eam4, LatticeConstantAndCohesiveEnergy) {
  // Parabola through three points about the minimum.
  const double h = 2e-3, low = per_atom(a0 - h), mid = per_atom(a0), high = per_atom(a0 + h);
  const double lattice_constant = a0 + 0.5 * h * (low - high) / (low - 2.0 * mid + high);
  EXPECT_NEAR(lattice_constant, 3.14339, 1e-5);
  EXPECT_NEAR(mid, -8.9000, 5e-5);
}

TEST_F(Eam4, ElasticConstants) {
  const double c11 = stiffness(cube, {4, 4, 4}, {1, 0, 0});
  const double biaxial = stiffness(cube, {4, 4, 4}, {1, 1, 0});        // 2 C11 + 2 C12
  const double along_110 = stiffness(diagonal, {3, 3, 4}, {1, 0, 0});  // (C11 + C12 + 2 C44) / 2
  const double c12 = 0.5 * biaxial - c11, c44 = along_110 - 0.5 * (c11 + c12);
  EXPECT_NEAR(c11, 523.03, 0.05);
  EXPECT_NEAR(c12, 202.17, 0.05);
  EXPECT_NEAR(c44, 160.88, 0.05);
}

TEST_F(Eam4, VacancyFormationEnergy) {
  auto c = oriented_bcc(a0, cube, {8, 8, 8});
  const double n = static_cast<double>(c.atoms.size());
  c.atoms.id.pop_back();
  c.atoms.type.pop_back();
  c.atoms.x.pop_back();
  c.atoms.v.pop_back();
  EXPECT_NEAR(relaxed_energy(c) - (n - 1) * per_atom(a0), 3.816, 1e-3);
}

TEST_F(Eam4, SelfInterstitialFormationEnergies) {
  EXPECT_NEAR(interstitial({1, 1, 1}), 10.41, 0.01);
  EXPECT_NEAR(interstitial({1, 1, 0}), 10.91, 0.01);
  EXPECT_NEAR(interstitial({0, 0, 1}), 12.82, 0.01);
}

TEST_F(Eam4, SurfaceEnergies) {
  EXPECT_NEAR(surface_energy(cube, {4, 4, 10}), 2930, 3);
  EXPECT_NEAR(surface_energy({{{1, -1, 0}, {0, 0, 1}, {1, 1, 0}}}, {3, 4, 8}), 2509, 3);
  EXPECT_NEAR(surface_energy({{{1, -1, 0}, {1, 1, -2}, {1, 1, 1}}}, {3, 2, 8}), 3215, 3);
}

}  // namespace
}  // namespace wafermark::tungsten

// Boxes that follow the pressure, and baths whose temperature changes: on the ranks, over restarts, in the
// books.
#include <gtest/gtest.h>

#include <cmath>

#include "tungsten_md/cluster/simulation.hpp"
#include "tungsten_md/model/analytic_potential.hpp"
#include "tungsten_md/model/crystal.hpp"

namespace wafermark::tungsten {
namespace {

using Bath = ThermostatSettings::Kind;
constexpr double a0 = 3.1652;  // Ackland and Thetford 1987

struct Pressed : public ::testing::Test {
  Communicator comm, self{MPI_COMM_SELF};
  PotentialTables potential = make_analytic_potential("ackland_thetford_1987", {"W"});
  RegionTimes times;
  Case what;

  Pressed() {
    what.run.timestep_ps = 0.002;
    what.run.seed = 5;
    what.potential.elements = {"W"};
  }
  static Lattice lattice(double a) { return make_lattice(LatticeKind::bcc, a, {8, 7, 6}); }
  /// The rank's part of a crystal, cut along x.
  static Configuration crystal(const Communicator& c, double a) {
    const Lattice l = lattice(a);
    const Box box = l.box({true, true, true});
    Vec3 lo = box.lo, hi = box.hi;
    lo[0] = box.lo[0] + box.length(0) * c.rank() / c.size();
    hi[0] = c.rank() + 1 == c.size() ? box.hi[0] : box.lo[0] + box.length(0) * (c.rank() + 1) / c.size();
    return build_crystal(l, {true, true, true}, "W", 183.84, lo, hi);
  }
  void hold(BarostatSettings::Kind kind, BoxCoupling coupling, std::array<double, 3> pressure) {
    BarostatSettings& b = what.dynamics.barostat;
    b.kind = kind;
    b.coupling = coupling;
    b.pressure_gpa = pressure;
    b.relaxation_time_ps = 0.2;
  }
  void at(double kelvin, Bath bath) {
    what.dynamics.temperature.draw_k = 2.0 * kelvin;
    what.dynamics.thermostat = ThermostatSettings::of_kind(bath, kelvin);
  }
};

TEST_F(Pressed, AStretchedBoxHasTheForcesOfANewOne) {
  what.dynamics.temperature.draw_k = 600.0;
  Simulation s(comm, what, potential, crystal(comm, a0), times);
  for (int k = 0; k < 30; ++k) s.step(false);  // some way into a list's life
  Domain& d = s.domain();
  for (const Vec3& factor : {Vec3{0.9995, 1.0005, 0.9999}, Vec3{0.97, 0.98, 1.02}}) {
    d.stretch(factor);
    const double energy = comm.sum(d.compute_forces_and_energy().energy);
    Configuration now = s.configuration();
    now.box = d.box();
    Domain fresh(comm, now, potential, {}, times);
    EXPECT_NEAR(energy, comm.sum(fresh.compute_forces_and_energy().energy), 1e-9 * std::abs(energy));
    double sums[2] = {0.0, 0.0};
    for (const Vec3& f : d.forces_on_host()) sums[0] += f[0] * f[0] + f[1] * f[1] + f[2] * f[2];
    for (const Vec3& f : fresh.forces_on_host()) sums[1] += f[0] * f[0] + f[1] * f[1] + f[2] * f[2];
    EXPECT_NEAR(comm.sum(sums[0]), comm.sum(sums[1]), 1e-8 * comm.sum(sums[1]));
  }
  EXPECT_EQ(d.late_lists(), 0);
}

TEST_F(Pressed, ABarostatBringsEveryAxisToItsPressureAndBooksItsWork) {
  at(300.0, Bath::langevin);
  for (const auto kind : {BarostatSettings::Kind::berendsen, BarostatSettings::Kind::stochastic})
    for (const auto coupling : {BoxCoupling::isotropic, BoxCoupling::axes}) {
      const bool axes = coupling == BoxCoupling::axes;
      hold(kind, coupling, axes ? std::array<double, 3>{1, 2, 3} : std::array<double, 3>{2, 2, 2});
      Simulation s(comm, what, potential, crystal(comm, a0), times);
      Vec3 mean{};
      constexpr int settled = 600, measured = 600;
      for (int k = 0; k < settled; ++k) s.step(k == settled - 1);
      const double error = s.energy_error_ev(s.thermo());
      for (int k = 0; k < measured; ++k) {
        s.step(true);
        for (std::size_t d = 0; d < 3; ++d) mean[d] += (*s.thermo().pressure_axes_gpa)[d] / measured;
      }
      const bool free = kind == BarostatSettings::Kind::stochastic;
      EXPECT_NEAR((mean[0] + mean[1] + mean[2]) / 3.0, 2.0, free ? 0.5 : 0.05);
      if (axes && !free) {
        for (std::size_t d = 0; d < 3; ++d)
          EXPECT_NEAR(mean[d], what.dynamics.barostat.pressure_gpa[d], 0.15) << d;
      }
      EXPECT_LT(std::abs(s.ledger().barostat_ev), 50.0);
      EXPECT_NE(s.ledger().barostat_ev, 0.0);
      // The perfect lattice that a run begins from has another error of the finite time step than a warm one.
      EXPECT_NEAR((s.energy_error_ev(s.thermo()) - error) / 672.0, 0.0, 1e-5);
      EXPECT_EQ(s.domain().late_lists(), 0);
      EXPECT_EQ(comm.max(s.domain().box().hi[0]), comm.min(s.domain().box().hi[0]));
    }
}

TEST_F(Pressed, GoOnFromAStateBitForBit) {
  hold(BarostatSettings::Kind::stochastic, BoxCoupling::axes, {1, 0, -1});
  for (const Bath bath : {Bath::langevin, Bath::nose_hoover}) {
    at(900.0, bath);
    what.dynamics.thermostat.schedule_ps = {0.0, 0.1};
    what.dynamics.thermostat.schedule_k = {900.0, 700.0};
    Simulation s(comm, what, potential, crystal(comm, a0), times);
    for (int k = 0; k < 47; ++k) s.step(false);  // between two changes of the box, in a list's life
    Simulation again(comm, what, potential, s.state(), times);
    for (int k = 0; k < 80; ++k) {
      s.step(k == 79);
      again.step(k == 79);
    }
    const auto a = s.configuration(), b = again.configuration();
    EXPECT_EQ(a.box, b.box);
    EXPECT_EQ(a.atoms.id, b.atoms.id);
    EXPECT_EQ(a.atoms.x, b.atoms.x);
    EXPECT_EQ(a.atoms.v, b.atoms.v);
    EXPECT_EQ(s.ledger().thermostat_ev, again.ledger().thermostat_ev);
    EXPECT_EQ(s.domain().late_lists(), 0);
  }
}

TEST_F(Pressed, FollowTheSameTrajectoryOnAnyNumberOfRanks) {
  hold(BarostatSettings::Kind::stochastic, BoxCoupling::axes, {3, 2, 1});
  at(300.0, Bath::nose_hoover);
  Simulation together(comm, what, potential, crystal(comm, a0), times),
      alone(self, what, potential, crystal(self, a0), times);
  for (int k = 0; k < 60; ++k) {
    together.step(k == 59);
    alone.step(k == 59);
  }
  for (int d = 0; d < 3; ++d)
    EXPECT_NEAR(together.domain().box().length(d), alone.domain().box().length(d), 1e-9);
  EXPECT_NEAR(together.thermo().total_ev(), alone.thermo().total_ev(), 1e-6);
}

TEST_F(Pressed, ABoxRelaxesToItsPressure) {
  what.dynamics.relax.max_steps = 2000;
  what.dynamics.relax.box.kind = BoxRelaxation::Kind::isotropic;
  what.dynamics.relax.box.tolerance_gpa = 1e-5;
  const Simulation at_rest(comm, what, potential, crystal(comm, 3.1), times);
  ASSERT_TRUE(at_rest.relaxation().has_value());
  EXPECT_LE(at_rest.relaxation()->pressure_error_gpa, 1e-5);
  EXPECT_NEAR(at_rest.configuration().box.length(0), 8 * a0, 2e-4);

  // Hooke: e_z = -P/E, e_x = nu P/E with E = 407.4 GPa and nu = 0.2814 from C11 = 522.5, C12 = 204.6.
  what.dynamics.relax.box.kind = BoxRelaxation::Kind::axes;
  constexpr double gpa = 0.2;
  Vec3 strain{};
  for (const double sign : {1.0, -1.0}) {
    what.dynamics.relax.box.pressure_gpa = {0.0, 0.0, sign * gpa};
    const Simulation squeezed(comm, what, potential, crystal(comm, 3.1), times);
    EXPECT_LE(squeezed.relaxation()->pressure_error_gpa, 1e-5);
    const int cells[3] = {8, 7, 6};
    for (std::size_t d = 0; d < 3; ++d)
      strain[d] += 0.5 * sign * squeezed.configuration().box.length(static_cast<int>(d)) / (cells[d] * a0);
  }
  EXPECT_NEAR(strain[2], -gpa / 407.4, 0.01 * gpa / 407.4);
  EXPECT_NEAR(strain[0], 0.2814 * gpa / 407.4, 0.01 * gpa / 407.4);
  EXPECT_NEAR(strain[1], strain[0], 1e-7);
}

TEST_F(Pressed, AChainHoldsTheTemperatureAndItsOwnBooks) {
  at(600.0, Bath::nose_hoover);
  Simulation s(comm, what, potential, crystal(comm, a0), times);
  double mean = 0.0;
  for (int k = 0; k < 500; ++k) s.step(k == 499);
  const double error = s.energy_error_ev(s.thermo());
  for (int k = 0; k < 1500; ++k) {
    s.step(true);
    mean += s.thermo().temperature_k / 1500.0;
  }
  EXPECT_NEAR(mean, 600.0, 15.0);
  EXPECT_NEAR((s.energy_error_ev(s.thermo()) - error) / 672.0, 0.0, 2e-5);
  EXPECT_NEAR(s.chain_balance_ev() / 672.0, 0.0, 1e-6);
}

TEST_F(Pressed, ABathFollowsItsRamp) {
  at(300.0, Bath::langevin);
  what.dynamics.thermostat.damping_time_ps = 0.05;
  what.dynamics.thermostat.schedule_ps = {0.5, 1.5};
  what.dynamics.thermostat.schedule_k = {300.0, 1300.0};
  Simulation s(comm, what, potential, crystal(comm, a0), times);
  double mean = 0.0;
  for (int k = 0; k < 1200; ++k) {
    s.step(k >= 900);
    if (k >= 900) mean += s.thermo().temperature_k / 300.0;
  }
  EXPECT_NEAR(mean, 1300.0, 60.0);
}

}  // namespace
}  // namespace wafermark::tungsten

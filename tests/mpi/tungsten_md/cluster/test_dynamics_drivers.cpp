// What acts on the atoms beside their forces, on free atoms dealt over the ranks: heat bath, stopping,
// recoils, time step, border watch.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <fstream>

#include "common/errors.hpp"
#include "resting_crystal.hpp"
#include "tungsten_md/cluster/migration.hpp"
#include "tungsten_md/dynamics/adaptive_time_step.hpp"
#include "tungsten_md/dynamics/electronic_stopping.hpp"
#include "tungsten_md/dynamics/hot_atom_watch.hpp"
#include "tungsten_md/dynamics/langevin_thermostat.hpp"
#include "tungsten_md/dynamics/pka.hpp"
#include "tungsten_md/dynamics/thermo.hpp"
#include "tungsten_md/dynamics/velocities.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

constexpr double mass_amu = 183.84;
constexpr double mass = mass_amu * units::amu_a2_per_ps2_in_ev;
double speed_of(double energy_ev) { return std::sqrt(2.0 * energy_ev / mass); }

/// A simple cubic crystal of resting atoms, 3 Angstrom apart, with no forces; each rank has every size()-th.
struct FreeAtoms : public ::testing::Test {
  static constexpr int edge = 12;
  static constexpr std::int64_t atoms = edge * edge * edge;
  Communicator comm;
  Box box = resting_box(edge);
  Particles p;

  FreeAtoms() {
    p = resting_crystal(comm, edge, mass_amu);
    p.f = Vector3View("f", p.v.extent(0));
  }
  /// One atom's row of `view`, on the rank that has the atom.
  void set(const Vector3View& view, std::int64_t id, Vec3 value) {
    if ((id - 1) % comm.size() != comm.rank()) return;
    const auto i = static_cast<int>((id - 1) / comm.size());
    for (int d = 0; d < 3; ++d) Kokkos::deep_copy(Kokkos::subview(view, i, d), value[d]);
  }
  Vec3 velocity(std::int64_t id) const {
    Vec3 v{};
    if ((id - 1) % comm.size() == comm.rank())
      v = to_host(p).v[static_cast<std::size_t>((id - 1) / comm.size())];
    for (double& component : v) component = comm.sum(component);
    return v;
  }
  Thermo thermo() const { return measure(comm, p, {}, atoms, box); }
};

TEST_F(FreeAtoms, DrawnVelocitiesHaveTheTemperatureAndNoMomentum) {
  draw_velocities(comm, p, atoms, 580.0, 4);
  const Thermo t = thermo();
  EXPECT_NEAR(t.temperature_k, 580.0, 1e-9);
  for (const double m : t.momentum) EXPECT_LT(std::abs(m), 1e-12 * t.thermal_momentum);
}

TEST_F(FreeAtoms, TheHeatBookedIsTheChangeOfKineticEnergy) {
  draw_velocities(comm, p, atoms, 900.0, 4);
  ThermostatSettings s = ThermostatSettings::of_kind(ThermostatSettings::Kind::langevin, 300.0);
  const LangevinThermostat bath(s, 8);
  RunningSum heat;
  const double before = thermo().kinetic_ev;
  for (int k = 0; k < 100; ++k) bath.apply(p, box, 0.01 * k, k % 2 ? 0.01 : 0.003, k, heat);
  EXPECT_LT(comm.sum(heat.value()), -10.0);
  EXPECT_NEAR(comm.sum(heat.value()), thermo().kinetic_ev - before, 1e-9 * before);
}

TEST_F(FreeAtoms, ABathHeatsRestingAtomsToItsTemperatureWhateverTheTimeStep) {
  for (const double dt : {0.002, 0.05, 3.0}) {
    Kokkos::deep_copy(p.v, 0.0);
    ThermostatSettings s = ThermostatSettings::of_kind(ThermostatSettings::Kind::langevin, 500.0);
    const LangevinThermostat bath(s, 8);
    const int steps = static_cast<int>(2.0 / dt) + 1;  // twenty damping times
    RunningSum heat;
    for (int k = 0; k < steps; ++k) bath.apply(p, box, 0.0, dt, k, heat);
    // Five standard errors of a chi-square with 3 N degrees of freedom.
    EXPECT_NEAR(thermo().temperature_k, 500.0, 5.0 * 500.0 * std::sqrt(2.0 / (3.0 * atoms))) << dt;
  }
}

TEST_F(FreeAtoms, ABorderBathLeavesTheInsideAndTheFreeSurfacesAlone) {
  box.periodic = {true, true, false};
  ThermostatSettings s = ThermostatSettings::of_kind(ThermostatSettings::Kind::langevin, 500.0);
  s.border_only = true;
  s.border_width_angstrom = 6.0;  // two layers at each face
  RunningSum heat;
  LangevinThermostat(s, 8).apply(p, box, 0.0, 0.01, 0, heat);
  const Atoms a = to_host(p);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool border = a.x[i][0] < 6.0 || a.x[i][0] > 30.0 || a.x[i][1] < 6.0 || a.x[i][1] > 30.0;
    EXPECT_EQ(a.v[i][0] != 0.0, border) << a.x[i][0] << ' ' << a.x[i][1] << ' ' << a.x[i][2];
  }
}

TEST_F(FreeAtoms, ABathActsOnlyBetweenItsTimes) {
  ThermostatSettings s = ThermostatSettings::of_kind(ThermostatSettings::Kind::langevin, 500.0);
  s.start_ps = 1.0;
  s.stop_ps = 2.0;
  const LangevinThermostat bath(s, 8);
  RunningSum heat;
  bath.apply(p, box, 0.999, 0.01, 0, heat);
  bath.apply(p, box, 2.0, 0.01, 1, heat);
  EXPECT_EQ(heat.value(), 0.0);
  bath.apply(p, box, 1.0, 0.01, 2, heat);
  EXPECT_GT(comm.sum(heat.value()), 0.0);
}

TEST_F(FreeAtoms, StoppingBooksWhatItTakesAndSparesSlowAtoms) {
  set(p.v, 7, {speed_of(5000.0), 0, 0});
  set(p.v, 8, {0, -speed_of(9.9), 0});
  StoppingSettings s;
  s.kind = StoppingSettings::Kind::sqrt;
  s.coefficient = 0.2167;
  const ElectronicStopping stopping(s);
  const double before = thermo().kinetic_ev;
  RunningSum share;
  for (int k = 0; k < 10; ++k) stopping.apply(p, 0.001, share);
  const double lost = comm.sum(share.value());
  EXPECT_NEAR(lost, before - thermo().kinetic_ev, 1e-9 * before);
  // dE/dt = -k sqrt(E) v = -k sqrt(2/m) E.
  EXPECT_NEAR(lost, 5000.0 * (1.0 - std::exp(-0.2167 * std::sqrt(2.0 / mass) * 0.01)), 1e-8);
  EXPECT_EQ(velocity(8)[1], -speed_of(9.9));
}

TEST_F(FreeAtoms, ATableThatPushesHarderThanAnAtomMovesBringsItToRest) {
  const std::string file = "stopping_" + std::to_string(comm.rank()) + ".table";
  std::ofstream(file) << "# E S\n1.0 1e5\n\n1000.0 1e6  # the last\n";
  StoppingSettings s;
  s.kind = StoppingSettings::Kind::table;
  s.file = file;
  const ElectronicStopping stopping(s);
  set(p.v, 3, {0, 0, speed_of(500.0)});
  RunningSum lost;
  stopping.apply(p, 1.0, lost);
  EXPECT_NEAR(comm.sum(lost.value()), 500.0, 1e-9);
  EXPECT_EQ(velocity(3)[2], 0.0);
  std::remove(file.c_str());
}

TEST_F(FreeAtoms, AtomsAboveTheEndOfATableAreCounted) {
  const std::string file = "short_stopping_" + std::to_string(comm.rank()) + ".table";
  std::ofstream(file) << "10 0.7\n100 2.2\n";
  StoppingSettings s;
  s.kind = StoppingSettings::Kind::table;
  s.file = file;
  ElectronicStopping stopping(s);
  set(p.v, 3, {0, 0, speed_of(99.0)});
  set(p.v, 4, {0, 0, speed_of(5000.0)});
  RunningSum lost;
  for (int k = 0; k < 2; ++k) stopping.apply(p, 1e-4, lost);
  EXPECT_EQ(comm.sum(stopping.above_table()), 2);
  stopping.resume(40);
  EXPECT_EQ(stopping.above_table(), 40);
  std::remove(file.c_str());
}

TEST_F(FreeAtoms, EachElementHasItsOwnColumnOfATable) {
  const std::string file = "two_stopping_" + std::to_string(comm.rank()) + ".table";
  std::ofstream(file) << "1 0.7 2.1\n1000 0.7 2.1\n";
  StoppingSettings s;
  s.kind = StoppingSettings::Kind::table;
  s.file = file;
  const ElectronicStopping stopping(s);
  for (const int type : {0, 1}) {
    Atoms one;
    one.id = {1};
    one.type = {type};
    one.x = {{0, 0, 0}};
    one.v = {{speed_of(500.0), 0, 0}};
    Particles alone = to_device(one, {mass_amu, mass_amu});
    const double path = speed_of(500.0) * 1e-4;
    RunningSum lost;
    stopping.apply(alone, 1e-4, lost);
    EXPECT_NEAR(lost.value(), (type == 0 ? 0.7 : 2.1) * path, 1e-5) << type;
  }
  std::remove(file.c_str());
}

TEST_F(FreeAtoms, BadStoppingTablesAreRefusedByLine) {
  const std::string file = "bad_stopping_" + std::to_string(comm.rank()) + ".table";
  const auto message = [&](const std::string& text) {
    std::ofstream(file) << text;
    try {
      read_stopping_table(file);
    } catch (const InputError& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  EXPECT_NE(message("1 2\n1 3\n").find(":2: "), std::string::npos);
  EXPECT_NE(message("# E S\n1 2\n2 x\n").find(":3: "), std::string::npos);
  EXPECT_NE(message("1 2\n2 -1\n").find(":2: "), std::string::npos);
  EXPECT_NE(message("1 2 3\n2 3\n").find(":2: "), std::string::npos);
  EXPECT_NE(message("-1 2\n2 3\n").find(":1: "), std::string::npos);
  EXPECT_NE(message("1 2\n2 nan\n").find(":2: "), std::string::npos);
  EXPECT_NE(message("1 2\n\n3 2\n2 3\n").find(":4: "), std::string::npos);
  EXPECT_NE(message("1 2\r\n2 3\r\n").find("accepted"), std::string::npos);
  EXPECT_NE(message("1 2\n").find("at least two"), std::string::npos);
  EXPECT_NE(message("1 2\n2 3\n").find("accepted"), std::string::npos);
  std::remove(file.c_str());
  EXPECT_THROW(read_stopping_table(file), InputError);
}

TEST_F(FreeAtoms, ARecoilGainsExactlyItsEnergy) {
  draw_velocities(comm, p, atoms, 300.0, 4);
  const double before = thermo().kinetic_ev;
  PkaSettings pka;
  pka.energy_ev = 1000.0;
  pka.direction = Vec3{1.0 / std::sqrt(35.0), 3.0 / std::sqrt(35.0), 5.0 / std::sqrt(35.0)};
  pka.position = Vec3{4.6, 4.4, 7.6};  // next to the atom at (4.5, 4.5, 7.5)
  const Recoil r = knock_on(comm, p, box, pka, 0, 4);
  EXPECT_EQ(r.atom, 1 + 1 + edge * (1 + edge * 2));
  EXPECT_NEAR(r.energy_gained_ev, 1000.0, 1e-9);
  EXPECT_NEAR(thermo().kinetic_ev - before, 1000.0, 1e-8);
  const Vec3 v = velocity(r.atom);
  EXPECT_NEAR(v[1] / v[0], 3.0, 0.2);  // the thermal velocity stays on top
  EXPECT_NEAR(v[2] / v[0], 5.0, 0.3);
}

TEST_F(FreeAtoms, AmongEquallyNearAtomsTheLowestIdIsHitEvenIfRoundingDiffers) {
  // Eight atoms are equally near to the box's centre; the last of them is nearer by a rounding error.
  PkaSettings pka;
  pka.energy_ev = 10.0;
  pka.direction = Vec3{1, 0, 0};
  const std::int64_t lowest = 1 + 5 + edge * (5 + edge * 5), highest = 1 + 6 + edge * (6 + edge * 6);
  set(p.x, highest, {19.5 - 1e-12, 19.5, 19.5});
  EXPECT_EQ(knock_on(comm, p, box, pka, 0, 4).atom, lowest);
}

TEST_F(FreeAtoms, RandomRecoilsAreTheSameOnAllRanksAndDifferByNumber) {
  PkaSettings pka;
  pka.energy_ev = 10.0;
  pka.random_site = true;
  const Recoil a = knock_on(comm, p, box, pka, 0, 4), b = knock_on(comm, p, box, pka, 1, 4);
  EXPECT_NE(a.atom, b.atom);
  EXPECT_EQ(comm.min(a.atom), comm.max(a.atom));
  EXPECT_EQ(comm.min(a.direction[0]), comm.max(a.direction[0]));
  EXPECT_NEAR(a.energy_gained_ev, 10.0, 1e-10);
}

TEST_F(FreeAtoms, ARecoilOfAnElementHitsTheNearestOfIt) {
  PkaSettings pka;
  pka.energy_ev = 10.0;
  pka.position = Vec3{4.6, 4.4, 7.6};
  pka.element = "Re";
  pka.type = 1;
  EXPECT_THROW(knock_on(comm, p, box, pka, 0, 4), std::runtime_error) << "there is none";
  Atoms mixed = to_host(p);
  EXPECT_THROW(require_recoil_elements(comm, {pka}, mixed), InputError);
  const std::int64_t other = 1 + 3 + edge * (1 + edge * 2), far = 1 + 9 + edge * (9 + edge * 9);
  for (std::size_t i = 0; i < mixed.size(); ++i) mixed.type[i] = mixed.id[i] == other || mixed.id[i] == far;
  EXPECT_NO_THROW(require_recoil_elements(comm, {pka}, mixed));
  Particles alloy = to_device(mixed, {mass_amu, 186.207});
  EXPECT_EQ(knock_on(comm, alloy, box, pka, 0, 4).atom, other);
}

TEST_F(FreeAtoms, TheFastestAtomSetsTheTimeStep) {
  AdaptiveStepSettings s;
  s.max_displacement_angstrom = 0.01;
  s.max_ps = 0.002;
  AdaptiveTimeStep dt(s, 0.001);
  EXPECT_DOUBLE_EQ(dt.next(comm, p), 0.00105);  // all at rest: it grows by 5 % ...
  for (int k = 0; k < 30; ++k) dt.next(comm, p);
  EXPECT_DOUBLE_EQ(dt.current(), 0.002);  // ... up to its limit,
  set(p.v, 100, {0, speed_of(20000.0), 0});
  EXPECT_NEAR(dt.next(comm, p), 0.01 / speed_of(20000.0), 1e-15);  // and shrinks at once
  EXPECT_EQ(comm.min(dt.current()), comm.max(dt.current()));
}

TEST_F(FreeAtoms, TheHardestPushedAtomSetsTheTimeStep) {
  AdaptiveStepSettings s;
  s.max_energy_change_ev = 0.1;
  AdaptiveTimeStep dt(s, 0.002);
  set(p.v, 5, {100.0, 0, 0});
  set(p.f, 5, {-20.0, 1000.0, 0});  // only the component along the path changes the energy
  EXPECT_NEAR(dt.next(comm, p), 0.1 / 2000.0, 1e-15);
  s.max_energy_change_ev = 0.0;
  s.max_displacement_angstrom = 0.01;
  AdaptiveTimeStep from_rest(s, 0.002);
  set(p.v, 5, {0, 0, 0});
  set(p.f, 5, {0, 1e5, 0});
  EXPECT_NEAR(from_rest.next(comm, p), std::sqrt(2.0 * 0.01 * mass / 1e5), 1e-12);
}

TEST_F(FreeAtoms, AFixedTimeStepStays) {
  set(p.v, 100, {0, speed_of(20000.0), 0});
  EXPECT_EQ(AdaptiveTimeStep({}, 0.0017).next(comm, p), 0.0017);
}

TEST_F(FreeAtoms, OnlyHotAtomsNearAFaceAreReported) {
  set(p.v, 1, {speed_of(11.0), 0, 0});                               // in the corner
  set(p.v, 2, {speed_of(9.0), 0, 0});                                // at the face, but cold
  set(p.v, 1 + 6 + edge * (6 + edge * 6), {speed_of(500.0), 0, 0});  // hot, but inside
  EXPECT_EQ(comm.sum(count_hot_atoms_at_border(p, box, 6.0, 10.0)), 1);
}

}  // namespace
}  // namespace wafermark::tungsten

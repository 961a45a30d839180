// The deck's thermostat, stopping, recoils, time step and relaxation: what is read, and what is refused.
#include <gtest/gtest.h>

#include <cmath>

#include "common/errors.hpp"
#include "tungsten_md/model/dynamics_settings.hpp"

namespace wafermark::tungsten {
namespace {

DynamicsSettings read(const std::string& toml) {
  Deck deck = Deck::parse(toml, "deck.toml");
  const DynamicsSettings d = DynamicsSettings::read(deck);
  deck.finish();
  return d;
}
std::string refusal(const std::string& toml) {
  try {
    read(toml);
  } catch (const InputError& e) {
    return e.what();
  }
  return "accepted";
}

TEST(DynamicsSettings, AnEmptyDeckIsPlainNewtonianMotion) {
  const DynamicsSettings d = read("");
  EXPECT_FALSE(d.thermostat.on());
  EXPECT_FALSE(d.barostat.on());
  EXPECT_FALSE(d.relax.box.on());
  EXPECT_EQ(d.stopping.kind, StoppingSettings::Kind::none);
  EXPECT_TRUE(d.pkas.empty());
  EXPECT_FALSE(d.adaptive.on());
  EXPECT_EQ(d.relax.max_steps, 0);
  EXPECT_EQ(d.temperature.draw_k, 0.0);
}

TEST(DynamicsSettings, VelocitiesAreDrawnAtTheInitialTemperatureUnlessAnotherIsGiven) {
  EXPECT_EQ(read("temperature.initial_k = 290").temperature.draw_k, 290.0);
  EXPECT_EQ(read("temperature = {initial_k = 290, draw_k = 580}").temperature.draw_k, 580.0);
}

TEST(DynamicsSettings, RecoilsComeInTheOrderOfTheirTimesWithUnitDirections) {
  const auto pkas = read(
                        "[[pka]]\nenergy_ev = 2000\ntime_ps = 5\n"
                        "[[pka]]\nenergy_ev = 1000\ndirection = [1, 3, 5]\nsite = 'random'\n")
                        .pkas;
  ASSERT_EQ(pkas.size(), 2u);
  EXPECT_EQ(pkas[0].energy_ev, 1000.0);
  EXPECT_TRUE(pkas[0].random_site);
  ASSERT_TRUE(pkas[0].direction.has_value());
  EXPECT_NEAR((*pkas[0].direction)[2], 5.0 / std::sqrt(35.0), 1e-15);
  EXPECT_EQ(pkas[1].energy_ev, 2000.0);
  EXPECT_FALSE(pkas[1].direction.has_value());
}

TEST(DynamicsSettings, TheLongestAdaptiveStepIsTheRunsUnlessGiven) {
  EXPECT_EQ(read("run.timestep_ps = 0.002").adaptive.max_ps, 0.002);
}

TEST(DynamicsSettings, AScheduleIsStraightBetweenItsTimesAndFlatBeyond) {
  const auto t =
      read("thermostat = {kind = 'langevin', schedule_ps = [1, 3, 4], schedule_k = [300, 1500, 0]}")
          .thermostat;
  EXPECT_EQ(t.temperature_k(0.0), 300.0);
  EXPECT_EQ(t.temperature_k(2.0), 900.0);
  EXPECT_EQ(t.temperature_k(3.0), 1500.0);
  EXPECT_EQ(t.temperature_k(3.75), 375.0);
  EXPECT_EQ(t.temperature_k(99.0), 0.0);
  EXPECT_EQ(t.hottest_k(), 1500.0);
}

TEST(DynamicsSettings, ASchedulesTimesAndTemperaturesBelongTogether) {
  for (const char* bad :
       {"schedule_ps = [0, 1]", "schedule_k = [300]", "{schedule_ps = [0, 1], schedule_k = [1]}",
        "{schedule_ps = [1, 1], schedule_k = [1, 2]}", "{schedule_ps = [-1, 1], schedule_k = [1, 2]}",
        "{schedule_ps = [0, 1], schedule_k = [1, -2]}",
        "{schedule_ps = [0], schedule_k = [1], temperature_k = 3}"}) {
    const std::string text =
        bad[0] == '{' ? std::string("thermostat = ") + bad : std::string("thermostat.") + bad;
    EXPECT_NE(refusal(text).find("deck.toml:1: key 'thermostat."), std::string::npos) << refusal(text);
  }
}

TEST(DynamicsSettings, ABarostatHasOnePressureOrOneForEachAxis) {
  const auto one = read("barostat = {kind = 'berendsen', pressure_gpa = 2}").barostat;
  EXPECT_EQ(one.pressure_gpa, (std::array<double, 3>{2, 2, 2}));
  const auto each =
      read("barostat = {kind = 'berendsen', coupling = 'axes', pressure_axes_gpa = [1, 2, 3]}").barostat;
  EXPECT_EQ(each.pressure_gpa, (std::array<double, 3>{1, 2, 3}));
  for (const char* bad :
       {"kind = 'mtk'", "kind = 'stochastic'", "relaxation_time_ps = 0", "compressibility_per_gpa = -1",
        "every_steps = 0", "start_ps = 3, stop_ps = 2", "pressure_axes_gpa = [1, 2, 3]",
        "coupling = 'axes', pressure_axes_gpa = [1, 2]", "coupling = 'axes', pressure_axes_gpa = [1, 2, 3e3]",
        "coupling = 'axes', pressure_gpa = 1, pressure_axes_gpa = [1, 2, 3]", "pressure_gpa = nan",
        "kind = 'berendsen', every_steps = 2000"}) {
    const std::string text = std::string("barostat = {") + bad + "}";
    EXPECT_NE(refusal(text).find("deck.toml:1: key 'barostat."), std::string::npos) << text << refusal(text);
  }
}

TEST(DynamicsSettings, ABoxRelaxesOnlyWithItsAtoms) {
  EXPECT_NE(refusal("relax.box = 'axes'").find("relax.max_steps"), std::string::npos);
  EXPECT_NE(refusal("relax.pressure_gpa = 1").find("relax.box"), std::string::npos);
  EXPECT_NE(
      refusal("relax = {max_steps = 5, box = 'isotropic', pressure_axes_gpa = [1, 1, 1]}").find("relax.box"),
      std::string::npos);
  EXPECT_TRUE(read("relax = {max_steps = 5, box = 'isotropic'}").relax.box.on());
}

TEST(DynamicsSettings, ElectronsAreRefusedWhereTheirKeysContradictEachOther) {
  EXPECT_FALSE(read("").electrons.on());
  EXPECT_EQ(read("temperature.initial_k = 77\nelectrons.model = 'friction'").electrons.temperature_k, 77.0);
  const std::string two = "model = 'two_temperature', ";
  const std::string good = two + "heat_capacity_j_per_m3_k = 4e4, conductivity_w_per_m_k = 100";
  const auto e = read("electrons = {" + good + ", cells = [2, 3, 4]}").electrons;
  EXPECT_EQ(e.cells, (std::array<int, 3>{2, 3, 4}));
  EXPECT_NEAR(e.properties.heat_capacity[0], 4e4 * 6.241509e-12, 1e-12);
  EXPECT_NEAR(e.properties.conductivity[0], 100 * 6.241509e-4, 1e-6);
  for (const std::string& bad :
       {std::string("model = 'ttm'"), std::string("coupling_time_ps = 0"), std::string("min_energy_ev = -1"),
        std::string("min_energy_ev = 10"), std::string("temperature_k = -1"),
        std::string("model = 'friction', heat_capacity_j_per_m3_k = 1"), two + "conductivity_w_per_m_k = 1",
        two + "heat_capacity_j_per_m3_k = 0", good + ", file = 'x'", good + ", cells = [0, 1, 1]",
        good + ", cells = [1, 1]", good + ", cells = [1.5, 1, 1]", good + ", cells = [1000, 1000, 1]"})
    EXPECT_NE(refusal("electrons = {" + bad + "}").find("key 'electrons."), std::string::npos)
        << bad << ": " << refusal("electrons = {" + bad + "}");
}

TEST(DynamicsSettings, ANoseHooverChainHoldsTheWholeBoxAndIsNeverCold) {
  EXPECT_EQ(read("thermostat.kind = 'nose_hoover'").thermostat.chain, 3);
  EXPECT_NE(refusal("thermostat = {kind = 'nose_hoover', region = 'border'}").find("thermostat.region"),
            std::string::npos);
  EXPECT_NE(refusal("thermostat = {kind = 'nose_hoover', temperature_k = 0}").find("0 K"), std::string::npos);
  EXPECT_NE(refusal("thermostat = {kind = 'nose_hoover', chain_links = 0}").find("chain_links"),
            std::string::npos);
}

TEST(DynamicsSettings, WhatCannotBeMeantIsRefusedAtItsLine) {
  EXPECT_NE(refusal("thermostat.kind = 'nose'").find("deck.toml:1: "), std::string::npos);
  EXPECT_NE(refusal("\nthermostat.damping_time_ps = 0").find("deck.toml:2: "), std::string::npos);
  EXPECT_NE(refusal("[thermostat]\nstart_ps = 2\nstop_ps = 1").find("deck.toml:3: "), std::string::npos);
  EXPECT_NE(refusal("stopping.kind = 'table'").find("stopping.file"), std::string::npos);
  EXPECT_NE(refusal("[[pka]]\ntime_ps = 1").find("energy_ev"), std::string::npos);
  EXPECT_NE(refusal("[[pka]]\nenergy_ev = -5").find("deck.toml:2: "), std::string::npos);
  EXPECT_NE(refusal("[[pka]]\nenergy_ev = 5\ndirection = [0, 0, 0]").find("deck.toml:3: "),
            std::string::npos);
  EXPECT_NE(refusal("[[pka]]\nenergy_ev = 5\nposition_angstrom = [1, 2]").find("deck.toml:3: "),
            std::string::npos);
  EXPECT_NE(refusal("adaptive_timestep = {min_ps = 0.1, max_ps = 0.01}").find("deck.toml:1: "),
            std::string::npos);
  EXPECT_NE(refusal("adaptive_timestep.growth = 1.0").find("deck.toml:1: "), std::string::npos);
  EXPECT_NE(refusal("thermostat.dampening = 1").find("thermostat.dampening"), std::string::npos);
}

}  // namespace
}  // namespace wafermark::tungsten

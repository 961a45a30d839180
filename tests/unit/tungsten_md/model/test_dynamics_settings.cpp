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
  EXPECT_FALSE(d.thermostat.on);
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

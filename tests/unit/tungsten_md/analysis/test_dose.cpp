// Irradiation to a dose: which recoils, when, how they are counted, and when it is enough.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/errors.hpp"
#include "tungsten_md/analysis/dose.hpp"
#include "tungsten_md/dynamics/dose_protocol.hpp"
#include "tungsten_md/dynamics/periodic_frame.hpp"
#include "tungsten_md/model/recoil_spectrum.hpp"

namespace wafermark::tungsten {
namespace {

constexpr const char* crystal = R"([structure]
lattice_constant_angstrom = 3.1652
cells = [10, 10, 10]
)";

Case dose_case(const std::string& dose, const std::string& more = "") {
  Deck deck = Deck::parse(std::string(crystal) + more + "[dose]\n" + dose, "deck");
  return Case::read(deck);
}

std::string written(const std::string& text) {
  const auto path = std::filesystem::temp_directory_path() / ("spectrum" + std::to_string(getpid()));
  std::ofstream(path) << text;
  return path.string();
}

TEST(RecoilSpectrum, RecoilsFallIntoBinsAsTheirShares) {
  const RecoilSpectrum s =
      read_recoil_spectrum(written("# eV eV 1/s\r\n100 200 3\r\n\n200 400 0 # none\n400 1000 1\n"));
  ASSERT_EQ(s.bins.size(), 2u);
  EXPECT_DOUBLE_EQ(s.bins[0].share, 0.75);
  EXPECT_DOUBLE_EQ(s.energy_ev(0.75, 0.5), 150.0);
  EXPECT_DOUBLE_EQ(s.energy_ev(0.76, 0.5), 700.0);
  EXPECT_DOUBLE_EQ(s.energy_ev(1.0, 1.0), 1000.0);
  EXPECT_DOUBLE_EQ(s.largest_ev(), 1000.0);
}

TEST(RecoilSpectrum, WhatIsNoneIsRefusedWithItsLine) {
  for (const char* bad : {"", "# only words\n", "100 200\n", "100 200 3 4\n", "200 100 1\n", "100 200 -1\n",
                          "100 200 nan\n", "-1 200 1\n", "100 2e9 1\n", "a b c\n", "100 200 0\n",
                          "100 200 1\n150 300 1\n", "100 200 1e308\n200 300 1e308\n"}) {
    try {
      read_recoil_spectrum(written(bad));
      ADD_FAILURE() << bad;
    } catch (const InputError& e) {
      EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos) << e.what();
    }
  }
  EXPECT_THROW(read_recoil_spectrum("/nowhere"), InputError);
}

TEST(DoseLength, IsThatOfTheRecoilsThatTheDoseTakes) {
  // 2,000 atoms; E_d = 50 eV: a recoil of 250 eV displaces 2, one of 100 to 125 eV one, so that 0.02 dpa are
  // 40 displacements.
  const auto length = [](const std::string& more) {
    const Case what = dose_case(
        "method = 'recoils'\nthreshold_ev = 50\nfirst_ps = 1\nleast_hot_ps = 0.5\n"
        "most_hot_ps = 10\nrest_ps = 2\n" +
        more);
    return length_of_dose(what, what.load_potential(), 2000);
  };
  const auto one = length("recoil_energy_ev = 250\nstop_dpa = 0.02\n");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->recoils, 20);
  EXPECT_DOUBLE_EQ(one->least_ps, 1 + 20 * 2.5);
  EXPECT_DOUBLE_EQ(one->most_ps, 1 + 20 * 12.0);
  const auto both =
      length("spectrum_file = '" + written("100 125 1\n250 250.0001 1\n") + "'\nstop_dpa = 0.03\n");
  EXPECT_EQ(both->recoils, 40) << "1.5 displacements each";
  EXPECT_EQ(length("recoil_energy_ev = 250\nbefore_dpa = 0.01\nstop_dpa = 0.02\n")->recoils, 10);
  EXPECT_FALSE(length("recoil_energy_ev = 250\nsaturation_events = 10\n"));
  EXPECT_FALSE(length("recoil_energy_ev = 20\nstop_dpa = 0.02\n"))
      << "below the threshold nothing is displaced";
}

TEST(DoseProtocol, ACascadeIsHotUntilNoAtomIsThenRestsThenTheNextIsDue) {
  const Case what = dose_case(
      "method = 'recoils'\nrecoil_energy_ev = 100\nfirst_ps = 1\nhot_energy_ev = 2\nleast_hot_ps = 0.1\n"
      "most_hot_ps = 5\nrest_ps = 0.5\n");
  DoseProtocol p(what.dose);
  EXPECT_FALSE(p.recoil_due(0.9));
  ASSERT_TRUE(p.recoil_due(1.0));
  p.begin_hot(1.0);
  EXPECT_FALSE(p.recoil_due(1.0));
  p.advance(1.05, 10, 0.5);  // cool, but too early
  EXPECT_FALSE(p.is_resting());
  p.advance(1.2, 15, 0.0);  // a step at which nobody looked
  EXPECT_FALSE(p.is_resting());
  p.advance(1.3, 20, 2.1);
  EXPECT_FALSE(p.is_resting());
  p.advance(1.4, 30, 1.9);
  ASSERT_TRUE(p.is_resting());
  p.advance(1.85, 40, 0.0);
  EXPECT_FALSE(p.settled());
  p.advance(1.95, 41, 0.0);
  EXPECT_TRUE(p.settled());
  EXPECT_TRUE(p.recoil_due(1.95));
  DoseProtocol resumed(what.dose);
  resumed.resume(p.numbers());
  EXPECT_TRUE(resumed.settled());
  EXPECT_TRUE(resumed.recoil_due(1.95));
  EXPECT_EQ(resumed.fired(), 1);
  p.begin_hot(2.0);
  p.advance(7.1, 50, 9.0);  // hot for too long
  EXPECT_TRUE(p.is_resting());
}

TEST(PeriodicFrame, ARecoilIsInTheMiddleOfItsOwnBox) {
  const Box box{{0, 0, 0}, {10, 10, 10}, {true, true, false}};
  const PeriodicFrame frame = PeriodicFrame::around(box, {1, 9, 2});
  EXPECT_DOUBLE_EQ(frame.along(0, 1.0), 5.0);
  EXPECT_DOUBLE_EQ(frame.along(0, 9.5), 3.5);
  EXPECT_DOUBLE_EQ(frame.along(0, 6.5), 0.5);
  EXPECT_DOUBLE_EQ(frame.along(1, 1.0), 7.0);
  EXPECT_DOUBLE_EQ(frame.along(2, 2.0), 2.0) << "open axes have faces of their own";
  EXPECT_DOUBLE_EQ(PeriodicFrame{}.along(0, 1.0), 1.0);
}

TEST(DoseModel, RecoilsAreCountedAsNrtAndArcDisplacements) {
  const Case quiet = dose_case("method = 'recoils'\nrecoil_energy_ev = 1000\nbefore_dpa = 0.5\n");
  const PotentialTables potential = quiet.load_potential();
  const std::vector<Recoil> two{{1, {}, {}, 1000.0}, {2, {}, {}, 60.0}};
  const Dose dose = DoseModel(quiet, potential).of(two, 0, 2000);
  EXPECT_EQ(dose.events, 2);
  // Without electronic losses all of 1000 eV: 0.8 x 1000 / 180; 60 eV displaces none.
  EXPECT_NEAR(dose.dpa, 0.5 + 0.8 * 1000.0 / 180.0 / 2000.0, 1e-12);
  EXPECT_NEAR(dose.dpa_arc.value(), tungsten_arc_dpa.displacements(1000.0) / 2000.0, 1e-12);
  const Case stopped =
      dose_case("method = 'recoils'\nrecoil_energy_ev = 1000\n", "[stopping]\nkind = 'sqrt'\n");
  const double energy = LindhardRobinson::of(74, 183.84, 74, 183.84).damage_energy(1000.0);
  EXPECT_NEAR(DoseModel(stopped, potential).of({two[0]}, 0, 2000).dpa, 0.8 * energy / 180.0 / 2000.0,
              1e-5 / 2000);
}

TEST(DoseModel, InsertedPairsAreCountedThemselves) {
  const Case what = dose_case("method = 'insertion'\n", "[relax]\nmax_steps = 10\n");
  const Dose dose = DoseModel(what, what.load_potential()).of({}, 40, 2000);
  EXPECT_DOUBLE_EQ(dose.dpa, 0.02);
  EXPECT_FALSE(dose.dpa_arc.has_value());
}

TEST(Saturation, TheMeansOfTwoHalvesAgree) {
  EXPECT_FALSE(is_saturated({5, 5, 5}, 4, 0.1)) << "too few";
  EXPECT_TRUE(is_saturated({1, 5, 6, 6, 5}, 4, 0.05));
  EXPECT_FALSE(is_saturated({1, 5, 6, 6, 7}, 4, 0.05));
  EXPECT_FALSE(is_saturated({5, 5}, 0, 0.1)) << "never asked for";
}

TEST(DoseKeys, WhatCannotBeIsRefused) {
  for (const char* bad :
       {"recoil_energy_ev = 100\n", "stop_dpa = 0.1\n", "method = 'recoils'\n",
        "method = 'recoils'\nrecoil_energy_ev = 100\nspectrum_file = 'x'\n",
        "method = 'recoils'\nrecoil_energy_ev = -1\n",
        "method = 'recoils'\nrecoil_energy_ev = 100\npairs_at_once = 2\n", "method = 'insertion'\n",
        "method = 'recoils'\nrecoil_energy_ev = 100\nrest_temperature_k = 300\nhot_energy_ev = 0.8\n",
        "method = 'recoils'\nrecoil_energy_ev = 100\nleast_hot_ps = 30\n",
        "method = 'recoils'\nrecoil_energy_ev = 100\nrest_ps = 0\n",
        "method = 'recoils'\nrecoil_energy_ev = nan\n",
        "method = 'recoils'\nrecoil_energy_ev = 100\nsaturation_events = 1\n",
        "method = 'recoils'\nrecoil_energy_ev = 100\nstop_dpa = 0\n",
        "method = 'recoils'\nrecoil_energy_ev = 100\nthreshold_ev = 0\n", "method = 'cascades'\n",
        "method = 'recoils'\nrecoil_energy_ev = 100\nbefore_dpa = 0.2\nstop_dpa = 0.1\n",
        "method = 'recoils'\nrecoil_energy_ev = 100\n[[pka]]\nenergy_ev = 10\n"})
    EXPECT_THROW(dose_case(bad), InputError) << bad;
}

}  // namespace
}  // namespace wafermark::tungsten

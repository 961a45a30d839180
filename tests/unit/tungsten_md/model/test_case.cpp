// Conditions between parts of a deck: told before anything runs, at the key that can be mended.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "common/errors.hpp"
#include "tungsten_md/model/case.hpp"

namespace wafermark::tungsten {
namespace {

const std::string crystal = "[structure]\nlattice_constant_angstrom = 3.165\ncells = [8, 8, 8]\n";

struct Decks : ::testing::Test {
  std::string table = "stopping_" + std::to_string(getpid()) + ".table";
  Decks() { std::ofstream(table) << "10 0.7\n100 2.2\n225 3.3\n"; }
  ~Decks() override { std::remove(table.c_str()); }
  std::string stopping_table() const { return "[stopping]\nkind = 'table'\nfile = '" + table + "'\n"; }
  static std::string refusal(const std::string& toml) {
    try {
      Deck deck = Deck::parse(toml, "deck.toml");
      Case::read(deck);
    } catch (const InputError& e) {
      return e.what();
    }
    return "accepted";
  }
};

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST_F(Decks, ARecoilAboveTheStoppingTableIsRefused) {
  const auto with = [&](const std::string& more) { return refusal(crystal + stopping_table() + more); };
  EXPECT_EQ(with("[[pka]]\nenergy_ev = 225\n"), "accepted");
  EXPECT_SAYS(with("[[pka]]\nenergy_ev = 5000\n"), "ends at 225 eV");
  EXPECT_SAYS(with("[[pka]]\nenergy_ev = 5000\n"), "stopping.file");
  // What the atom has before it is hit comes on top.
  EXPECT_SAYS(with("[[pka]]\nenergy_ev = 225\n[temperature]\ninitial_k = 300\n"), "up to 225.517 eV");
  EXPECT_SAYS(with("[[pka]]\nenergy_ev = 224.9\n[thermostat]\nkind = 'langevin'\n"), "ends at 225 eV");
  // Two recoils of one atom at one moment are one of both energies, at two moments they are two.
  const std::string one = "[[pka]]\nenergy_ev = 150\n", later = one + "time_ps = 3.0\n";
  EXPECT_SAYS(with(one + one), "up to 300 eV");
  EXPECT_EQ(with(one + later), "accepted");
  EXPECT_EQ(with(one + one + "position_angstrom = [1, 1, 1]\n"), "accepted");
}

TEST_F(Decks, APressureNeedsAPeriodicBoxAndAMeasuredExpansionATemperature) {
  const std::string open = "boundary = ['periodic', 'open', 'periodic']\n";
  EXPECT_SAYS(refusal(crystal + open + "[barostat]\nkind = 'berendsen'\n"), "barostat.kind");
  EXPECT_SAYS(refusal(crystal + open + "[relax]\nmax_steps = 5\nbox = 'axes'\n"), "relax.box");
  EXPECT_EQ(refusal(crystal + "[barostat]\nkind = 'berendsen'\n"), "accepted");
  const std::string measured = crystal + "thermal_expansion = 'measure'\n";
  EXPECT_SAYS(refusal(measured), "temperature.initial_k");
  EXPECT_EQ(refusal(measured + "[temperature]\ninitial_k = 300\n"), "accepted");
  EXPECT_SAYS(refusal(crystal + "thermal_expansion = 'measured'\n"), "or \"measure\"");
}

TEST_F(Decks, TheStoppingOfTungstenIsNotTakenForOtherElements) {
  const std::string tantalum =
      "[structure]\nelement = 'Ta'\nlattice_constant_angstrom = 3.3\ncells = [8, 8, 8]\n[potential]\nmodel = "
      "'zhou_2004'\n";
  EXPECT_SAYS(refusal(tantalum + "[stopping]\nkind = 'sqrt'\n"), "stopping.coefficient_sqrt_ev_per_angstrom");
  EXPECT_EQ(refusal(tantalum + "[stopping]\nkind = 'sqrt'\ncoefficient_sqrt_ev_per_angstrom = 0.2\n"),
            "accepted");
  EXPECT_EQ(refusal(tantalum), "accepted");
  EXPECT_EQ(refusal(crystal + "[stopping]\nkind = 'sqrt'\n"), "accepted");
  EXPECT_SAYS(
      refusal(crystal +
              "[potential]\nmodel = 'zhou_2004'\nelements = ['W', 'Ta']\n[stopping]\nkind = 'sqrt'\n"),
      "the atoms are W, Ta");
}

TEST_F(Decks, RecoilsAreOfAnElementOfThePotential) {
  const std::string alloy = crystal + "[potential]\nmodel = 'zhou_2004'\nelements = ['W', 'Ta']\n";
  EXPECT_EQ(refusal(alloy + "[[pka]]\nenergy_ev = 9\nelement = 'Ta'\n"), "accepted");
  EXPECT_SAYS(refusal(alloy + "[[pka]]\nenergy_ev = 9\nelement = 'Cu'\n"), "pka.element: found Cu, expected");
  const std::string dose = "[dose]\nmethod = 'recoils'\nrecoil_energy_ev = 100\nthreshold_ev = 90\n";
  EXPECT_EQ(refusal(alloy + dose + "recoil_element = 'W'\n"), "accepted");
  EXPECT_SAYS(refusal(alloy + dose + "recoil_element = 'Cu'\n"), "dose.recoil_element: found Cu");
  EXPECT_SAYS(refusal(crystal + "[dose]\nrecoil_element = 'W'\n"), "dose.recoil_element");
}

TEST_F(Decks, SwapsNeedTwoElementsATemperatureAndFramesThatTellOfThem) {
  const std::string alloy = crystal + "[potential]\nmodel = 'zhou_2004'\nelements = ['W', 'Ta']\n";
  const std::string swaps = "[swaps]\nevery_steps = 5\n", warm = "[temperature]\ninitial_k = 300\n";
  EXPECT_EQ(refusal(alloy + warm + swaps), "accepted");
  EXPECT_EQ(refusal(alloy + swaps + "temperature_k = 300\n"), "accepted");
  EXPECT_EQ(refusal(alloy + "[thermostat]\nkind = 'langevin'\n" + swaps), "accepted");
  EXPECT_SAYS(refusal(alloy + swaps), "swaps.temperature_k");
  EXPECT_SAYS(refusal(crystal + warm + swaps), "swaps.every_steps");
  EXPECT_SAYS(refusal(alloy + warm + "[swaps]\nattempts = 2\n"), "swaps.every_steps above 0");
  EXPECT_SAYS(refusal(alloy + warm + "[swaps]\nevery_steps = -1\n"), "swaps.every_steps");
  EXPECT_SAYS(refusal(alloy + warm + "[swaps]\nevery_steps = 1\nattempts = 0\n"), "swaps.attempts");
  const std::string frames = "[output]\ntrajectory_every_steps = 5\n";
  EXPECT_SAYS(refusal(alloy + warm + swaps + frames), "format h5md");
  EXPECT_EQ(refusal(alloy + warm + swaps + frames + "trajectory_formats = ['xyz']\n"), "accepted");
}

TEST_F(Decks, RecoilsHappenInTheBoxAndInTheRun) {
  const std::string pka = "[[pka]]\nenergy_ev = 100\n";
  EXPECT_SAYS(refusal(crystal + pka + "position_angstrom = [1, 1, 26]\n"), "found 26 along z");
  EXPECT_SAYS(refusal(crystal + "[run]\nduration_ps = 2.0\n" + pka + "time_ps = 2.0\n"), "found 2 ps");
  EXPECT_EQ(refusal(crystal + "[run]\nduration_ps = 2.0\n" + pka + "time_ps = 1.9\n"), "accepted");
  EXPECT_EQ(refusal(crystal + "[run]\nsteps = 3\n" + pka + "time_ps = 1.9\n"),
            "accepted");  // its first steps
  EXPECT_SAYS(refusal(crystal + pka + "direction = [1e308, 1e308, 1e308]\n"), "direction");
  EXPECT_SAYS(refusal(crystal + "[[pka]]\nenergy_ev = 1e300\n"), "energy_ev");
}

TEST_F(Decks, FramesOfAFixedNumberOfAtomsCannotLoseAny) {
  const std::string open =
      "[structure]\nlost_atoms = 'drop'\nboundary = ['periodic', 'periodic', 'open']\n"
      "lattice_constant_angstrom = 3.165\ncells = [8, 8, 8]\n";
  EXPECT_EQ(refusal(open), "accepted");
  const std::string frames = "[output]\ntrajectory_every_steps = 5\n";
  EXPECT_SAYS(refusal(open + frames), "structure.lost_atoms");
  EXPECT_EQ(refusal(open + frames + "trajectory_formats = ['dump']\n"), "accepted");
}

TEST_F(Decks, LennardJonesTakesItsConstantsAndNothingElse) {
  const std::string argon =
      "[structure]\nelement = 'Ar'\nlattice = 'fcc'\nlattice_constant_angstrom = 5.7\ncells = [8, 8, 8]\n";
  const auto with = [&](const std::string& more) {
    return refusal(argon + "[potential]\nmodel = 'lj/cut'\n" + more);
  };
  const std::string constants = "epsilon_ev = 0.01\nsigma_angstrom = 3.4\n";
  EXPECT_EQ(with(constants), "accepted");
  EXPECT_EQ(with(constants + "cutoff_angstrom = 9\nshifted = true\nelements = ['Ne']\n"), "accepted");
  EXPECT_SAYS(with(""), "potential.model' = 'lj/cut': expected potential.epsilon_ev above 0");
  EXPECT_SAYS(with("epsilon_ev = 0.01\n"), "expected potential.sigma_angstrom above 0");
  EXPECT_SAYS(with("epsilon_ev = 0.01\nsigma_angstrom = 0\n"), "potential.sigma_angstrom");
  EXPECT_SAYS(with("epsilon_ev = -0.01\nsigma_angstrom = 3.4\n"), "potential.epsilon_ev");
  EXPECT_SAYS(with(constants + "cutoff_angstrom = 0\n"), "potential.cutoff_angstrom above 0");
  EXPECT_SAYS(with(constants + "cutoff_angstrom = nan\n"), "potential.cutoff_angstrom");
  EXPECT_SAYS(with(constants + "core = 'zbl'\n"), "potential.core");
  EXPECT_SAYS(with(constants + "table_points = 500\n"), "potential.table_points");
  EXPECT_SAYS(with(constants + "elements = ['Ar', 'Ne']\n"), "one element");
  EXPECT_SAYS(with(constants + "elements = []\n"), "one element");
  EXPECT_SAYS(with(constants + "elements = ['LJ']\n"), "a chemical symbol");
  EXPECT_SAYS(with(constants + "file = 'p.eam.alloy'\n"), "either a file or an analytic model");
  for (const char* key :
       {"epsilon_ev = 0.01", "sigma_angstrom = 3", "cutoff_angstrom = 8", "shifted = false"})
    EXPECT_SAYS(refusal(crystal + "[potential]\n" + key + "\n"), "potential.model = \"lj/cut\" beside it");
  EXPECT_SAYS(refusal(crystal + "[run]\nlist_every_steps = -1\n"), "run.list_every_steps");
}

}  // namespace
}  // namespace wafermark::tungsten

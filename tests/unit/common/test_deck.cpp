// Decks: what is accepted, and the one line that each mistake gets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/deck.hpp"
#include "common/errors.hpp"

namespace wafermark {
namespace {

using ::testing::HasSubstr;

Deck sample(const std::vector<std::string>& overrides = {}) {
  return Deck::parse(R"(title = "a case"
[run]
steps = 100
timestep_ps = 0.002
grid = [2, 1, 1]
[[pka]]
energy_ev = 1000
[[pka]]
energy_ev = 2000.5
)",
                     "case.toml", overrides);
}

std::string message(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& e) {
    return e.what();
  }
  return "no error";
}

TEST(Deck, ReadsEachKindOfValue) {
  Deck d = sample();
  EXPECT_EQ(d.text("title", std::nullopt, ""), "a case");
  EXPECT_EQ(d.integer("run.steps", 1, ""), 100);
  EXPECT_EQ(d.number("run.steps", 1.0, ""), 100.0);
  EXPECT_EQ(d.number("run.timestep_ps", std::nullopt, "", positive), 0.002);
  EXPECT_EQ(d.vector3("run.grid", std::nullopt, "")[0], 2.0);
  EXPECT_EQ(d.number("run.skin", 0.5, ""), 0.5);
  auto pkas = d.tables("pka", "");
  ASSERT_EQ(pkas.size(), 2u);
  EXPECT_EQ(pkas[1].number("energy_ev", std::nullopt, ""), 2000.5);
  EXPECT_EQ(pkas[0].number("energy_ev", std::nullopt, ""), 1000);
  EXPECT_NO_THROW(d.finish());
}

TEST(Deck, OverridesReplaceAddAndReachIntoTables) {
  Deck d = sample({"run.steps=7", "run.precision=mixed", "pka.1.energy_ev=3e3", "new.key=true"});
  EXPECT_EQ(d.integer("run.steps", 1, ""), 7);
  EXPECT_EQ(d.text("run.precision", "double", ""), "mixed");
  EXPECT_EQ(d.tables("pka", "")[1].number("energy_ev", std::nullopt, ""), 3000);
  EXPECT_TRUE(d.flag("new.key", false, ""));
  EXPECT_THAT(d.to_toml(), HasSubstr("precision"));
}

struct Mistake {
  std::string name, text;
  std::vector<std::string> overrides;
  std::string expected;
};

void PrintTo(const Mistake& m, std::ostream* out) { *out << m.name; }

class DeckMistake : public ::testing::TestWithParam<Mistake> {};

TEST_P(DeckMistake, GetsOneClearLine) {
  const Mistake& m = GetParam();
  const std::string said = message([&] {
    Deck d = Deck::parse(m.text, "bad.toml", m.overrides);
    d.integer("run.steps", 10, "", {1, 1e6});
    d.number("run.timestep_ps", 0.001, "", positive);
    d.choice("run.precision", "double", {"double", "mixed"}, "");
    d.flag("run.fast", false, "");
    d.vector3("run.grid", std::array<double, 3>{0, 0, 0}, "");
    d.texts("run.names", std::vector<std::string>{}, "");
    for (auto& pka : d.tables("pka", "")) pka.number("energy_ev", std::nullopt, "", positive);
    d.finish();
  });
  EXPECT_THAT(said, HasSubstr(m.expected));
  EXPECT_EQ(said.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    All, DeckMistake,
    ::testing::Values(
        Mistake{"NotToml", "[run\nsteps = 1", {}, "bad.toml:1: not TOML"},
        Mistake{"WrongType",
                "[run]\n\nsteps = \"many\"",
                {},
                "bad.toml:3: key 'run.steps' = 'many': expected a whole number from 1 to 1e+06"},
        Mistake{"Fraction",
                "[run]\nsteps = 1.5",
                {},
                "bad.toml:2: key 'run.steps' = 1.5: expected a whole number"},
        Mistake{"OutOfRange", "[run]\nsteps = 0", {}, "expected a whole number from 1 to 1e+06"},
        Mistake{"Negative",
                "[run]\ntimestep_ps = -0.1",
                {},
                "key 'run.timestep_ps' = -0.1: expected a number above 0"},
        Mistake{"NotANumber", "[run]\ntimestep_ps = nan", {}, "expected a number above 0"},
        Mistake{"Choice", "[run]\nprecision = \"single\"", {}, "expected one of double, mixed"},
        Mistake{"Flag", "[run]\nfast = 1", {}, "expected true or false"},
        Mistake{"ShortVector", "[run]\ngrid = [1, 2]", {}, "expected three numbers"},
        Mistake{"MixedVector", "[run]\ngrid = [1, 2, \"x\"]", {}, "expected a list of numbers"},
        Mistake{"Texts", "[run]\nnames = [1]", {}, "expected a list of strings"},
        Mistake{"UnknownKey",
                "[run]\nsteps = 1\ntimestep = 2",
                {},
                "bad.toml:3: unknown key 'run.timestep': the nearest known key is 'run.timestep_ps'"},
        Mistake{"UnknownTable",
                "[rum]\nsteps = 1",
                {},
                "unknown key 'rum.steps': the nearest known key is 'run.steps'"},
        Mistake{"TableForValue", "[run.steps]\nx = 1", {}, "key 'run.steps'"},
        Mistake{
            "MissingInTable", "[[pka]]\n", {}, "key 'pka.0.energy_ev' is missing: expected a number above 0"},
        Mistake{"UnknownInTable",
                "[[pka]]\nenergy_ev = 1\nenergy = 2",
                {},
                "bad.toml:3: unknown key 'pka.0.energy': the nearest known key is 'pka.0.energy_ev'"},
        Mistake{"NotTables", "pka = 3", {}, "expected an array of tables, [[pka]]"},
        Mistake{"OverrideWithoutValue", "", {"run.steps"}, "--set run.steps: expected key=value"},
        Mistake{"OverrideEmpty", "", {"run.steps="}, "--set run.steps=: expected a value after '='"},
        Mistake{
            "OverrideIndex", "[[pka]]\nenergy_ev = 1", {"pka.3.energy_ev=1"}, "expected an index below 1"},
        Mistake{
            "OverrideThroughValue", "[run]\nsteps = 1", {"run.steps.x=1"}, "expected 'steps' to be a table"},
        Mistake{"OverrideUnknown",
                "",
                {"run.stps=3"},
                "unknown key 'run.stps': the nearest known key is 'run.steps'"}),
    [](const auto& mistake) { return mistake.param.name; });

TEST(Deck, MissingFileAndFolderAreSaid) {
  EXPECT_THAT(message([] { Deck::read("/nonexistent/x.toml"); }),
              HasSubstr("/nonexistent/x.toml: cannot be read"));
  EXPECT_THAT(message([] { Deck::read("/tmp"); }), HasSubstr("found a folder"));
}

TEST(Deck, DescribesTheKeysThatWereAskedFor) {
  Deck d = sample();
  d.integer("run.steps", 1000, "largest number of steps");
  EXPECT_THAT(d.describe(), HasSubstr("run.steps  1000  largest number of steps"));
}

}  // namespace
}  // namespace wafermark

// Decks: what is accepted, and the one line that each mistake gets.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/deck.hpp"
#include "common/errors.hpp"

namespace wafermark {
namespace {

using ::testing::AllOf;
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

TEST(Deck, AWordStandsForAWholeNumberThatIsNotKnown) {
  const auto layers = [](const std::string& text) {
    return Deck::parse(text, "d.toml").integer_or("auto", "layers", 3, "");
  };
  EXPECT_EQ(layers("layers = \"auto\""), std::nullopt);
  EXPECT_EQ(layers("layers = 1e3"), 1000);
  EXPECT_EQ(layers(""), 3);
}

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
    d.integer_or("auto", "run.layers", 0, "", {0, 1e6});
    d.number_or("measure", "run.expansion", 1.0, "", positive);
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
        Mistake{"NoWholeNumberAndNotTheWord",
                "[run]\nlayers = 1.5",
                {},
                "bad.toml:2: key 'run.layers' = 1.5: expected a whole number from 0 to 1000000, or \"auto\""},
        Mistake{"TheWordInAnotherCase",
                "[run]\nlayers = \"Auto\"",
                {},
                "key 'run.layers' = \"Auto\": expected a whole number from 0 to 1000000, or \"auto\""},
        Mistake{"TheWordOfAnotherKey",
                "[run]\nexpansion = \"auto\"",
                {},
                "key 'run.expansion' = \"auto\": expected a number above 0, or \"measure\""},
        Mistake{"WrongType",
                "[run]\n\nsteps = \"many\"",
                {},
                "bad.toml:3: key 'run.steps' = \"many\": expected a whole number from 1 to 1000000"},
        Mistake{"Fraction",
                "[run]\nsteps = 1.5",
                {},
                "bad.toml:2: key 'run.steps' = 1.5: expected a whole number"},
        Mistake{"OutOfRange", "[run]\nsteps = 0", {}, "expected a whole number from 1 to 1000000"},
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
                "--set: unknown key 'run.stps': the nearest known key is 'run.steps'"},
        // Values are shown as they were written, in one line.
        Mistake{
            "OverrideAsWritten", "", {"run.steps=1e-3"}, "--set: key 'run.steps' = 1e-3: expected a whole"},
        Mistake{"HugeNumber", "[run]\ntimestep_ps = -1.0e+300 # long", {}, "= -1.0e+300: expected"},
        Mistake{"ManyDigits", "[run]\nsteps = 99999999999999999999", {}, "bad.toml:2: not TOML"},
        Mistake{
            "ManyDigitsOverride", "", {"run.steps=99999999999999999999"}, "= 99999999999999999999: expected"},
        Mistake{"Infinite", "[run]\ntimestep_ps = inf", {}, "= inf: expected a number above 0"},
        Mistake{
            "InfiniteVector", "[run]\ngrid = [1, 2, inf]", {}, "= [1, 2, inf]: expected a list of numbers"},
        Mistake{"ListOverLines",
                "[run]\ngrid = [1,\n2]",
                {},
                "bad.toml:2: key 'run.grid' = [1,\\n2]: expected three"},
        Mistake{
            "CarriageReturns", "[run]\r\nsteps = 'x'\r\n", {}, "bad.toml:2: key 'run.steps' = 'x': expected"},
        Mistake{"ByteOrderMark",
                "\xef\xbb\xbfrun.steps = \"ä\"",
                {},
                "bad.toml:1: key 'run.steps' = \"ä\": expected"},
        Mistake{"BehindLetters",
                "title = 1\nrun = { names = [\"äöü\"], steps = -7 }",
                {},
                "= -7: expected a whole"},
        Mistake{"Escapes",
                "[run]\nprecision = \"\\u001b[31m\\nred\"",
                {},
                "= \"\\u001b[31m\\nred\": expected one"},
        Mistake{
            "TextOverLines", "[run]\nprecision = \"\"\"a\nb\"\"\"", {}, "= \"\"\"a\\nb\"\"\": expected one"},
        Mistake{"TitleOfATable", "run = 3", {}, "unknown key 'run'"},
        Mistake{"KeyWithADot", "\"run.steps\" = 3", {}, "unknown key '\"run.steps\"'"},
        Mistake{"EmptyTable", "[rum]", {}, "bad.toml:1: unknown key 'rum'"},
        Mistake{"Binary", std::string("\0\x01\xff\n\n", 5), {}, "bad.toml:1: not TOML"},
        Mistake{"OverrideWithNewline",
                "",
                {"run.steps=1\nrun.fast=true"},
                "1\\nrun.fast=true: expected one line"},
        Mistake{"OverrideOfOtherBytes",
                "",
                {"title=a\xff"},
                "--set title=a\\xff: expected one line of printable"},
        Mistake{"OverrideWithEscape",
                "",
                {"run.precision=\x1b[31m"},
                "run.precision=\\x1b[31m: expected one line"},
        Mistake{"OverrideWithComment", "", {"run.steps=5 # five"}, "= 5 # five: expected a whole"},
        Mistake{"OverrideOfTwo", "", {"run.steps=5, 6"}, "= 5, 6: expected a whole"},
        Mistake{"OverrideTail", "", {"run.steps=5,"}, "= 5,: expected a whole"},
        Mistake{"OverrideTitle", "", {"[run]=5"}, "--set [run]=5: expected a key of words"},
        Mistake{"OverrideDots", "", {"run..steps=5"}, "--set run..steps=5: expected a key of words"},
        Mistake{"OverrideNoKey", "", {"=5"}, "--set =5: expected key=value"},
        Mistake{"OverrideNothing", "", {""}, "--set : expected key=value"},
        Mistake{"OverrideNegativeIndex",
                "[[pka]]\nenergy_ev = 1",
                {"pka.-1.energy_ev=1"},
                "expected a number after"},
        Mistake{"OverrideLargeIndex",
                "[[pka]]\nenergy_ev = 1",
                {"pka.99999999999.energy_ev=1"},
                "expected an index below 1"},
        Mistake{"OverrideInsideTable", "", {"run={steps=-1}"}, "--set: key 'run.steps' = -1: expected"}),
    [](const auto& mistake) { return mistake.param.name; });

TEST(Deck, OfTwoOverridesTheLastCounts) {
  EXPECT_EQ(sample({"run.steps=7", "run.steps=8"}).integer("run.steps", 1, ""), 8);
  EXPECT_THAT(message([] {
                sample({"run={steps=3}", "run.steps=x"}).integer("run.steps", 1, "");
              }),
              HasSubstr("run.steps' = x:"));
}

TEST(Deck, KeysMayBeQuotedAndWholeNumbersHaveAnExponent) {
  EXPECT_EQ(sample({"\"run\".'steps' = 7"}).integer("run.steps", 1, ""), 7);
  EXPECT_EQ(sample({"run.steps=1e3"}).integer("run.steps", 1, ""), 1000);
  EXPECT_EQ(sample({"title=\"a=b\""}).text("title", "", ""), "a=b");
  EXPECT_TRUE(sample({"pka=[]"}).tables("pka", "").empty());
}

TEST(Deck, OptionThatStandsForAKeyGoesBeforeTheFileAndNotTogetherWithSet) {
  Deck d = sample();
  d.set("--machine", "a\"b", "wafer.machine", "a\"b");
  d.set("--tiles", "8x6", "wafer.tiles", std::vector<std::int64_t>{8, 6});
  d.set("--steps", "5", "run.steps", std::int64_t{5});
  EXPECT_EQ(d.text("wafer.machine", "", ""), "a\"b");
  EXPECT_EQ(d.integer("run.steps", 1, ""), 5);
  EXPECT_THAT(message([&] { d.vector3("wafer.tiles", std::nullopt, ""); }),
              "--tiles: key 'wafer.tiles' = 8x6: expected three numbers");
  for (const std::string set : {"run.steps=5", "run={steps=5}"})
    EXPECT_THAT(message([&] { sample({set}).set("--steps", "5", "run.steps", std::int64_t{5}); }),
                AllOf(HasSubstr("--set run"), HasSubstr("--steps run.steps=5"), HasSubstr("found both")));
}

TEST(Deck, FilesThatAreNoDeckAreSaid) {
  const auto folder =
      std::filesystem::temp_directory_path() / fmt::format("wafermark_test_deck_{}", ::getpid());
  std::filesystem::create_directories(folder);
  const auto read = [&](const std::string& text) {
    std::ofstream(folder / "a.toml") << text;
    return message([&] { Deck::read(folder / "a.toml"); });
  };
  EXPECT_THAT(read(""), HasSubstr("found an empty file"));
  EXPECT_THAT(read("\n \n"), HasSubstr("found an empty file"));
  EXPECT_THAT(read(std::string(17 << 20, '#')), HasSubstr("found more than 16 MB"));
  EXPECT_THAT(message([] { Deck::read("/dev/null"); }), HasSubstr("found a pipe or a device"));
  EXPECT_THAT(message([] { Deck::read("a\nb"); }), HasSubstr("a\\nb: cannot be read"));
  std::filesystem::remove_all(folder);
}

TEST(NumberRange, IsToldAsPeopleWriteIt) {
  EXPECT_EQ((Range{0, 9e15}.text("a number")), "a number from 0 to 9e15");
  EXPECT_EQ((Range{0, 1e-7, true}.text("a number")), "a number above 0 and at most 1e-07");
  EXPECT_EQ(positive.text("a number"), "a number above 0");
  EXPECT_EQ(parse_whole_number("1e3"), 1000);
  EXPECT_EQ(parse_whole_number("010"), 10);
  for (const char* wrong :
       {"", "0x10", "1.5", "1e300", "99999999999999999999", "nan", "5 ", " 5", "+-5", "1e16"})
    EXPECT_FALSE(parse_whole_number(wrong)) << wrong;
  for (const char* wrong : {"", "inf", "nan", "1e999", "1.5x", "1,5"})
    EXPECT_FALSE(parse_number(wrong)) << wrong;
}

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

// Files of UF3 potentials: what is read, and what is refused in one line.
#include <gmock/gmock.h>
#include <stdlib.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "common/errors.hpp"
#include "tungsten_md/model/perfect_crystal.hpp"
#include "tungsten_md/model/potential_file.hpp"
#include "tungsten_md/model/potential_grid.hpp"
#include "tungsten_md/model/potential_writer.hpp"
#include "tungsten_md/model/uf3_layout.hpp"

namespace wafermark::tungsten {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::string head = "#UF3 POT UNITS: metal DATE: 2026-11-29 AUTHOR: made up CITATION:\n";
const std::string pair_block = head +
                               "2B W W 0 3 uk\n4.0 12\n1 1 1 1 1.6 2.2 2.8 3.4 4 4 4 4\n8\n"
                               "4 3 2 1 0.5 0 0 0\n#\n";
const std::string triplet_block = head +
                                  "3B W W W 0 3 nk\n6.0 3.0 3.0 9 9 9\n1 1 1 1 2 6 6 6 6\n1 1 1 1 2 3 3 3 3\n"
                                  "1 1 1 1 2 3 3 3 3\n5 5 5\n";

/// Five rows of five, symmetric in the first two.
std::string coefficients() {
  std::string text;
  for (int l = 0; l < 5; ++l)
    for (int m = 0; m < 5; ++m) {
      for (int n = 0; n < 5; ++n) text += std::to_string(l + m < 4 ? 0.1 * (l + m) + 0.01 * n : 0.0) + " ";
      text += "\n";
    }
  return text + "#\n";
}

class Uf3File : public ::testing::Test {
 protected:
  Uf3File() {
    std::string name = (fs::temp_directory_path() / "wafermark_uf3_XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~Uf3File() override { fs::remove_all(folder_); }

  PotentialTables read(const std::string& text, const std::vector<std::string>& elements = {}) const {
    const std::string path = (folder_ / "p.uf3").string();
    std::ofstream(path) << text;
    return elements.empty() ? read_potential(path) : read_potential(path, "auto", elements);
  }
  /// The message of the InputError; empty when the text is accepted.
  std::string complaint(const std::string& text, const std::vector<std::string>& elements = {}) const {
    try {
      read(text, elements);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }
  static std::string with(std::string text, const std::string& old, const std::string& now) {
    const auto at = text.find(old);
    EXPECT_NE(at, std::string::npos) << old;
    return text.replace(at, old.size(), now);
  }

  fs::path folder_;
};

TEST_F(Uf3File, HoldsPairsAndTriplets) {
  const PotentialTables t = read(pair_block + triplet_block + coefficients());
  EXPECT_EQ(t.format, "uf3");
  EXPECT_EQ(t.elements[0].symbol, "W");
  EXPECT_NEAR(t.elements[0].mass_amu, 183.84, 0.01);
  EXPECT_EQ(t.cutoff_angstrom, 4.0);
  EXPECT_EQ(t.uf3->triplet_cutoff(), 3.0);
  EXPECT_EQ(t.uf3->triplets[0].coefficients.size(), 125u);
  EXPECT_EQ(t.uf3->triplets[0].coefficients[27], 0.12);
  EXPECT_TRUE(read(pair_block).uf3->triplets.empty());
}

TEST_F(Uf3File, MayHaveCarriageReturnsAndNumbersSpreadOverLines) {
  std::string text = pair_block + triplet_block + coefficients(), windows;
  for (const char c : text) windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(complaint(windows), "");
  EXPECT_EQ(complaint(with(pair_block, "4 3 2 1 0.5", "4 3 2\n1 0.5")), "");
  EXPECT_EQ(complaint("\n# a comment\n\n" + pair_block + "# end\n\n"), "");
}

/// B_j of a degree at x, by the recursion of Cox and de Boor.
double b_spline(const std::vector<double>& t, std::size_t j, std::size_t degree, double x) {
  if (degree == 0) return t[j] <= x && x < t[j + 1] ? 1.0 : 0.0;
  const double left = t[j + degree] - t[j], right = t[j + degree + 1] - t[j + 1];
  return (left > 0 ? (x - t[j]) / left * b_spline(t, j, degree - 1, x) : 0.0) +
         (right > 0 ? (t[j + degree + 1] - x) / right * b_spline(t, j + 1, degree - 1, x) : 0.0);
}

TEST_F(Uf3File, GivesTheSumsOfItsSplines) {
  for (const char* spacing : {"uk", "nk"}) {
    std::string text = with(pair_block, "uk", spacing);
    if (spacing == std::string("nk"))
      text = with(text, "1.6 2.2", "1.1 2.9").replace(text.find("2.8"), 3, "2.95");
    const PotentialTables t = read(text);
    const Uf3PairTerm& term = t.uf3->pair(0, 0);
    for (double x = 1.0; x < 4.0; x += 0.0373) {
      double sum = 0.0;
      for (std::size_t j = 0; j < 8; ++j) sum += term.coefficients[j] * b_spline(term.knots.at, j, 3, x);
      EXPECT_NEAR(pair_energy(t, 0, 0, x), 2.0 * sum, 1e-13) << spacing << ' ' << x;
    }
    EXPECT_EQ(pair_energy(t, 0, 0, 4.0), 0.0);
  }
}

TEST_F(Uf3File, HasTheSlopesOfItsEnergies) {
  const PotentialTables t = read(pair_block + triplet_block + coefficients());
  const Uf3Layout<double> layout(*t.uf3);
  const Uf3Tables<double> tables = layout.tables();
  const auto energy = [&](const std::array<double, 3>& r) {
    const Uf3TripletTable<double>& table = layout.triplets[0];
    return uf3_triplet(tables, table, uf3_side(tables, table.ij, r[0]), uf3_side(tables, table.ik, r[1]),
                       uf3_side(tables, table.jk, r[2]));
  };
  const double h = 1e-6;
  for (const std::array<double, 3>& at : {std::array{1.3, 2.7, 3.1}, {2.5, 1.9, 1.5}, {2.2, 2.9, 4.7}}) {
    const Uf3Triplet<double> e = energy(at);
    const double slopes[] = {e.slope_ij, e.slope_ik, e.slope_jk};
    for (std::size_t d = 0; d < 3; ++d) {
      auto less = at, more = at;
      less[d] -= h;
      more[d] += h;
      EXPECT_NEAR(slopes[d], (energy(more).energy - energy(less).energy) / (2 * h), 1e-8);
    }
  }
  const Uf3Pair<double> p = uf3_pair(tables, layout.pairs[0], 2.3);
  EXPECT_NEAR(p.force_over_r * 2.3,
              -(pair_energy(t, 0, 0, 2.3 + h) - pair_energy(t, 0, 0, 2.3 - h)) / (2 * h), 1e-8);
}

TEST_F(Uf3File, OfAPerfectCrystalSumsPairsAndTriplets) {
  const PotentialTables pairs = read(pair_block), both = read(pair_block + triplet_block + coefficients());
  // fcc of a = 4: twelve neighbours at 2.83, six at 4, the cut-off; around an atom 66 triplets, of which 24
  // have r_jk = 2.83, 12 have 4, 24 have 4.90 and 6 have 5.66.
  const double a = 4.0, r = a / std::sqrt(2.0);
  const double of_pairs = 6.0 * pair_energy(pairs, 0, 0, r);
  EXPECT_NEAR(PerfectCrystal(pairs, 0, LatticeKind::fcc).atom(a).energy_ev, of_pairs, 1e-12);
  const Uf3Layout<double> layout(*both.uf3);
  const Uf3Tables<double> t = layout.tables();
  const Uf3TripletTable<double>& table = layout.triplets[0];
  const auto side = uf3_side(t, table.ij, r);
  double expected = of_pairs;
  for (const auto& [count, square] : {std::pair{24, 1.0}, {12, 2.0}, {24, 3.0}, {6, 4.0}})
    expected +=
        count * uf3_triplet(t, table, side, side, uf3_side(t, table.jk, r * std::sqrt(square))).energy;
  EXPECT_NEAR(PerfectCrystal(both, 0, LatticeKind::fcc).atom(a).energy_ev, expected, 1e-12);
}

TEST_F(Uf3File, ServesElementsInAnyOrder) {
  const auto block = [](const std::string& kind, const std::string& elements, const std::string& rest) {
    return head + kind + " " + elements + " 0 3 nk\n" + rest;
  };
  const std::string pairs = "4.0 8\n1 1 1 1 4 4 4 4\n4\n5 0 0 0\n#\n";
  const std::string knots = "6 3 3 8 8 8\n1 1 1 1 6 6 6 6\n1 1 1 1 3 3 3 3\n1 1 1 1 3 3 3 3\n4 4 4\n";
  const auto rows = [](int of_ij, double value) {  // one coefficient that is not zero, [of_ij][0][0]
    std::string text;
    for (int k = 0; k < 16; ++k) text += (k == 4 * of_ij ? std::to_string(value) : "0") + " 0 0 0\n";
    return text + "#\n";
  };
  std::string text;
  for (const char* two : {"W W", "Ta W", "Ta Ta"}) text += block("2B", two, pairs);
  for (const char* centre : {"W", "Ta"}) {
    for (const char* like : {" W W", " Ta Ta"})
      text += block("3B", centre + std::string(like), knots + rows(0, 1.0));
    text += block("3B", centre + std::string(" W Ta"), knots + rows(1, 2.0));
  }
  const Uf3Potential& p = *read(text, {"Ta", "W"}).uf3;
  ASSERT_EQ(p.triplets.size(), 8u);
  // W W Ta: ij is W-W; types are Ta, W.
  EXPECT_EQ(p.triplets[(1 * 2 + 1) * 2 + 0].coefficients[16], 2.0);  // centre W, j W, k Ta
  EXPECT_EQ(p.triplets[(1 * 2 + 0) * 2 + 1].coefficients[4], 2.0);   // j Ta, k W: the second side
  EXPECT_EQ(read(text, {"W", "W", "Ta"}).uf3->triplets.size(), 27u) << "an element may serve two types";
  EXPECT_THAT(complaint(with(text, "2B Ta W", "2B Ta Nb"), {"Ta", "W"}), HasSubstr("no 2B block of Ta W"));
  EXPECT_THAT(complaint(with(text, "3B Ta W Ta", "3B Ta W Nb"), {"Ta", "W"}),
              HasSubstr("no 3B block of Ta Ta W"));
  EXPECT_THAT(complaint(text, {"Mo"}), HasSubstr("found no element 'Mo', expected one of W, Ta"));
  EXPECT_THAT(complaint(text + block("3B", "W Ta W", knots + rows(1, 2.0))),
              HasSubstr("a second 3B block of W Ta W"));
}

struct Bad {
  std::string old, now, complaint;
};

TEST_F(Uf3File, RefusesWhatIsWrongWithTheLine) {
  const std::string good = pair_block + triplet_block + coefficients();
  ASSERT_EQ(complaint(good), "");
  const std::vector<Bad> cases = {
      {"UNITS: metal", "UNITS: real", "p.uf3:1: found 'real', expected metal behind UNITS:"},
      {"UNITS: metal", "", "p.uf3:1: found a block without UNITS:"},
      {"2B W W", "4B W W", "found '4B', expected 2B or 3B"},
      {"2B W W", "1B W W", "found '1B', expected 2B or 3B"},
      {"2B W W 0 3 uk", "2B 0 3", "expected a chemical symbol"},
      {"2B W W", "2B W Xx", "found 'Xx', expected a chemical symbol"},
      {"0 3 uk", "1 3 uk", "other trims"},
      {"0 3 uk", "0 0 uk", "other trims"},
      {"0 3 uk", "0 3", "expected the trims 0 and 3 and then uk or nk"},
      {"0 3 uk", "0 3 uk more", "found 'more'"},
      {"4.0 12", "-4.0 12", "a cut-off above 0"},
      {"4.0 12", "nan 12", "found 'nan', expected a cut-off"},
      {"4.0 12", "4.5 12", "the cut-off, 4.5, within them"},
      {"4.0 12", "0.5 12", "the cut-off, 0.5, within them"},
      {"4.0 12", "4.0 13", "expected growing ones between the first and the last four"},
      {"4.0 12", "4.0 11", "found 12 numbers up to the end of this line, expected 11"},
      {"4.0 12", "4.0 7", "from 8 to"},
      {"4.0 12", "4.0 1e9", "from 8 to"},
      {"4.0 12", "4.0 99999", "at most 10000 knots"},
      {"4.0 12", "4.0 12 1", "expected a cut-off and the number of knots"},
      {"1 1 1 1 1.6", "1 1 1 1 1 1.6", "found 13 numbers"},
      {"1 1 1 1 1.6", "1 1 1 1.6", "expected four equal ones at either end"},
      {"1 1 1 1 1.6", "0.9 1 1 1 1.3", "expected four equal ones at either end"},
      {"1 1 1 1 1.6", "-1 -1 -1 -1 1.6", "expected knots of at least 0"},
      {"1.6 2.2", "2.2 1.6", "expected growing ones"},
      {"1.6 2.2", "1.6 2.3", "apart, as the first ones are (uk), or nk"},
      {"1.6 2.2", "1.6 inf", "found 'inf'"},
      {"\n8\n", "\n9\n", "found 9 coefficients, expected 8"},
      {"\n8\n", "\n8 8\n", "expected the number of coefficients"},
      {"4 3 2 1", "4 3 2 x", "found 'x', expected coefficients of W W 4 of 8"},
      {"4 3 2 1", "4 3 2 nan", "found 'nan'"},
      {"4 3 2 1", "4 3 2", "expected"},
      {"0 0 0\n#", "0 0 0 0\n#", "found 9 numbers up to the end of this line"},
      {"0 0 0\n#", "0 0 0\n0\n#", "found '0', expected the begin of a block"},
      {"3B W W W", "3B W W", "expected"},
      {"6.0 3.0 3.0", "6.0 3.0 3.1", "two equal ones behind their sum"},
      {"6.0 3.0 3.0", "7.0 3.0 3.0", "two equal ones behind their sum"},
      {"3.0 9 9 9", "3.0 9 9 8", "expected"},
      {"5 5 5", "5 5 4", "found 4 coefficients, expected 5"},
      {"5 5 5", "5 5", "expected the shape"},
      {"0.000000 0.010000 0.020000", "1e999 0.01 0.02", "found '1e999'"},
      {"0.100000 0.110000", "0.300000 0.110000", "when r_ij and r_ik are exchanged"},
      {"2B W W 0", "2B W Ta 0", "no 2B block of"},
  };
  for (const Bad& bad : cases) {
    const std::string message = complaint(with(good, bad.old, bad.now));
    EXPECT_THAT(message, HasSubstr(bad.complaint)) << bad.old << " -> " << bad.now;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
  EXPECT_THAT(complaint(good + pair_block), HasSubstr("a second 2B block of W W"));
  EXPECT_THAT(complaint(triplet_block + coefficients()), HasSubstr("found no 2B block"));
  EXPECT_THAT(complaint(""), HasSubstr("found no 2B block"));
  EXPECT_THAT(complaint("setfl\n"), HasSubstr("p.uf3:1: found 'setfl'"));
  EXPECT_THAT(complaint(head + std::string(3, '\0') + pair_block), HasSubstr("found binary data"));
}

TEST_F(Uf3File, CutAnywhereIsRefusedOrLosesAWholeBlock) {
  const std::string good = pair_block + triplet_block + coefficients();
  for (std::size_t n = 0; n < good.size(); ++n) {
    const std::string cut = good.substr(0, n);
    if (!complaint(cut).empty()) continue;
    // Without a '#' behind it, the last number may have lost digits, as in every text of numbers.
    const bool behind_pairs = n + 4 > pair_block.size() && n <= pair_block.size() + head.size();
    EXPECT_TRUE(behind_pairs || n + 16 > good.size()) << n;
  }
}

TEST_F(Uf3File, IsNoTables) {
  const PotentialTables t = read(pair_block + triplet_block + coefficients());
  EXPECT_THROW(thin(t, 2, 0.0, 1), InputError);
  EXPECT_THROW(resample(t, 100, 100), InputError);
  EXPECT_THROW(with_core(t, "zbl", 1.0, 2.0), InputError);
  EXPECT_THROW(write_potential((folder_ / "out.eam.alloy").string(), t), InputError);
  EXPECT_NO_THROW(with_core(resample(t, 0, 0), "none", 1.0, 2.0));
  EXPECT_FALSE(has_repulsive_core(t));
}

}  // namespace
}  // namespace wafermark::tungsten

#include <gmock/gmock.h>
#include <stdlib.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/errors.hpp"
#include "tungsten_md/model/analytic_potential.hpp"
#include "tungsten_md/model/potential_file.hpp"
#include "tungsten_md/model/potential_grid.hpp"
#include "tungsten_md/model/potential_library.hpp"
#include "tungsten_md/model/potential_writer.hpp"

namespace wafermark::tungsten {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class PotentialFile : public ::testing::Test {
 protected:
  PotentialFile() {
    std::string name = (fs::temp_directory_path() / "wafermark_potential_XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~PotentialFile() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
    return path(name);
  }
  static std::string text_of(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  /// The message of the InputError that reading `text` as setfl gives; empty when it is accepted.
  std::string complaint(const std::string& text, const std::string& name = "bad.eam.alloy") const {
    try {
      read_potential(write(name, text));
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }

  fs::path folder_;
};

/// One element, five samples each, several on a line, with a Fortran exponent.
const char* const small_setfl =
    "one\ntwo\nthree\n1 W\n5 0.5 5 1.0 4.0\n74 183.84 3.165 BCC\n"
    "0 -1 -2\n-2.5 -0.3D+1\n5 4 3 2 0\n9 8 7\n6 0\n";

PotentialTables two_elements() {
  auto t = resample(make_analytic_potential("zhou_2004", {"W", "Cu"}), 11, 7);
  t.comments = {"a", "b", "c"};
  return t;
}

void expect_same(const PotentialTables& a, const PotentialTables& b) {
  EXPECT_EQ(a.nr, b.nr);
  EXPECT_EQ(a.nrho, b.nrho);
  EXPECT_EQ(a.dr, b.dr);
  EXPECT_EQ(a.drho, b.drho);
  EXPECT_EQ(a.cutoff_angstrom, b.cutoff_angstrom);
  EXPECT_EQ(a.comments, b.comments);
  EXPECT_EQ(a.embedding, b.embedding);
  EXPECT_EQ(a.density, b.density);
  for (std::size_t k = 0; k < a.elements.size(); ++k) {
    EXPECT_EQ(a.elements[k].symbol, b.elements[k].symbol);
    EXPECT_EQ(a.elements[k].mass_amu, b.elements[k].mass_amu);
    EXPECT_EQ(a.elements[k].lattice, b.elements[k].lattice);
    for (std::size_t l = 0; l <= k; ++l) EXPECT_EQ(a.r_phi[k][l], b.r_phi[k][l]);  // the file holds this half
  }
}

TEST_F(PotentialFile, SetflComesBackBitForBit) {
  const auto t = two_elements();
  write_potential(path("WCu.eam.alloy"), t);
  expect_same(read_potential(path("WCu.eam.alloy")), t);
  EXPECT_FALSE(fs::exists(path("WCu.eam.alloy.part")));
}

TEST_F(PotentialFile, FinnisSinclairDensitiesDependOnBothElements) {
  auto t = two_elements();
  for (double& value : t.density[0][1]) value *= 2.0;  // Cu at W is not Cu at Cu
  write_potential(path("WCu.eam.fs"), t);
  expect_same(read_potential(path("WCu.eam.fs")), t);
  EXPECT_THROW(write_potential(path("WCu.eam.alloy"), t), InputError);
}

TEST_F(PotentialFile, HeliumTablesBeginBelowZero) {
  auto t = two_elements();
  t.least_density = -1.5;
  for (const char* name : {"WCu.eam.alloy", "WCu.eam.fs"})
    EXPECT_THROW(write_potential(path(name), t), InputError) << name << " holds no negative densities";
  write_potential(path("WCu.eam.he"), t);
  const auto back = read_potential(path("WCu.eam.he"), "auto", {"W", "Cu"});
  expect_same(back, t);
  EXPECT_EQ(back.format, "eam/he");
  ASSERT_TRUE(back.least_density);
  EXPECT_NEAR(*back.least_density, -1.5, 1e-12);
  EXPECT_NEAR(back.largest_density(), t.largest_density(), 1e-12);
  EXPECT_NEAR(*resample(thin(back, 2, 0.0, 1), 0, 9).least_density, -1.5, 1e-12);
}

TEST_F(PotentialFile, AHeliumHeaderHasASixthNumber) {
  const std::string setfl = small_setfl;
  const auto with_header = [&](const std::string& header) {
    std::string text = setfl;
    return text.replace(text.find("5 0.5 5 1.0 4.0"), 15, header);
  };
  EXPECT_THAT(complaint(setfl, "W.eam.he"), HasSubstr("W.eam.he:5: found five numbers"));
  EXPECT_EQ(complaint(with_header("5 0.5 5 1.0 4.0 1.0"), "W.eam.he"), "");
  EXPECT_THAT(complaint(with_header("5 0.5 5 1.0 4.0 nan"), "W.eam.he"), HasSubstr(":5:"));
  EXPECT_THAT(complaint(with_header("5 0.5 5 1.0 4.0 W"), "W.eam.he"), HasSubstr("'W'"));
  EXPECT_THROW(read_potential(path("W.eam.he"), "eam/fs"), InputError);
}

TEST_F(PotentialFile, ElementsMayComeInAnyOrderAndTwice) {
  const auto t = two_elements();
  write_potential(path("WCu.eam.alloy"), t);
  const auto s = read_potential(path("WCu.eam.alloy"), "auto", {"Cu", "W", "Cu"});
  EXPECT_EQ(s.embedding[0], t.embedding[1]);
  EXPECT_EQ(s.density[1][2], t.density[0][1]);
  EXPECT_EQ(s.r_phi[0][1], t.r_phi[1][0]);
  EXPECT_EQ(s.r_phi[0][2], t.r_phi[1][1]);
  EXPECT_THROW(read_potential(path("WCu.eam.alloy"), "auto", {"Fe"}), InputError);
}

TEST_F(PotentialFile, FortranExponentsAndManyNumbersOnALineAreRead) {
  const auto t = read_potential(write("small.eam.alloy", small_setfl));
  EXPECT_EQ(t.embedding[0], (std::vector<double>{0, -1, -2, -2.5, -3}));
  EXPECT_EQ(t.r_phi[0][0], (std::vector<double>{9, 8, 7, 6, 0}));
  EXPECT_EQ(t.elements[0].lattice, "bcc");
}

TEST_F(PotentialFile, FuncflPairsAreProductsOfCharges) {
  // Charges 10 - r on a grid of 1 A: cubic interpolation keeps a line, LAMMPS' constants make the pair.
  std::string text = "Cu\n29 63.55 3.615 fcc\n6 0.1 6 1.0 5.0\n0 1 2 3 4 5\n10 9 8 7 6 5\n6 5 4 3 2 1\n";
  const auto t = read_potential(write("Cu.eam", text));
  EXPECT_EQ(t.elements[0].symbol, "Cu");
  ASSERT_EQ(t.nr, 5);  // LAMMPS: one sample short of the file's
  for (std::size_t k = 0; k < 5; ++k) {
    const double charge = 10.0 - static_cast<double>(k);
    EXPECT_NEAR(t.r_phi[0][0][k], 27.2 * 0.529 * charge * charge, 1e-9);
    EXPECT_NEAR(t.density[0][0][k], 6.0 - static_cast<double>(k), 1e-12);
  }
}

TEST_F(PotentialFile, EveryTruncationIsNoticed) {
  const std::string whole = small_setfl;
  ASSERT_EQ(complaint(whole), "");
  // The last number is "0" and its line end: all shorter files lack something.
  for (std::size_t length = 0; length + 2 <= whole.size(); ++length)
    EXPECT_THAT(complaint(whole.substr(0, length)), HasSubstr("expected")) << length;
}

TEST_F(PotentialFile, BadEntriesAreNamedWithTheirLine) {
  const auto with = [](const std::string& from, const std::string& to) {
    std::string text = small_setfl;
    return text.replace(text.find(from), from.size(), to);
  };
  struct Entry {
    std::string from, to, line, found;
  };
  const Entry entries[] = {
      {"-2.5", "nan", ":8:", "nan"},          {"-2.5", "1e999", ":8:", "1e999"},
      {"-2.5", "-inf", ":8:", "inf"},         {"-2.5", "2,5", ":8:", "2,5"},
      {"9 8 7", "9 x 7", ":10:", "'x'"},      {"1 W", "0 W", ":4:", "0"},
      {"1 W", "2 W", ":5:", "number"},        {"5 0.5 5", "4 0.5 5", ":5:", "4"},
      {"5 0.5 5", "5 -0.5 5", ":5:", "-0.5"}, {"5 1.0 4.0", "5 0 4.0", ":5:", "0"},
      {"5 1.0 4.0", "3 1.0 4.0", ":5:", "3"}, {"5 1.0 4.0", "5 1.0 40", ":5:", "40"},
      {"5 1.0 4.0", "5 1.0 0", ":5:", "0"},   {"5 1.0 4.0", "5.5 1.0 4.0", ":5:", "5.5"},
      {"183.84", "-1", ":6:", "-1"},          {"74", "W", ":6:", "'W'"},
  };
  for (const auto& e : entries) {
    const auto message = complaint(with(e.from, e.to));
    EXPECT_THAT(message, HasSubstr("bad.eam.alloy" + e.line)) << e.to;
    EXPECT_THAT(message, HasSubstr(e.found)) << e.to;
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }
}

TEST_F(PotentialFile, OneNumberTooManyOrTooFewIsRefusedWhereverItStands) {
  // A table's numbers may be spread over lines in any way, but its last one ends a line.
  struct Entry {
    std::string from, to, found;
  };
  const Entry entries[] = {
      {"-2.5 -0.3D+1", "-2.5 -0.3D+1 7", ":8: found 6 numbers up to the end of this line"},
      {"0 -1 -2\n", "0 -1 -2 -2\n", ":8: found 6 numbers"},
      {"5 4 3 2 0", "5 4 3 2 1 0", ":9: found 6 numbers"},
      {"5 4 3 2 0", "5 4 3 2", ":10: found 7 numbers"},
      {"-2.5 -0.3D+1", "-2.5", ":9: found 9 numbers"},
      {"6 0\n", "6 0\n0\n", ":12: found '0', expected the end of the file"},
      {"6 0\n", "6 0 0\n", ":11: found 6 numbers"},
      {"6 0\n", "6\n", "found the end of the file after 4 numbers"},
      {"6 0\n", "6 0\n\n1 W\n", ":13: found '1 W'"}};
  for (const auto& e : entries) {
    std::string text = small_setfl;
    EXPECT_THAT(complaint(text.replace(text.find(e.from), e.from.size(), e.to)), HasSubstr(e.found)) << e.to;
  }
  std::string commented = small_setfl;
  commented.replace(commented.find("1 W"), 3, "1 W # tungsten");
  EXPECT_EQ(complaint(commented + "\n# the end\r\n"), "");
}

TEST_F(PotentialFile, AFormatThatTheFileDoesNotHaveIsRefused) {
  auto t = two_elements();
  write_potential(path("WCu.eam.alloy"), t);
  write_potential(path("WCu.eam.fs"), t);
  for (const auto& [file, format] :
       {std::pair{"WCu.eam.alloy", "eam/fs"}, {"WCu.eam.fs", "eam/alloy"}, {"WCu.eam.alloy", "funcfl"}})
    EXPECT_THROW(read_potential(path(file), format), InputError) << file << " as " << format;
  // Names that tell nothing: the content does.
  fs::rename(path("WCu.eam.alloy"), path("alloy"));
  fs::rename(path("WCu.eam.fs"), path("fs"));
  EXPECT_THROW(read_potential(path("alloy"), "eam/fs"), InputError);
  EXPECT_THROW(read_potential(path("fs"), "eam/alloy"), InputError);
  EXPECT_THROW(read_potential(path("fs"), "funcfl"), InputError);
  EXPECT_THROW(read_potential(path("fs"), "bop"), InputError);
  expect_same(read_potential(path("alloy"), "eam/alloy"), t);
}

TEST_F(PotentialFile, CompressedFilesAreReadAndNoticedWhenDamagedOrCut) {
  const std::string plain = write("W.eam.alloy", small_setfl);
  const auto t = read_potential(plain);
  for (const auto& [program, end] :
       {std::pair{"gzip", ".gz"}, {"bzip2", ".bz2"}, {"xz", ".xz"}, {"zstd --rm", ".zst"}}) {
    write("W.eam.alloy", small_setfl);
    if (std::system((std::string(program) + " -q -f " + plain + " 2>/dev/null").c_str()) != 0) continue;
    const std::string packed = text_of(plain + end);
    expect_same(read_potential(plain + end), t);
    for (std::size_t length = 4; length < packed.size(); length += 3) {
      std::ofstream(path("cut.alloy"), std::ios::binary) << packed.substr(0, length);
      EXPECT_THROW(read_potential(path("cut.alloy")), InputError) << end << " cut after " << length;
    }
    for (std::size_t at = 12; at + 4 < packed.size(); ++at) {
      std::string damaged = packed;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
      std::ofstream(path("damaged.alloy"), std::ios::binary) << damaged;
      try {  // a bit that means nothing may flip; a number must not
        expect_same(read_potential(path("damaged.alloy")), t);
      } catch (const InputError&) {
      }
    }
    std::ofstream(path("twice.alloy"), std::ios::binary) << packed << packed;
    EXPECT_THROW(read_potential(path("twice.alloy")), InputError) << "both parts are read";
  }
}

TEST_F(PotentialFile, WhatIsNoPotentialIsRefused) {
  EXPECT_THROW(read_potential(path("missing.eam.alloy")), InputError);
  EXPECT_THROW(read_potential(folder_.string(), "eam/alloy"), InputError);
  EXPECT_THROW(read_potential(write("tables.txt", small_setfl)), InputError);  // which format?
  EXPECT_THAT(complaint(std::string("\0\1\2\0", 4)), HasSubstr("binary"));
  EXPECT_THROW(write_potential(path("no/such/folder.eam.alloy"), two_elements()), InputError);
}

TEST_F(PotentialFile, TheShortTableOfSc24IsAThinnedOne) {
  const std::string reference = WAFERMARK_SOURCE_DIR "/../shared/data/potentials/W_zhou_short.eam.alloy";
  std::string source;
  try {
    source = find_potential("W_zhou.eam.alloy");
  } catch (const InputError& missing) {
    GTEST_SKIP() << missing.what();
  }
  if (!fs::exists(reference)) GTEST_SKIP() << "no " << reference;
  const auto published = read_potential(reference), made = thin(read_potential(source), 14, 5.52475, 20);
  EXPECT_EQ(made.nr, 501);
  EXPECT_EQ(made.nrho, 501);
  ASSERT_EQ(published.nr, made.nr);
  EXPECT_NEAR(made.dr, published.dr, 1e-16);
  EXPECT_EQ(made.cutoff_angstrom, published.cutoff_angstrom);
  const auto same = [](const std::vector<double>& a, const std::vector<double>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t k = 0; k < a.size(); ++k)
      EXPECT_NEAR(a[k], b[k], 5.1e-9 * std::abs(b[k]) + 1e-22);  // 9 digits
  };
  same(made.embedding[0], published.embedding[0]);
  same(made.density[0][0], published.density[0][0]);
  same(made.r_phi[0][0], published.r_phi[0][0]);
}

TEST_F(PotentialFile, TheExtractedCascadePotentialIsThePublishedOne) {
  const std::string reference =
      WAFERMARK_SOURCE_DIR "/../shared/data/potentials/W_Marinica2013_EAM4_5001.eam.alloy";
  std::string source;
  try {
    source = find_potential("W_marinica2013_eam4.eam.alloy");
  } catch (const InputError& missing) {
    GTEST_SKIP() << missing.what();
  }
  if (!fs::exists(reference)) GTEST_SKIP() << "no " << reference;
  const auto published = read_potential(reference), all = read_potential(source),
             made = thin(all, 20, 0.0, 20);
  EXPECT_TRUE(has_repulsive_core(all));
  ASSERT_EQ(made.nr, published.nr);
  EXPECT_EQ(made.embedding, published.embedding);
  EXPECT_EQ(made.density, published.density);
  EXPECT_EQ(made.r_phi, published.r_phi);
  // table_points of the decks does the same through the cubics.
  const auto resampled = resample(all, 5001, 5001);
  for (std::size_t k = 0; k < 5001; ++k) EXPECT_NEAR(resampled.r_phi[0][0][k], made.r_phi[0][0][k], 1e-7);
}

TEST(Resampling, KeepsACubicExactlyAwayFromTheEnds) {
  PotentialTables t = make_analytic_potential("ackland_thetford_1987", {"W"});
  const auto cubic = [](double r) { return 1.0 - 2.0 * r + 0.5 * r * r - 0.25 * r * r * r; };
  t.nr = 41;
  t.dr = 0.1;
  t.cutoff_angstrom = 4.0;
  t.density[0][0].resize(41);
  for (std::size_t k = 0; k < 41; ++k) t.density[0][0][k] = cubic(0.1 * static_cast<double>(k));
  t.r_phi = t.density;
  const auto fine = resample(t, 401, 0);
  EXPECT_DOUBLE_EQ(fine.dr, 0.01);
  for (std::size_t k = 20; k <= 380; ++k)
    EXPECT_NEAR(fine.density[0][0][k], cubic(0.01 * static_cast<double>(k)), 1e-12);
  EXPECT_EQ(fine.embedding, t.embedding);
  EXPECT_THROW(resample(t, 3, 0), InputError);
}

TEST(Thinning, RefusesWhatLeavesNoTable) {
  const auto t = two_elements();  // 11 distances, 7 densities
  EXPECT_THROW(thin(t, 3, 0.0, 1), InputError);
  EXPECT_THROW(thin(t, 1, 0.0, 2), InputError);
  EXPECT_THROW(thin(t, 0, 0.0, 1), InputError);
  EXPECT_THROW(thin(t, 1, t.cutoff_angstrom + 1.0, 1), InputError);
  EXPECT_EQ(thin(t, 2, 0.0, 1).nr, 6);
}

TEST_F(PotentialFile, TheLibraryLooksInTheUsersFolderBesideTheDeckAndHere) {
  fs::create_directories(folder_ / "deck");
  const auto mine = write("mine.eam.alloy", small_setfl);
  ::setenv("WAFERMARK_POTENTIALS", folder_.c_str(), 1);
  EXPECT_EQ(find_potential("mine.eam.alloy"), mine);
  EXPECT_EQ(find_potential("mine.eam.alloy,mine.eam.alloy"), mine + "," + mine);
  EXPECT_EQ(find_potential(mine), mine);
  const auto beside = write("deck/mine.eam.alloy", small_setfl);
  EXPECT_EQ(find_potential("mine.eam.alloy", path("deck")), beside);
  try {
    find_potential("nowhere.eam.alloy");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr(folder_.string()));
    EXPECT_THAT(error.what(), HasSubstr("fetch_potentials.sh"));
  }
  ::unsetenv("WAFERMARK_POTENTIALS");
}

}  // namespace
}  // namespace wafermark::tungsten

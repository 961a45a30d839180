// LAMMPS data and dump files and extended XYZ: what is written is read back to the last bit on any ranks, and
// a file that is wrong or cut off anywhere is one clear error.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <random>

#include "../../scratch_folder.hpp"
#include "common/errors.hpp"
#include "tungsten_md/io/atom_dealer.hpp"
#include "tungsten_md/io/extended_xyz.hpp"
#include "tungsten_md/io/id_order.hpp"
#include "tungsten_md/io/lammps_data.hpp"
#include "tungsten_md/io/lammps_dump.hpp"

namespace wafermark::tungsten {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct Atom {
  int type;
  Vec3 x, v, f;
  bool operator==(const Atom&) const = default;
};
using ById = std::map<std::int64_t, Atom>;

class TextFiles : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return folder / name; }
  std::string write(const std::string& name, const std::string& text) const {
    return folder.write(name, text);
  }
  std::string content(const std::string& name) const { return folder.content(name); }

  /// 100 atoms of two types with gaps in their ids, dealt out unevenly.
  Configuration sample() const {
    Configuration c;
    c.box = {{-1.0, 0.0, 0.5}, {9.0, 11.0 / 3.0, 7.5}, {true, false, true}};
    c.elements = {"W", "He"};
    c.masses = {183.84, 4.002602};
    c.step = 1234567890123;
    c.time_ps = 0.1 + 0.2;
    for (std::int64_t k = 0; k < 100; ++k) {
      const Atom a = atom(k);
      if (static_cast<int>(k * k % 5) % comm.size() != comm.rank()) continue;
      c.atoms.id.push_back(id(k));
      c.atoms.type.push_back(a.type);
      c.atoms.x.push_back(a.x);
      c.atoms.v.push_back(a.v);
    }
    return c;
  }
  static std::int64_t id(std::int64_t k) { return (k * 37) % 101 * 3 + 1; }
  static Atom atom(std::int64_t k) {
    std::mt19937_64 random(static_cast<std::uint64_t>(k));
    std::uniform_real_distribution<double> u(0.0, 1.0);
    Atom a{static_cast<int>(k % 2), {}, {}, {}};
    a.x = {-1.0 + 10.0 * u(random), -5.0 + 15.0 * u(random), 0.5 + 7.0 * u(random)};
    for (double& c : a.v) c = (u(random) - 0.5) * 1e-3;
    for (double& c : a.f) c = (u(random) - 0.5) * 1e2;
    return a;
  }
  std::vector<Vec3> forces(const Configuration& c) const {
    std::map<std::int64_t, Vec3> of;
    for (std::int64_t k = 0; k < 100; ++k) of[id(k)] = atom(k).f;
    std::vector<Vec3> f;
    for (std::int64_t i : c.atoms.id) f.push_back(of.at(i));
    return f;
  }

  /// All ranks' atoms, by id.
  ById gather(const Configuration& c, const std::vector<Vec3>& f = {}) const {
    std::vector<double> part;
    std::vector<std::int64_t> ids;
    for (std::size_t i = 0; i < c.atoms.size(); ++i) {
      ids.insert(ids.end(), {c.atoms.id[i], c.atoms.type[i]});
      part.insert(part.end(), c.atoms.x[i].begin(), c.atoms.x[i].end());
      part.insert(part.end(), c.atoms.v[i].begin(), c.atoms.v[i].end());
      const Vec3 force = f.empty() ? Vec3{} : f[i];
      part.insert(part.end(), force.begin(), force.end());
    }
    ids = comm.all_gather(ids);
    part = comm.all_gather(part);
    ById all;
    for (std::size_t i = 0; 2 * i < ids.size(); ++i) {
      const double* p = &part[9 * i];
      all[ids[2 * i]] = {
          static_cast<int>(ids[2 * i + 1]), {p[0], p[1], p[2]}, {p[3], p[4], p[5]}, {p[6], p[7], p[8]}};
    }
    EXPECT_EQ(all.size(), ids.size() / 2) << "an atom is on two ranks";
    return all;
  }

  /// The message of the InputError, which must be the same on all ranks and must be one line.
  template <class F>
  std::string error_of(F&& f) const {
    std::string message;
    try {
      f();
    } catch (const std::exception& e) {
      message = e.what();
    }
    std::string root = message;
    comm.broadcast(root);
    EXPECT_EQ(message, root) << "ranks disagree";
    EXPECT_EQ(message.find('\n'), std::string::npos);
    if (const auto at = message.find(folder.path()); at != std::string::npos)
      message.erase(at, folder.path().size() + 1);
    return message;
  }
  std::string data_error(const std::string& text, DataFileDefaults defaults = {}) const {
    write("bad.data", text);
    return error_of([&] { read_lammps_data(comm, path("bad.data"), defaults); });
  }
  std::string dump_error(const std::string& text, std::vector<std::string> elements = {}) const {
    write("bad.dump", text);
    return error_of([&] {
      LammpsDumpReader reader(comm, path("bad.dump"), elements);
      while (reader.next()) {
      }
    });
  }

  Communicator comm;
  ScratchFolder folder{comm};
};

void expect_same_box(const Box& a, const Box& b) {
  EXPECT_EQ(a.lo, b.lo);
  EXPECT_EQ(a.hi, b.hi);
  EXPECT_EQ(a.periodic, b.periodic);
}

TEST_F(TextFiles, DataFilesComeBackToTheLastBit) {
  Configuration c = sample();
  c.box.lo[1] = -6.0;  // an open box that holds all its atoms stays as it is
  c.box.hi[1] = 11.0;
  write_lammps_data(comm, path("a.data"), c);
  const Configuration back =
      read_lammps_data(comm, path("a.data"), {.periodic = c.box.periodic, .elements = {}});
  EXPECT_EQ(gather(back), gather(c));
  expect_same_box(back.box, c.box);
  EXPECT_EQ(back.elements, c.elements);
  EXPECT_EQ(back.masses, c.masses);
  EXPECT_FALSE(fs::exists(path("a.data.tmp")));
}

TEST_F(TextFiles, DumpsComeBackFrameByFrameToTheLastBit) {
  Configuration c = sample();
  const auto f = forces(c);
  write_lammps_dump(comm, path("a.dump"), c, &f);
  c.step += 10;
  write_lammps_dump(comm, path("a.dump"), c, nullptr, {.velocities = false, .append = true});

  LammpsDumpReader reader(comm, path("a.dump"), {"W", "He"});
  const auto first = reader.next(), second = reader.next();
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(gather(first->configuration, first->forces), gather(c, f));
  EXPECT_EQ(first->configuration.time_ps, c.time_ps);
  EXPECT_EQ(first->configuration.step + 10, c.step);
  expect_same_box(first->configuration.box, c.box);
  EXPECT_TRUE(first->has_velocities);
  EXPECT_EQ(second->configuration.step, c.step);
  EXPECT_FALSE(second->has_velocities);
  EXPECT_TRUE(second->forces.empty());
}

TEST_F(TextFiles, DoNotDependOnTheRanks) {
  const Communicator self(MPI_COMM_SELF);
  const Configuration c = sample();
  const auto f = forces(c);
  write_lammps_dump(comm, path("all.dump"), c, &f);
  write_lammps_data(comm, path("all.data"), c);
  write_extended_xyz(comm, path("all.xyz"), c);
  if (comm.is_root()) {
    Configuration whole = c;
    whole.atoms = {};
    std::vector<Vec3> all_forces;
    for (std::int64_t k = 0; k < 100; ++k) {
      const Atom a = atom(k);
      whole.atoms.id.push_back(id(k));
      whole.atoms.type.push_back(a.type);
      whole.atoms.x.push_back(a.x);
      whole.atoms.v.push_back(a.v);
      all_forces.push_back(a.f);
    }
    write_lammps_dump(self, path("one.dump"), whole, &all_forces);
    write_lammps_data(self, path("one.data"), whole);
    write_extended_xyz(self, path("one.xyz"), whole);
  }
  for (const char* kind : {"dump", "data", "xyz"})
    EXPECT_EQ(content(std::string("all.") + kind), content(std::string("one.") + kind)) << kind;
}

TEST_F(TextFiles, ExtendedXyzHasLatticeTimeAndAtoms) {
  Configuration c = sample();
  write_extended_xyz(comm, path("a.xyz"), c);
  write_extended_xyz(comm, path("a.xyz"), c, true);
  const std::string text = content("a.xyz");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2 * 102);
  EXPECT_THAT(
      text, ::testing::StartsWith("100\nLattice=\"10 0 0 0 3.6666666666666665 0 0 0 7\" Origin=\"-1 0 0.5\" "
                                  "pbc=\"T F T\" "
                                  "Properties=species:S:1:pos:R:3:velo:R:3:id:I:1 "
                                  "Time=0.30000000000000004 Step=1234567890123\n"));
}

TEST_F(TextFiles, DataFilesOfOtherProgramsAreRead) {
  const std::string text =
      "comment # 5 atoms\n\n 2 atoms\n0 bonds\n1 atom types\n 0.0 1e1 xlo xhi # x\n0 10 ylo yhi\n-5 5 zlo "
      "zhi\n"
      "0 0 0 xy xz yz\n\nPair Coeffs # eam\n\n1 W 3.5\n\nAtoms\n\n2 1 +1.5 11 -6.0 0 -1 1 # back\n1 1 2.5 "
      "2.5 2.5 0 0 0\n";
  write("other.data", text);
  const Configuration c = read_lammps_data(comm, path("other.data"));
  const ById atoms = gather(c);
  ASSERT_EQ(atoms.size(), 2u);
  EXPECT_EQ(atoms.at(2).x, (Vec3{1.5, 1.0, 4.0})) << "wrapped, image flags dropped";
  EXPECT_EQ(c.elements, std::vector<std::string>{"1"});
  EXPECT_EQ(c.masses, std::vector<double>{0.0});
  EXPECT_EQ(read_lammps_data(comm, path("other.data"), {.elements = {"Ta"}}).elements,
            std::vector<std::string>{"Ta"});
}

TEST_F(TextFiles, DumpsWithScaledUnwrappedAndNamedColumnsAreRead) {
  const std::string frame =
      "ITEM: TIMESTEP\n7\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS pp pp ff\n-1 9\n0 10\n0 20\n";
  write("scaled.dump",
        frame + "ITEM: ATOMS element id c_pe xs ys zs\nHe 3 -8.9 0.25 1.5 0.5\nW 9 -8.9 0.5 0.5 1.5\n");
  LammpsDumpReader scaled(comm, path("scaled.dump"), {"W", "He"});
  const auto frame_1 = scaled.next();
  ASSERT_TRUE(frame_1);
  const ById a = gather(frame_1->configuration);
  EXPECT_EQ(a.at(3).x, (Vec3{1.5, 5.0, 10.0}));
  EXPECT_EQ(a.at(3).type, 1);
  EXPECT_EQ(a.at(9).x, (Vec3{4.0, 5.0, 30.0})) << "open axes are not wrapped";
  expect_same_box(frame_1->configuration.box, {{-1, 0, 0}, {9, 10, 20}, {true, true, false}});

  write("unwrapped.dump", frame + "ITEM: ATOMS id type xu yu zu\n1 2 19 -25 3\n2 1 0 0 0\n");
  LammpsDumpReader unwrapped(comm, path("unwrapped.dump"));
  const auto frame_2 = unwrapped.next();
  ASSERT_TRUE(frame_2);
  EXPECT_EQ(gather(frame_2->configuration).at(1).x, (Vec3{-1.0, 5.0, 3.0}));
  EXPECT_EQ(frame_2->configuration.elements, (std::vector<std::string>{"1", "2"}));
}

const std::string data_head =
    "test\n\n2 atoms\n1 atom types\n\n0 10 xlo xhi\n0 10 ylo yhi\n0 10 zlo zhi\n\nMasses\n\n1 183.84 # W\n\n";

TEST_F(TextFiles, EachFaultOfADataFileIsNamedWithItsLine) {
  const std::string atoms = data_head + "Atoms # atomic\n\n1 1 1 1 1\n2 1 2 2 2\n";
  ASSERT_EQ(data_error(atoms), "");
  EXPECT_EQ(error_of([&] { read_lammps_data(comm, path("none")); }),
            "none: cannot be read: No such file or directory");
  EXPECT_EQ(error_of([&] { read_lammps_data(comm, path(".")); }),
            ".: found a directory, expected a text file of atoms");
  EXPECT_EQ(data_error(""), "bad.data:1: found the end of the file, expected a comment line");
  EXPECT_EQ(data_error("x\n\n2 atoms\n"),
            "bad.data:3: found no line 'N atom types' in the header, expected one");
  EXPECT_EQ(data_error("x\n\n-2 atoms\n"), "bad.data:3: found '-2', expected the number of atoms");
  EXPECT_EQ(data_error("x\n\n2 atoms\n1 atom types\n10 0 xlo xhi\n"),
            "bad.data:5: found '10 0 xlo xhi', expected a lower bound below the upper one");
  EXPECT_EQ(data_error("x\n\n2 atoms\n1 atom types\n1 0 0 xy xz yz\n"),
            "bad.data:5: found a triclinic box, expected an orthogonal box");
  EXPECT_EQ(data_error(data_head + "Atoms # full\n\n"),
            "bad.data:16: found the end of the file, expected the rows of section Atoms");
  EXPECT_EQ(data_error(data_head + "Bonds\n\n"),
            "bad.data:16: found the end of the file, expected section Atoms");
  EXPECT_EQ(data_error(data_head), "bad.data:14: found the end of the file, expected section Atoms");
  EXPECT_EQ(data_error(data_head + "Atoms\n\n1 1 1 1 1\n"),
            "bad.data:17: found the end of the file, expected 1 more rows of section Atoms");
  EXPECT_EQ(data_error(data_head + "Atoms\n\n1 1 1 1 nan\n"),
            "bad.data:16: found 'nan', expected a coordinate");
  EXPECT_EQ(data_error(data_head + "Atoms\n\n1 1 1 1 1e999\n"),
            "bad.data:16: found '1e999', expected a coordinate");
  EXPECT_EQ(data_error(data_head + "Atoms\n\n1 1 1 1 1.5x\n"),
            "bad.data:16: found '1.5x', expected a coordinate");
  EXPECT_EQ(data_error(data_head + "Atoms\n\n0 1 1 1 1\n"),
            "bad.data:16: found '0', expected a positive atom id");
  EXPECT_EQ(data_error(data_head + "Atoms\n\n1 2 1 1 1\n"),
            "bad.data:16: found '2', expected an atom type from 1 to 1");
  EXPECT_EQ(data_error(data_head + "Atoms\n\n1 1 1 1\n"),
            "bad.data:16: found '1 1 1 1', expected 'id type x y z' of an atom");
  EXPECT_EQ(data_error(data_head + "Atoms\n\n1 1 1 1 1\n1 1 2 2 2\n"),
            "bad.data: found atom id 1 twice, expected unique ids");
  EXPECT_EQ(data_error(atoms + "3 1 3 3 3\n"),
            "bad.data:18: found '3 1 3 3 3', expected a section or the end of the file");
  EXPECT_EQ(data_error(atoms + "\nAtoms\n\n1 1 1 1 1\n"),
            "bad.data:19: found section Atoms, expected only one Atoms section");
  EXPECT_EQ(data_error(data_head + "Velocities\n\n1 0 0 0\n"),
            "bad.data:14: found section Velocities, expected Atoms before Velocities");
  EXPECT_EQ(data_error(atoms + "\nVelocities\n\n1 0 0 0\n3 0 0 0\n"),
            "bad.data: found a velocity of atom 3, expected an id of section Atoms");
  EXPECT_EQ(data_error(atoms + "\nVelocities\n\n1 0 0 0\n1 0 0 0\n"),
            "bad.data: found a velocity of atom 1 twice, expected one");
  EXPECT_EQ(
      data_error("x\n\n2 atoms\n1 atom types\n0 1 xlo xhi\n0 1 ylo yhi\n0 1 zlo zhi\n\nMasses\n\n1 -3\n"),
      "bad.data:11: found '-3', expected a positive mass");
  EXPECT_EQ(
      data_error(
          "x\n\n2 atoms\n1 atom types\n0 1 xlo xhi\n0 1 ylo yhi\n0 1 zlo zhi\n\nMasses\n\n1 3 # im\x88\n"),
      "bad.data:11: found 'im?', expected a name of printable ASCII characters");
  EXPECT_EQ(data_error("x\n\n2 atoms\n1 atom types\n0 1 xlo xhi\n0 1 ylo yhi\n0 1 zlo zhi\n\nAtom Type "
                       "Labels\n\n1 \xc3\x85\n"),
            "bad.data:11: found '?"
            "?', expected a name of printable ASCII characters");
  EXPECT_EQ(data_error(atoms, {.elements = {"W", "He"}}),
            "bad.data: found 1 atom types, expected 2 for the elements W,He");
  EXPECT_EQ(data_error(std::string("\x7f"
                                   "ELF\0\1\2\n\n\xff\xfe\n",
                                   12)),
            "bad.data:1: found binary data, expected a text file of atoms");
}

TEST_F(TextFiles, EachFaultOfADumpIsNamedWithItsLine) {
  const std::string head =
      "ITEM: TIMESTEP\n7\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS pp pp pp\n0 10\n0 10\n0 10\n";
  ASSERT_EQ(dump_error(head + "ITEM: ATOMS id type x y z\n1 1 1 1 1\n2 1 2 2 2\n"), "");
  EXPECT_EQ(dump_error("hello\n"), "bad.dump:1: found 'hello', expected a line 'ITEM: ...'");
  EXPECT_EQ(dump_error("ITEM: TIMESTEP\n-1\n"), "bad.dump:2: found '-1', expected a time step");
  EXPECT_EQ(dump_error("ITEM: UNITS\nlj\n"), "bad.dump:2: found 'lj', expected units 'metal'");
  EXPECT_EQ(dump_error("ITEM: BOX BOUNDS xy xz yz pp pp pp\n0 1 0\n0 1 0.1\n0 1 0\n"),
            "bad.dump:3: found a triclinic box, expected an orthogonal box");
  EXPECT_EQ(dump_error("ITEM: ATOMS id type x y z\n"),
            "bad.dump:1: found 'ITEM: ATOMS', expected TIMESTEP, NUMBER OF ATOMS and BOX BOUNDS before it");
  EXPECT_EQ(dump_error(head + "ITEM: ATOMS id type x y\n"),
            "bad.dump:9: found 'ITEM: ATOMS id type x y', expected columns x y z (or xs, xu, xsu)");
  EXPECT_EQ(dump_error(head + "ITEM: ATOMS id type x y z\n1 1 1 1 1 1\n"),
            "bad.dump:10: found 6 columns, expected 5");
  EXPECT_EQ(dump_error(head + "ITEM: ATOMS id element x y z\n1 W\x88 1 1 1\n"),
            "bad.dump:10: found 'W?', expected a name of printable ASCII characters");
  EXPECT_EQ(dump_error(head + "ITEM: ATOMS id type x y z\n1 1 1 1 inf\n"),
            "bad.dump:10: found 'inf', expected a coordinate");
  EXPECT_EQ(dump_error(head + "ITEM: ATOMS id type x y z\n1 1 1 1 1\n"),
            "bad.dump:11: found the end of the file, expected 1 more atoms");
  EXPECT_EQ(dump_error(head + "ITEM: ATOMS id type x y z\n1 1 1 1 1\n1 1 1 1 1\n"),
            "bad.dump: found atom id 1 twice in step 7, expected unique ids");
  EXPECT_EQ(dump_error(head + "ITEM: ATOMS id type x y z\n1 3 1 1 1\n2 1 1 1 1\n", {"W", "He"}),
            "bad.dump:10: found '3', expected an atom type from 1 to 2");
  EXPECT_EQ(dump_error(head + "ITEM: ATOMS id element x y z\n1 Xx 1 1 1\n2 W 1 1 1\n", {"W", "He"}),
            "bad.dump:10: found element 'Xx', expected one of the elements given");
}

TEST_F(TextFiles, AFileCutAnywhereIsAnErrorOrAWholeFrame) {
  Configuration c = sample();
  write_lammps_dump(comm, path("a.dump"), c);
  write_lammps_data(comm, path("a.data"), c);
  const std::string dump = content("a.dump"), data = content("a.data");
  const std::size_t atoms_end = data.find("\nVelocities");
  // Every byte of the headers, then every 97th (a prime, so all places of a row come up).
  for (std::size_t n = 0; n < dump.size(); n += n < 400 ? 1 : 97)
    EXPECT_EQ(dump_error(dump.substr(0, n)).empty(), n == 0) << n << " bytes of the dump";
  for (std::size_t n = 0; n < data.size(); n += n < 400 ? 1 : 97)
    EXPECT_NE(data_error(data.substr(0, n)), "") << n << " bytes of the data file";
  EXPECT_EQ(data_error(data.substr(0, atoms_end)), "") << "a data file may lack velocities";
}

TEST_F(TextFiles, WhatCannotBeWrittenIsAnErrorAndLeavesTheOldFile) {
  const Configuration c = sample();
  EXPECT_THAT(error_of([&] { write_lammps_data(comm, path("no/such/folder/a.data"), c); }),
              ::testing::StartsWith("no/such/folder/a.data: cannot be written: "));
  EXPECT_THAT(error_of([&] { write_extended_xyz(comm, "/dev/full", c, true); }), HasSubstr("/dev/full"));
}

TEST_F(TextFiles, AnyIdsAreOrderedInEqualSharesAndDealtOut) {
  constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  // Dense ids, one outlier, and the largest there are: each rank gets its share of atoms all the same.
  for (const int kind : {0, 1, 2}) {
    const auto id_of = [&](std::int64_t k) {
      return kind == 0 ? k + 1 : kind == 1 ? (k == 99 ? largest : k + 1) : largest - 7 * (99 - k);
    };
    Atoms mine;
    for (std::int64_t k = comm.rank(); k < 100; k += comm.size()) {
      mine.id.push_back(id_of(99 - k));
      mine.type.push_back(0);
      mine.x.push_back({static_cast<double>(99 - k), 0, 0});
      mine.v.push_back({});
    }
    const OrderedAtoms ordered = order_by_id(comm, mine);
    EXPECT_EQ(ordered.total, 100);
    const std::int64_t n = static_cast<std::int64_t>(ordered.atoms.size());
    EXPECT_LE(n, 100 / comm.size() + 1);
    for (std::int64_t i = 0; i < n; ++i) {
      EXPECT_EQ(ordered.atoms.id[static_cast<std::size_t>(i)], id_of(ordered.first_row + i));
      EXPECT_EQ(ordered.atoms.x[static_cast<std::size_t>(i)][0], static_cast<double>(ordered.first_row + i));
    }
    std::int64_t next = 0, taken = 0;
    deal_rows(
        comm, 1,
        [&](std::int64_t& id, double* value) {
          if (next == 100) return false;
          id = id_of(next);
          *value = static_cast<double>(next++);
          return true;
        },
        [&](std::int64_t id, const double* value) {
          EXPECT_EQ(id, id_of(static_cast<std::int64_t>(*value)));
          ++taken;
        });
    EXPECT_EQ(comm.sum(taken), 100);
  }
}

TEST_F(TextFiles, DataFilesBoundAtomsThatLeftAnOpenBox) {
  Configuration c = sample();
  for (Vec3& x : c.atoms.x) x[1] = 3.0;
  for (std::size_t i = 0; i < c.atoms.size(); ++i)
    if (c.atoms.id[i] == id(7)) c.atoms.x[i][1] = 250.0;
  write_lammps_data(comm, path("escaped.data"), c);
  EXPECT_THAT(content("escaped.data"), HasSubstr("\n0 250.001"));
}

}  // namespace
}  // namespace wafermark::tungsten

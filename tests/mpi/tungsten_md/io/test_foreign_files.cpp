// Files as other programs write them: every dialect of LAMMPS data, dumps, extended XYZ and H5MD that carries
// positions in an orthogonal box gives the same atoms; the rest is refused in one line that says what it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "../../scratch_folder.hpp"
#include "common/errors.hpp"
#include "common/hdf5_file.hpp"
#include "tungsten_md/io/close_atoms.hpp"
#include "tungsten_md/io/extended_xyz.hpp"
#include "tungsten_md/io/lammps_dump.hpp"
#include "tungsten_md/io/state_file.hpp"
#include "tungsten_md/io/trajectory.hpp"

namespace wafermark::tungsten {
namespace {

using ::testing::HasSubstr;

struct Place {
  int type;
  Vec3 x;
  bool operator==(const Place&) const = default;
};
using Places = std::map<std::int64_t, Place>;

const std::int64_t largest_id = 9223372036854775807;
const Places two{{1, {0, {1.0, 2.0, 3.0}}}, {7, {1, {4.0, 5.5, 6.0}}}};

class ForeignFiles : public ::testing::Test {
 protected:
  Places places(const Configuration& c) const {
    std::vector<std::int64_t> labels;
    std::vector<double> x;
    for (std::size_t i = 0; i < c.atoms.size(); ++i) {
      labels.insert(labels.end(), {c.atoms.id[i], c.atoms.type[i]});
      x.insert(x.end(), c.atoms.x[i].begin(), c.atoms.x[i].end());
    }
    labels = comm.all_gather(labels);
    x = comm.all_gather(x);
    Places all;
    for (std::size_t k = 0; 2 * k < labels.size(); ++k)
      all[labels[2 * k]] = {static_cast<int>(labels[2 * k + 1]), {x[3 * k], x[3 * k + 1], x[3 * k + 2]}};
    EXPECT_EQ(2 * all.size(), labels.size()) << "an id stands twice";
    return all;
  }
  Configuration read(const std::string& name, const DataFileDefaults& defaults = {}) const {
    const auto state = StateFile::open(comm, folder / name, defaults)->next();
    EXPECT_TRUE(state.has_value());
    return *state;
  }
  Configuration read_text(const std::string& name, const std::string& text,
                          const DataFileDefaults& defaults = {}) const {
    folder.write(name, text);
    return read(name, defaults);
  }
  /// The message of the InputError, the same line on all ranks, without the folder; empty when there is none.
  std::string complaint(const std::string& name, const DataFileDefaults& defaults = {}) const {
    std::string message;
    try {
      const auto file = StateFile::open(comm, folder / name, defaults);
      while (file->next()) {
      }
    } catch (const InputError& e) {
      message = e.what();
    }
    std::string root = message;
    comm.broadcast(root);
    EXPECT_EQ(message, root);
    EXPECT_EQ(message.find('\n'), std::string::npos);
    return message;
  }
  std::string complaint_of_text(const std::string& name, const std::string& text,
                                const DataFileDefaults& defaults = {}) const {
    folder.write(name, text);
    return complaint(name, defaults);
  }

  Communicator comm;
  ScratchFolder folder{comm};
};

// ---- LAMMPS data

const std::string data_head =
    "by hand\n\n2 atoms\n2 atom types\n\n0 10 xlo xhi\n0 10 ylo yhi\n0 10 zlo zhi\n";

TEST_F(ForeignFiles, EveryAtomStyleThatHasPositionsIsRead) {
  // What stands between id and position, with t for the type; what stands behind it.
  struct Style {
    const char *name, *before, *after;
  };
  const Style styles[] = {{"atomic", "t", ""},
                          {"charge", "t -0.5", ""},
                          {"molecular", "4 t", ""},
                          {"bond", "4 t", ""},
                          {"angle", "4 t", ""},
                          {"full", "4 t -0.5", ""},
                          {"sphere", "t 1.5 2.5", ""},
                          {"ellipsoid", "t 0 2.5", ""},
                          {"dipole", "t 0.0", "1 0 0"},
                          {"spin", "t", "0 0 1 2.2"},
                          {"electron", "t 1.0 1 0.5", ""},
                          {"template", "t 4 1 1", ""},
                          {"bpm/sphere", "4 t 1.0 1.0", ""},
                          {"hybrid", "t", "0.5 1.5 2 2"},
                          {"peri", "t 1.0 2.0", ""},
                          {"smd", "t 4 1 1 1 1 0 0 0", ""}};
  const auto row = [](const Style& s, const char* id, const char* type, const char* x, const char* flags) {
    std::string before = s.before;
    before.replace(before.find('t'), 1, type);
    return std::string(id) + " " + before + " " + x + " " + s.after + flags + "\n";
  };
  for (const Style& s : styles)
    for (const char* flags : {"", " 0 -1 2"}) {
      const std::string text = data_head + "\nAtoms # " + s.name + "\n\n" + row(s, "1", "1", "1 2 3", flags) +
                               row(s, "7", "2", "4 5.5 6", flags);
      EXPECT_EQ(places(read_text("a.data", text)), two) << s.name << flags;
      const bool first_styles = &s - styles < 9;  // a section that names no style
      if (first_styles) {
        EXPECT_EQ(places(read_text("b.data", data_head + "\nAtoms\n\n" + row(s, "1", "1", "1 2 3", flags) +
                                                 row(s, "7", "2", "4 5.5 6", flags))),
                  two)
            << s.name << " without its name" << flags;
      }
    }
}

TEST_F(ForeignFiles, ASectionThatFitsTwoStylesIsRefused) {
  // type 1 with charge 2, or type 2 of molecule 1?
  EXPECT_THAT(complaint_of_text("a.data", data_head + "\nAtoms\n\n1 1 2 1 2 3\n7 2 1 4 5 6\n"),
              HasSubstr("which atom styles charge and molecular have both"));
  // Only one of them fits all rows so far.
  EXPECT_EQ(places(read_text("a.data", data_head + "\nAtoms\n\n1 1 0.0 1 2 3\n7 2 1 4 5.5 6\n")), two);
  EXPECT_THAT(complaint_of_text("a.data", data_head + "\nAtoms # oxdna\n\n1 1 2 1 2 3\n"),
              HasSubstr("atom style 'oxdna'"));
  EXPECT_THAT(complaint_of_text("a.data", data_head + "\nAtoms # charge\n\n1 1 1 2 3\n"),
              HasSubstr("columns of an atom of style 'charge'"));
}

TEST_F(ForeignFiles, LabelsOtherSectionsAndCommentsAreUnderstood) {
  const std::string text =
      "LAMMPS data file via write_data # made in 2025\r\n\r\n2 atoms # two\r\n2 atom types\r\n1 bonds\r\n1 "
      "bond "
      "types\r\n2 extra bond per atom\r\n0 10 xlo xhi\r\n0 10 ylo yhi\r\n0 10 zlo zhi\r\n-9.6e-16 1e-9 0 xy "
      "xz "
      "yz\r\n\r\nAtom Type Labels\r\n\r\n1 W\r\n2 He\r\n\r\nBond Type Labels\r\n\r\n1 "
      "W-He\r\n\r\nMasses\r\n\r\nW "
      "183.84\r\nHe 4.0026\r\n\r\nBond Coeffs # harmonic\r\n\r\nW-He 1 2\r\n\r\nAtoms # full\r\n\r\n7 1 He "
      "0.0 4 "
      "5.5 6 0 0 0\r\n1 1 W 0.0 1 2 3 0 0 0\r\n\r\nVelocities\r\n\r\n1 1 0 0\r\n7 0 2 "
      "0\r\n\r\nBonds\r\n\r\n1 1 1 "
      "7\r\n";
  const Configuration c = read_text("a.data", text);
  EXPECT_EQ(places(c), two);
  EXPECT_EQ(c.elements, (std::vector<std::string>{"W", "He"}));
  EXPECT_EQ(c.masses, (std::vector<double>{183.84, 4.0026}));
  if (comm.is_root()) {
    EXPECT_THAT(c.notes, ::testing::Contains(HasSubstr("section Bonds")));
  }
  EXPECT_THAT(complaint("a.data", {.elements = {"He", "W"}}), HasSubstr("type 1 to be W, expected He"));
}

TEST_F(ForeignFiles, TiltsAreZeroOrRefused) {
  const std::string atoms = "\nAtoms # atomic\n\n1 1 1 2 3\n7 2 4 5.5 6\n";
  EXPECT_EQ(places(read_text("a.data", data_head + "1e-13 -2e-15 0 xy xz yz\n" + atoms)), two);
  EXPECT_THAT(complaint_of_text("a.data", data_head + "1e-3 0 0 xy xz yz\n" + atoms), HasSubstr("triclinic"));
  EXPECT_THAT(complaint_of_text("a.data", data_head + "nan 0 0 xy xz yz\n" + atoms), HasSubstr("'nan"));
  EXPECT_THAT(complaint_of_text("a.data", data_head + "1 0 0 avec\n" + atoms),
              HasSubstr("general triclinic"));
}

TEST_F(ForeignFiles, AMissingLastNewlineIsReadWithANoteUnlessAProgramAlwaysWritesIt) {
  const std::string atoms = "\nAtoms # atomic\n\n1 1 1 2 3\n7 2 4 5.5 6";
  const Configuration c = read_text("a.data", data_head + atoms);
  EXPECT_EQ(places(c), two);
  if (comm.is_root()) {
    EXPECT_THAT(c.notes, ::testing::Contains(HasSubstr("cut off?")));
  }
  EXPECT_THAT(complaint_of_text("a.data", "LAMMPS data file via write_data" + data_head.substr(7) + atoms),
              HasSubstr("cut off?"));
  EXPECT_NE(complaint_of_text("a.data", data_head + "\nAtoms # atomic\n\n1 1 1 2 3\n7 2 4 5.5"), "");
}

// ---- dumps

const std::string dump_head = "ITEM: TIMESTEP\n5\nITEM: NUMBER OF ATOMS\n2\n";
const std::string dump_box = "ITEM: BOX BOUNDS pp pp pp\n0 10\n0 10\n0 10\n";

TEST_F(ForeignFiles, DumpsOfAnyColumnsAreRead) {
  const Places numbered{{1, {0, {1.0, 2.0, 3.0}}}, {2, {1, {4.0, 5.5, 6.0}}}};
  for (const char* columns :
       {"type x y z", "type q xu yu zu", "mol type xs ys zs", "type xsu ysu zsu", "type x yu zs"}) {
    std::string text = dump_head + dump_box + "ITEM: ATOMS " + columns + " \n";
    const std::string c(columns);
    const bool scaled = c.find("xs") != std::string::npos;
    for (const auto& [id, place] : two) {
      text += (c.starts_with("mol") ? "3 " : "") + std::to_string(place.type + 1) +
              (c.find(" q ") != std::string::npos ? " 0.5" : "");
      for (int d = 0; d < 3; ++d)
        text += " " + std::to_string(place.x[d] / (scaled || (c.ends_with("zs") && d == 2) ? 10.0 : 1.0));
      text += " \n";
    }
    const Configuration read = read_text("a.dump", text);
    for (const auto& [id, place] : places(read)) {
      EXPECT_EQ(place.type, numbered.at(id).type) << columns;
      for (int d = 0; d < 3; ++d) EXPECT_NEAR(place.x[d], numbered.at(id).x[d], 1e-12) << columns;
    }
    EXPECT_FALSE(read.ids_known);
  }
  EXPECT_EQ(places(read_text("a.dump", dump_head + dump_box + "ITEM: ATOMS x y z\n1 2 3\n4 5 6")).size(), 2u);
  EXPECT_THAT(complaint("a.dump", {.elements = {"W", "He"}}), HasSubstr("a column type or element"));
}

TEST_F(ForeignFiles, BoxesOfDumpsAreOrthogonalOrRefused) {
  const std::string atoms = "ITEM: ATOMS id type x y z\n1 1 1 2 3\n7 2 4 5.5 6\n\n";
  EXPECT_EQ(
      places(read_text("a.dump", "ITEM: UNITS\nmetal\nITEM: TIME\n2.5\n" + dump_head +
                                     "ITEM: BOX BOUNDS xy xz yz pp pp ff\n0 10 1e-16\n0 10 0\n0 10 -1e-10\n" +
                                     atoms)),
      two);
  EXPECT_EQ(read("a.dump").box.periodic, (std::array<bool, 3>{true, true, false}));
  EXPECT_EQ(read("a.dump").time_ps, 2.5);
  EXPECT_THAT(
      complaint_of_text("a.dump",
                        dump_head + "ITEM: BOX BOUNDS xy xz yz pp pp pp\n0 10 0.1\n0 10 0\n0 10 0\n" + atoms),
      HasSubstr("triclinic"));
  EXPECT_THAT(complaint_of_text(
                  "a.dump",
                  dump_head + "ITEM: BOX BOUNDS abc origin pp pp pp\n10 0 0 0\n0 10 0 0\n0 0 10 0\n" + atoms),
              HasSubstr("general triclinic"));
  EXPECT_THAT(complaint_of_text("a.dump", "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ENTRIES\n3\n"),
              HasSubstr("dump local"));
  EXPECT_THAT(
      complaint_of_text(
          "a.dump", dump_head + dump_box + "ITEM: ATOMS id type element x y z\n1 1 He 1 2 3\n7 2 W 4 5 6\n",
          {.elements = {"W", "He"}}),
      HasSubstr("type 1 to be 'He', expected W"));
}

TEST_F(ForeignFiles, IdsKeepEveryBitInEveryFormat) {
  const std::string big = std::to_string(largest_id), other = std::to_string(largest_id - 1);
  const Places expected{{largest_id, {0, {1, 2, 3}}}, {largest_id - 1, {0, {4, 5, 6}}}, {1, {0, {7, 8, 9}}}};
  const std::string three =
      "x\n\n3 atoms\n1 atom types\n0 10 xlo xhi\n0 10 ylo yhi\n0 10 zlo zhi\n\nAtoms # atomic\n\n";
  Configuration c = read_text("a.data", three + big + " 1 1 2 3\n" + other + " 1 4 5 6\n1 1 7 8 9\n");
  EXPECT_EQ(places(c), expected);
  c.masses = {183.84};
  write_lammps_data(comm, folder / "b.data", c);
  write_lammps_dump(comm, folder / "b.dump", c);
  write_extended_xyz(comm, folder / "b.xyz", c);
  {
    auto writer = TrajectoryWriter::create(comm, folder / "b.h5", c);
    writer.append(c);
  }
  for (const char* name : {"b.data", "b.dump", "b.xyz", "b.h5"})
    EXPECT_EQ(places(read(name)), expected) << name;
  for (const char* bad : {"9223372036854775808", "0", "-5", "1.5", "1e3", ""})
    EXPECT_NE(complaint_of_text("bad.data", three + bad + " 1 1 2 3\n2 1 4 5 6\n3 1 7 8 9\n"), "") << bad;
}

// ---- extended XYZ

TEST_F(ForeignFiles, TheDialectsOfExtendedXyzAreRead) {
  const Places numbered{{1, {0, {1.0, 2.0, 3.0}}}, {2, {1, {4.0, 5.5, 6.0}}}};
  const std::string lattice = "Lattice=\"10.0 0.0 0.0 0.0 10.0 1e-16 0.0 0.0 10.0\"";
  const char* const by_ase =
      " Properties=species:S:1:pos:R:3:forces:R:3 energy=-8.9 config_type=\"a b\" free_energy pbc=\"T T F\"";
  EXPECT_EQ(places(read_text("a.xyz", "2\n" + lattice + by_ase + "\nW 1 2 3 0 0 0\nHe 4 5.5 6 0 0 0\n")),
            numbered);
  EXPECT_EQ(read("a.xyz").elements, (std::vector<std::string>{"W", "He"}));
  EXPECT_EQ(read("a.xyz").box.periodic, (std::array<bool, 3>{true, true, false}));
  // OVITO: columns in another order, an origin, no quotes where none are needed.
  EXPECT_EQ(places(read_text("b.xyz",
                             "2\n" + lattice +
                                 " Origin=\"0 0 0\" Timestep=7 Time=0.5 "
                                 "Properties=id:I:1:pos:R:3:velo:R:3:species:S:1 pbc=\"T T T\"\n"
                                 "7 4 5.5 6 0 1 0 He\n1 1 2 3 1 0 0 W\n",
                             {.elements = {"W", "He"}})),
            two);
  EXPECT_EQ(read("b.xyz").step, 7);
  EXPECT_EQ(places(read_text(
                "c.xyz",
                "2\nProperties=pos:R:3:Z:I:1 lattice=[[10, 0, 0], [0, 10, 0], [0, 0, 10]] pbc=[T, T, T]\n"
                "1 2 3 74\n4 5.5 6 2\n")),
            numbered);
  // Two frames, numbers as species, no last newline, CRLF.
  folder.write("d.xyz", "2\r\n" + lattice + "\r\n1 1 2 3\r\n2 4 5.5 6\r\n2\r\n" + lattice +
                            "\r\n1 1 2 3\r\n2 4 5.5 6");
  const auto file = StateFile::open(comm, folder / "d.xyz");
  EXPECT_EQ(places(*file->next()), numbered);
  EXPECT_EQ(places(*file->next()), numbered);
  EXPECT_FALSE(file->next());
}

TEST_F(ForeignFiles, WhatXyzDoesNotSayIsRefused) {
  const auto error = [&](const std::string& text) { return complaint_of_text("a.xyz", text); };
  EXPECT_THAT(error("1\nproperties of W\nW 1 2 3\n"), HasSubstr("no Lattice"));
  EXPECT_THAT(error("1\nLattice=\"10 0 0 2 10 0 0 0 10\"\nW 1 2 3\n"), HasSubstr("triclinic"));
  EXPECT_THAT(error("1\nLattice=\"10 0 0 0 10 0 0 0\"\nW 1 2 3\n"), HasSubstr("expected Lattice="));
  EXPECT_THAT(error("1\nLattice=\"10 0 0 0 -10 0 0 0 10\"\nW 1 2 3\n"), HasSubstr(":2: "));
  EXPECT_THAT(error("1\nLattice=\"10 0 0 0 10 0 0 0 10\" Properties=species:S:1\nW\n"), HasSubstr("pos:R:3"));
  EXPECT_THAT(error("1\nLattice=\"10 0 0 0 10 0 0 0 10\" Properties=pos:R:99999999999\nW\n"),
              HasSubstr("columns"));
  EXPECT_THAT(error("1\nLattice=\"10 0 0 0 10 0 0 0 10\" pbc=\"yes\"\nW 1 2 3\n"), HasSubstr("pbc"));
  EXPECT_THAT(error("2\nLattice=\"10 0 0 0 10 0 0 0 10\"\nW 1 2 3\n"), HasSubstr("1 more atoms"));
  EXPECT_THAT(error("1\nLattice=\"10 0 0 0 10 0 0 0 10\"\nW 1 2 nan\n"), HasSubstr(":3: found 'nan'"));
  EXPECT_THAT(error("1\nLattice=\"10 0 0 0 10 0 0 0 10\"\n\xc3\x85 1 2 3\n"), HasSubstr(":3: found '?"
                                                                                        "?'"));
  EXPECT_THAT(error("1\nLattice=\"10 0 0 0 10 0 0 0 10\nW 1 2 3\n"), HasSubstr(":2: "));
}

// ---- compressed, and what is no file of atoms

TEST_F(ForeignFiles, CompressedFilesOfEveryFormatAreRead) {
  for (const char* program : {"gzip", "bzip2", "xz", "zstd --rm"}) {
    folder.write("a", dump_head + dump_box + "ITEM: ATOMS id type x y z\n1 1 1 2 3\n7 2 4 5.5 6\n");
    int failed = 0;
    if (comm.is_root())
      failed = std::system((std::string(program) + " -q -f -c " + (folder / "a") + " > " +
                            (folder / "packed") + " 2>/dev/null")
                               .c_str());
    comm.broadcast(failed);
    if (failed != 0) continue;
    EXPECT_EQ(places(read("packed")), two) << program;
    const std::string packed = folder.content("packed");
    folder.write("cut", packed.substr(0, packed.size() - 6));
    EXPECT_NE(complaint("cut"), "") << program;
  }
}

TEST_F(ForeignFiles, WhatIsNoTextOfAtomsIsCalledByItsName) {
  const auto error = [&](const std::string& text) { return complaint_of_text("a", text); };
  EXPECT_THAT(error("CDF\2 and more"), HasSubstr("a NetCDF file"));
  EXPECT_THAT(error(std::string("\xf8\xff\xff\xff\xff\xff\xff\xff"
                                "DUMPATOM\0\0\0",
                                19)),
              HasSubstr("a binary dump"));
  EXPECT_THAT(error("LammpS RestartT\n"), HasSubstr("a binary restart file"));
  EXPECT_THAT(error("Number of particles = 2\nA = 1.0 Angstrom\n"), HasSubstr("AtomEye"));
  EXPECT_THAT(error("---\ncreator: LAMMPS\n"), HasSubstr("YAML"));
  EXPECT_THAT(error("version https://git-lfs.github.com/spec/v1\n"), HasSubstr("git-lfs pointer"));
  EXPECT_THAT(error(std::string(64, '\0')), HasSubstr("binary data"));
  EXPECT_NE(error(""), "");
}

// ---- two atoms in one place

TEST_F(ForeignFiles, TwoAtomsInOnePlaceAreFoundThroughEveryFace) {
  const auto error = [&](const std::string& a, const std::string& b,
                         std::array<bool, 3> periodic = {true, true, true}) {
    const Configuration c = read_text(
        "a.data", data_head + "\nAtoms # atomic\n\n9 1 " + a + "\n4 1 " + b + "\n", {.periodic = periodic});
    try {
      require_atoms_apart(comm, c, "a.data");
    } catch (const InputError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_THAT(error("1 2 3", "1 2 3"), HasSubstr("a.data: atoms 4 and 9 are 0 Angstrom apart"));
  EXPECT_THAT(error("1.2499 2 3", "1.2501 2 3"), HasSubstr("atoms 4 and 9"))
      << "across a face of the search's cells";
  EXPECT_THAT(error("0.004 0.001 9.999", "9.999 9.998 0.001"), HasSubstr("atoms 4 and 9"))
      << "through three faces";
  EXPECT_EQ(error("0.004 5 5", "9.999 5 5", {false, true, true}), "") << "an open face";
  EXPECT_EQ(error("1 2 3", "1.02 2 3"), "");
  Configuration crowd = read("a.data");
  crowd.atoms = {};
  for (std::int64_t k = comm.rank(); k < 5000; k += comm.size()) {
    crowd.atoms.id.push_back(k + 1);
    crowd.atoms.x.push_back({5, 5, 5});
  }
  EXPECT_THROW(require_atoms_apart(comm, crowd, "crowd"), InputError);
}

// ---- H5MD

/// Two atoms as other programs store them; `spoil` changes the file before it is closed.
template <class Spoil>
void write_h5md(const Communicator& comm, const std::string& path, const std::string& group,
                const Spoil& spoil) {
  Hdf5File file = Hdf5File::create(comm, path);
  file.make_group("/h5md");
  file.set_attribute("/h5md", "version", std::vector<int>{1, 1});
  file.make_group(group + "/box");
  file.set_attribute(group + "/box", "dimension", 3);
  file.set_attribute(group + "/box", "boundary", std::vector<std::string>{"periodic", "periodic", "periodic"},
                     TextLayout::variable);
  spoil(file);
  file.commit();
}

TEST_F(ForeignFiles, H5mdOfOthersIsRead) {
  const std::vector<float> x{1, 2, 3, 4, 5.5, 6};
  const Rows two_rows = Rows::of(comm, comm.is_root() ? 2 : 0),
             three = Rows::of(comm, comm.is_root() ? 3 : 0);
  const auto mine = [&](auto values) { return comm.is_root() ? values : decltype(values){}; };
  const Places numbered{{1, {0, {1.0, 2.0, 3.0}}}, {2, {0, {4.0, 5.5, 6.0}}}};
  // A fixed box of three lengths, single precision, no ids, another name of the group, three frames.
  write_h5md(comm, folder / "a.h5", "/particles/trajectory", [&](Hdf5File& file) {
    file.write("/particles/trajectory/box/edges", mine(std::vector<double>{10, 10, 10}), three);
    for (int k = 0; k < 3; ++k) {
      file.append_frame("/particles/trajectory/position/value", mine(x), two_rows, 3);
      file.append_scalar("/particles/trajectory/position/step", 10 * k);
      file.append_scalar("/particles/trajectory/position/time", 0.5 * k);
    }
  });
  const auto frames = StateFile::open(comm, folder / "a.h5");
  for (int k = 0; k < 3; ++k) {
    const auto c = frames->next();
    ASSERT_TRUE(c.has_value());
    EXPECT_EQ(places(*c), numbered);
    EXPECT_EQ(c->step, 10 * k);
    EXPECT_EQ(c->box.hi, (Vec3{10, 10, 10}));
    EXPECT_FALSE(c->ids_known);
  }
  EXPECT_FALSE(frames->next());

  // Everything fixed, a matrix with rounding, nm, ids from 0; and a second group beside it.
  const auto fixed = [&](const std::string& group, double tilt) {
    return [&, group, tilt](Hdf5File& file) {
      file.write(group + "/box/edges", mine(std::vector<double>{1, tilt, 0, 0, 1, 0, 0, 0, 1}), three, 3);
      file.set_attribute(group + "/box/edges", "unit", "nm", TextLayout::variable);
      file.write(group + "/position", mine(std::vector<double>{0.1, 0.2, 0.3, 0.4, 0.5, 0.6}), two_rows, 3);
      file.set_attribute(group + "/position", "unit", "nm", TextLayout::variable);
      file.write(group + "/id", mine(std::vector<std::int64_t>{0, 1}), two_rows);
    };
  };
  write_h5md(comm, folder / "b.h5", "/particles/W", fixed("/particles/W", 3e-17));
  EXPECT_NEAR(read("b.h5").box.hi[2], 10.0, 1e-12);
  for (const auto& [id, place] : places(read("b.h5"))) EXPECT_NEAR(place.x[0], id == 1 ? 1.0 : 4.0, 1e-12);
  write_h5md(comm, folder / "c.h5", "/particles/W", fixed("/particles/W", 0.1));
  EXPECT_THAT(complaint("c.h5"), HasSubstr("triclinic"));
  write_h5md(comm, folder / "d.h5", "/particles/W", [&](Hdf5File& file) {
    fixed("/particles/W", 0.0)(file);
    file.make_group("/particles/He/box");
  });
  EXPECT_THAT(complaint("d.h5"), HasSubstr("found particles He, W, expected --particles"));
  EXPECT_EQ(complaint("d.h5", {.particles = "W"}), "");
  EXPECT_THAT(complaint("d.h5", {.particles = "Ta"}), HasSubstr("no particles 'Ta'"));
  EXPECT_THAT(complaint("d.h5", {.elements = {"W", "He"}, .particles = "W"}),
              HasSubstr("no names of elements"));
}

TEST_F(ForeignFiles, DamagedTextOfH5mdIsRefusedInsteadOfFollowedForEver) {
  const Rows three = Rows::of(comm, comm.is_root() ? 3 : 0);
  write_h5md(comm, folder / "a.h5", "/particles/all", [&](Hdf5File& file) {
    file.write("/particles/all/box/edges",
               comm.is_root() ? std::vector<double>{1, 1, 1} : std::vector<double>{}, three);
  });
  std::string bytes = folder.content("a.h5");
  const std::size_t heap = bytes.find("GCOL");
  ASSERT_NE(heap, std::string::npos);
  // The free space behind the heap's last text: index 0, and a size that is then 0, on which HDF5 1.10 loops.
  std::size_t at = heap + 16;
  while (bytes[at] != 0 || bytes[at + 1] != 0)
    at += 16 + (static_cast<unsigned char>(bytes[at + 8]) + 7) / 8 * 8;
  for (std::size_t k = 0; k < 8; ++k) bytes[at + 8 + k] = 0;
  folder.write("b.h5", bytes);
  EXPECT_EQ(
      Hdf5File::open(comm, folder / "a.h5").text_list_attribute("/particles/all/box", "boundary").size(), 3u);
  EXPECT_THAT(complaint("b.h5"), HasSubstr("'boundary' cannot be read: its text is damaged"));
}

}  // namespace
}  // namespace wafermark::tungsten

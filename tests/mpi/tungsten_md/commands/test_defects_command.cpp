// `tungsten_md defects` on every kind of file gives the defects that were put into the crystal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "../../scratch_folder.hpp"
#include "common/errors.hpp"
#include "tungsten_md/commands/defects.hpp"
#include "tungsten_md/io/checkpoint.hpp"
#include "tungsten_md/io/lammps_data.hpp"
#include "tungsten_md/io/lammps_dump.hpp"
#include "tungsten_md/io/trajectory.hpp"

namespace wafermark::tungsten {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const Lattice crystal = make_lattice(LatticeKind::bcc, 3.1652, {6, 5, 4});

class DefectsCommand : public ::testing::Test {
 protected:
  /// The crystal with `pairs` atoms put beside others; atoms are dealt to the ranks by id.
  Configuration state(int pairs, std::array<bool, 3> periodic = {true, true, true}) const {
    Configuration c = build_crystal(crystal, periodic, "W", 183.84);
    for (int k = 0; k < pairs; ++k) {
      c.atoms.x[10 * k] = c.atoms.x[120 + 10 * k];
      c.atoms.x[10 * k][0] += 0.9;
    }
    Atoms mine;
    for (std::size_t i = 0; i < c.atoms.size(); ++i) {
      if (c.atoms.id[i] % comm.size() != comm.rank()) continue;
      mine.id.push_back(c.atoms.id[i]);
      mine.type.push_back(0);
      mine.x.push_back(c.atoms.x[i]);
      mine.v.push_back({});
    }
    c.atoms = mine;
    c.step = 100 * pairs;
    return c;
  }

  /// Runs the command with --out; its table as JSON.
  json columns(std::vector<std::string> arguments) const {
    run(arguments);
    return json::parse(folder.content("out/defects.json")).at("series").at("columns");
  }
  void run(std::vector<std::string> arguments) const {
    CLI::App app;
    std::function<int()> action;
    add_defects_command(app, action);
    arguments.insert(arguments.begin(), "defects");
    arguments.insert(arguments.end(), {"--out", folder / "out"});
    std::reverse(arguments.begin(), arguments.end());
    app.parse(arguments);
    EXPECT_EQ(action(), 0);
  }
  std::string error_of(const std::vector<std::string>& arguments) const {
    try {
      run(arguments);
    } catch (const InputError& e) {
      return e.what();
    }
    return "";
  }

  Communicator comm;
  ScratchFolder folder{comm};
};

TEST_F(DefectsCommand, ATrajectoryKnowsItsCrystal) {
  const std::string path = folder / "a.h5";
  {
    auto writer = TrajectoryWriter::create(comm, path, state(0), {.lattice = crystal});
    for (int pairs : {0, 3, 1}) {
      Configuration c = state(pairs);
      c.step = static_cast<std::int64_t>(writer.frames());
      writer.append(c);
    }
  }
  EXPECT_EQ(columns({path}).at("vacancies"), (json{0, 3, 1}));
  EXPECT_EQ(columns({path}).at("interstitials"), (json{0, 3, 1}));
  EXPECT_EQ(columns({path, "--frame", "1"}).at("vacancies"), (json{3}));
  EXPECT_EQ(columns({path, "--reference", path}).at("vacancies"), (json{0, 3, 1}));
  EXPECT_THAT(error_of({path, "--frame", "3"}), HasSubstr("expected at least 4"));
  EXPECT_THAT(error_of({path, "--frame", "7"}), HasSubstr("found 3 frames, expected frame 7"));
  EXPECT_THAT(error_of({path, "--frame", "-1"}), HasSubstr("found '-1'"));
  const json result = json::parse(folder.content("out/result.json"));
  EXPECT_EQ(result.at("command"), "defects");
}

TEST_F(DefectsCommand, ACheckpointKnowsItsCrystalToo) {
  Checkpoint c;
  c.configuration = state(2);
  c.x_reference = c.configuration.atoms.x;
  c.forces.resize(c.x_reference.size());
  c.lattice = crystal;
  write_checkpoint(comm, folder / "c.h5", c);
  EXPECT_EQ(columns({folder / "c.h5"}).at("vacancies"), json{2});
}

TEST_F(DefectsCommand, DumpsAndDataFilesNeedALatticeOrAReference) {
  write_lammps_dump(comm, folder / "a.dump", state(0));
  write_lammps_dump(comm, folder / "a.dump", state(4), nullptr, {.velocities = false, .append = true});
  write_lammps_data(comm, folder / "a.data", state(2));
  write_lammps_data(comm, folder / "perfect.data", state(0));
  EXPECT_EQ(columns({folder / "a.dump", "--lattice", "bcc", "--a", "3.1652"}).at("vacancies"), (json{0, 4}));
  EXPECT_EQ(columns({folder / "a.dump", "--lattice", "bcc", "--cells", "6,5,4"}).at("vacancies"),
            (json{0, 4}));
  EXPECT_EQ(columns({folder / "a.dump", "--reference", folder / "perfect.data"}).at("vacancies"),
            (json{0, 4}));
  EXPECT_EQ(columns({folder / "a.data", "--lattice", "bcc", "--a", "3.1652"}).at("replacements"), json{0});
  EXPECT_THAT(error_of({folder / "a.data"}),
              HasSubstr("expected --lattice with --a or --cells, or --reference"));
  EXPECT_THAT(error_of({folder / "a.data", "--lattice", "bcc"}),
              HasSubstr("expected cells, or the lattice constant"));
  EXPECT_THAT(error_of({folder / "a.data", "--lattice", "bcc", "--a", "3.0"}), HasSubstr("found a box of"));
  EXPECT_THAT(error_of({folder / "a.data", "--lattice", "hcp", "--a", "3.0"}),
              HasSubstr("expected sc, bcc or fcc"));
  EXPECT_THAT(error_of({folder / "none"}), HasSubstr("cannot be read"));
}

TEST_F(DefectsCommand, AnOpenCrystalIsFoundByItsFirstPlanes) {
  const std::array<bool, 3> open{false, false, false};
  Configuration c = state(2, open);
  for (Vec3& x : c.atoms.x) x[0] += 17.0;
  c.box.hi[0] += 40.0;
  write_lammps_data(comm, folder / "slab.data", c);
  const json table = columns({folder / "slab.data", "--boundary", "open,open,open", "--lattice", "bcc", "--a",
                              "3.1652", "--cells", "6,5,4"});
  EXPECT_EQ(table.at("vacancies"), json{2});
  EXPECT_EQ(table.at("outside"), json{0});
}

TEST_F(DefectsCommand, AReferenceIsStrainedIntoTheBoxOfTheFrame) {
  write_lammps_data(comm, folder / "perfect.data", state(0));
  Configuration longer = state(2);
  const double strain = 1.05;
  longer.box.hi[1] = longer.box.lo[1] + strain * longer.box.length(1);
  for (Vec3& x : longer.atoms.x) x[1] = longer.box.lo[1] + strain * (x[1] - longer.box.lo[1]);
  write_lammps_data(comm, folder / "longer.data", longer);
  const json table = columns({folder / "longer.data", "--reference", folder / "perfect.data"});
  EXPECT_EQ(table.at("vacancies"), json{2});
}

TEST_F(DefectsCommand, DoesNotWriteOverTheResultsOfARun) {
  const std::string path = folder.write("out/trajectory.dump", "");
  EXPECT_THAT(error_of({folder.path() + "/out/trajectory.dump"}), HasSubstr("expected another"));
}

}  // namespace
}  // namespace wafermark::tungsten

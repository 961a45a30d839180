#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>

#include "../../scratch_folder.hpp"
#include "common/errors.hpp"
#include "tungsten_md/io/trajectory.hpp"

namespace wafermark::tungsten {
namespace {

const Lattice lattice = make_lattice(LatticeKind::bcc, 3.1652, {4, 3, 2});

class Trajectory : public ::testing::Test {
 protected:
  /// Frame k of a crystal that shakes; atoms change ranks and order from frame to frame.
  Configuration frame(std::int64_t k) const {
    const Configuration whole = build_crystal(lattice, {true, true, false}, "W", 183.84);
    Configuration part = whole;
    part.atoms = {};
    part.step = 100 * k;
    part.time_ps = 0.25 * static_cast<double>(k);
    for (std::size_t i = whole.atoms.size(); i-- > 0;) {
      const std::int64_t id = whole.atoms.id[i];
      if ((id + k) % comm.size() != comm.rank()) continue;
      part.atoms.id.push_back(id);
      part.atoms.type.push_back(0);
      part.atoms.x.push_back(position(k, id));
      part.atoms.v.push_back({0.1 * static_cast<double>(id), static_cast<double>(k), -1.0});
    }
    return part;
  }
  static Vec3 position(std::int64_t k, std::int64_t id) {
    std::mt19937_64 random(static_cast<std::uint64_t>(1000 * k + id));
    std::uniform_real_distribution<double> uniform(-0.3, 0.3);
    Vec3 x = lattice.position(id - 1);
    for (double& c : x) c += uniform(random);
    return x;
  }
  void expect_frame(const Configuration& c, std::int64_t k, double tolerance) const {
    EXPECT_EQ(c.step, 100 * k);
    EXPECT_EQ(c.time_ps, 0.25 * static_cast<double>(k));
    EXPECT_EQ(comm.sum(static_cast<std::int64_t>(c.atoms.size())), lattice.size());
    for (std::size_t i = 0; i < c.atoms.size(); ++i)
      for (int d = 0; d < 3; ++d) EXPECT_NEAR(c.atoms.x[i][d], position(k, c.atoms.id[i])[d], tolerance);
    const auto ids = comm.all_gather(c.atoms.id);
    EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  }
  TrajectoryOptions options(bool single = false) const {
    return {.velocities = true, .single_precision = single, .lattice = lattice};
  }

  Communicator comm;
  ScratchFolder folder{comm};
};

TEST_F(Trajectory, FramesComeBackInIdOrderWhoeverHeldTheAtoms) {
  {
    auto writer = TrajectoryWriter::create(comm, folder / "a.h5", frame(0), options());
    for (int k = 0; k < 4; ++k) writer.append(frame(k), {{"temperature", 300.0 + k}, {"energy", -8.9}});
    EXPECT_EQ(writer.frames(), 4u);
  }
  const TrajectoryReader reader(comm, folder / "a.h5");
  ASSERT_EQ(reader.frames(), 4u);
  for (int k = 0; k < 4; ++k) {
    const Configuration c = reader.read(static_cast<std::uint64_t>(k));
    expect_frame(c, k, 0.0);
    EXPECT_EQ(c.elements, std::vector<std::string>{"W"});
    EXPECT_EQ(c.masses, std::vector<double>{183.84});
    EXPECT_EQ(c.box.periodic, (std::array{true, true, false}));
    EXPECT_DOUBLE_EQ(c.box.length(0), 4 * 3.1652);
    for (std::size_t i = 0; i < c.atoms.size(); ++i)
      EXPECT_EQ(c.atoms.v[i], (Vec3{0.1 * static_cast<double>(c.atoms.id[i]), static_cast<double>(k), -1.0}));
  }
  ASSERT_TRUE(reader.lattice().has_value());
  EXPECT_EQ(reader.lattice()->cells, lattice.cells);
  EXPECT_EQ(reader.lattice()->kind, lattice.kind);
  EXPECT_THROW(reader.read(4), InputError);
}

TEST_F(Trajectory, SinglePrecisionIsGoodToAMillionthOfTheBox) {
  {
    auto writer = TrajectoryWriter::create(comm, folder / "a.h5", frame(0), options(true));
    writer.append(frame(3));
  }
  expect_frame(TrajectoryReader(comm, folder / "a.h5").read(0), 3, 1e-5);
}

TEST_F(Trajectory, GoesOnAfterTheCheckpointOfARestart) {
  {
    auto writer = TrajectoryWriter::create(comm, folder / "a.h5", frame(0), options());
    for (int k : {0, 1, 2, 9})
      writer.append(frame(k), {{"energy", k}});  // the last frame came after the checkpoint
  }
  {
    auto writer = TrajectoryWriter::resume(comm, folder / "a.h5", 250);
    EXPECT_EQ(writer.frames(), 3u);
    writer.append(frame(3), {{"energy", 3.0}});
    EXPECT_THROW(writer.append(frame(4), {{"other", 3.0}}), std::runtime_error);
  }
  const TrajectoryReader reader(comm, folder / "a.h5");
  ASSERT_EQ(reader.frames(), 4u);
  for (int k = 0; k < 4; ++k) expect_frame(reader.read(static_cast<std::uint64_t>(k)), k, 0.0);
  const Hdf5File file = Hdf5File::open(comm, folder / "a.h5");
  EXPECT_EQ(file.read_scalars<double>("/observables/energy/value"), (std::vector{0.0, 1.0, 2.0, 3.0}));
  EXPECT_EQ(file.read_scalars<std::int64_t>("/particles/all/velocity/step"),
            (std::vector<std::int64_t>{0, 100, 200, 300}));
}

TEST_F(Trajectory, AFrameThatWasNotFinishedIsDropped) {
  {
    auto writer = TrajectoryWriter::create(comm, folder / "a.h5", frame(0), options());
    writer.append(frame(0));
    writer.append(frame(1));
  }
  {
    // What a killed run leaves: positions of a third frame, but not its step.
    Hdf5File file = Hdf5File::open_to_append(comm, folder / "a.h5");
    const auto n = static_cast<std::uint64_t>(lattice.size());
    const Rows rows{n, 0, comm.is_root() ? n : 0};
    file.append_frame("/particles/all/position/value", std::vector<double>(3 * rows.count, 7.0), rows, 3);
  }
  EXPECT_EQ(TrajectoryReader(comm, folder / "a.h5").frames(), 2u);
  {
    auto writer = TrajectoryWriter::resume(comm, folder / "a.h5", 1000);
    EXPECT_EQ(writer.frames(), 2u);
    writer.append(frame(2));
  }
  const TrajectoryReader reader(comm, folder / "a.h5");
  ASSERT_EQ(reader.frames(), 3u);
  expect_frame(reader.read(2), 2, 0.0);
}

TEST_F(Trajectory, AClosedFileIsGoneOnWithInPlaceAnyOtherIsWrittenAnew) {
  for (const bool closed : {true, false}) {
    for (const bool single : {true, false}) {
      {
        auto writer = TrajectoryWriter::create(comm, folder / "a.h5", frame(0), options(single));
        for (int k : {0, 1, 2}) writer.append(frame(k), {{"energy", k}});
        if (closed) writer.close();
      }
      comm.barrier();
      std::filesystem::remove(folder / "former.h5");
      comm.barrier();
      if (comm.is_root()) std::filesystem::create_hard_link(folder / "a.h5", folder / "former.h5");
      comm.barrier();
      auto writer = TrajectoryWriter::resume(comm, folder / "a.h5", 150, 2);
      EXPECT_EQ(writer.frames(), 2u);
      EXPECT_EQ(std::filesystem::equivalent(folder / "a.h5", folder / "former.h5"), closed);
      writer.append(frame(2), {{"energy", 2}});
      writer.close();
      const TrajectoryReader reader(comm, folder / "a.h5");
      ASSERT_EQ(reader.frames(), 3u);
      for (int k = 0; k < 3; ++k)
        expect_frame(reader.read(static_cast<std::uint64_t>(k)), k, single ? 1e-5 : 0.0);
      EXPECT_EQ(reader.lattice()->cells, lattice.cells);
      const Hdf5File file = Hdf5File::open(comm, folder / "a.h5");
      EXPECT_EQ(file.read_scalars<double>("/observables/energy/value"), (std::vector{0.0, 1.0, 2.0}));
    }
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "a.damaged.h5"));
}

TEST_F(Trajectory, DamagedFramesGoTheOthersStayAndTheFileIsSetAside) {
  for (const bool closed : {true, false}) {
    {
      auto writer = TrajectoryWriter::create(comm, folder / "a.h5", frame(0), options());
      for (int k : {0, 1, 2, 3}) writer.append(frame(k));
      if (closed) writer.close();
    }
    // In the last frame before the checkpoint a bit has turned.
    std::string content = folder.content("a.h5");
    const double x = position(2, 1)[0] - frame(0).box.lo[0];
    const auto at = content.find(std::string(reinterpret_cast<const char*>(&x), sizeof x));
    ASSERT_NE(at, std::string::npos);
    content[at + 2] ^= 4;
    folder.write("a.h5", content);
    {
      auto writer = TrajectoryWriter::resume(comm, folder / "a.h5", 200, 3);
      EXPECT_EQ(writer.frames(), 2u);
      writer.append(frame(3));
      writer.close();
    }
    const TrajectoryReader reader(comm, folder / "a.h5");
    ASSERT_EQ(reader.frames(), 3u);
    for (int k : {0, 1, 2}) expect_frame(reader.read(static_cast<std::uint64_t>(k)), k == 2 ? 3 : k, 0.0);
    EXPECT_EQ(folder.content(closed ? "a.damaged.h5" : "a.damaged-2.h5"), content);
  }
}

TEST_F(Trajectory, ARestartBeforeTheFirstFrameBeginsAnew) {
  {
    auto writer = TrajectoryWriter::create(comm, folder / "a.h5", frame(0), options());
    writer.append(frame(5));
  }
  auto writer = TrajectoryWriter::resume(comm, folder / "a.h5", 10);
  EXPECT_EQ(writer.frames(), 0u);
  writer.append(frame(1));
  EXPECT_EQ(writer.frames(), 1u);
}

TEST_F(Trajectory, AtomsThatDifferFromTheFirstFrameAreAnError) {
  auto writer = TrajectoryWriter::create(comm, folder / "a.h5", frame(0), options());
  Configuration other = frame(0);
  for (auto& id : other.atoms.id)
    if (id == 5) id = 10000;
  EXPECT_THROW(writer.append(other), std::runtime_error);
}

TEST_F(Trajectory, OfAnotherProgramWithoutIdsAndWithBoxLengthsOnlyIsRead) {
  {
    Hdf5File file = Hdf5File::create(comm, folder / "other.h5");
    file.make_group("/h5md");
    file.make_group("/particles/all/box");
    file.set_attribute("/particles/all/box", "boundary", std::vector<std::string>(3, "periodic"));
    const Rows two{2, 0, comm.is_root() ? 2u : 0u}, three{3, 0, comm.is_root() ? 3u : 0u};
    file.append_frame("/particles/all/position/value", std::vector<float>{1, 2, 3, 4, 5, 26}, two, 3);
    file.append_frame("/particles/all/box/edges/value", std::vector<float>{10, 11, 12}, three, 0);
    file.append_scalar("/particles/all/position/step", 7);
    file.append_scalar("/particles/all/position/time", 0.5F);
    file.commit();
  }
  const Configuration c = TrajectoryReader(comm, folder / "other.h5").read(0);
  EXPECT_EQ(c.step, 7);
  EXPECT_EQ(c.box.hi, (Vec3{10, 11, 12}));
  EXPECT_EQ(comm.all_gather(c.atoms.id), (std::vector<std::int64_t>{1, 2}));
  if (c.atoms.size() > 0) {
    EXPECT_EQ(c.atoms.x.back(), c.atoms.id.back() == 1 ? (Vec3{1, 2, 3}) : (Vec3{4, 5, 2})) << "wrapped";
  }
}

TEST_F(Trajectory, OtherFilesAreErrors) {
  EXPECT_THROW(TrajectoryReader(comm, folder / "none.h5"), InputError);
  folder.write("text.h5", "ITEM: TIMESTEP\n");
  EXPECT_THROW(TrajectoryReader(comm, folder / "text.h5"), InputError);
  EXPECT_THROW(TrajectoryWriter::resume(comm, folder / "text.h5", 0), InputError);
  Configuration unnamed = frame(0);
  unnamed.elements = {"W\x88"};
  TrajectoryWriter::create(comm, folder / "name.h5", unnamed, options()).append(unnamed, {});
  EXPECT_THROW(TrajectoryReader(comm, folder / "name.h5"), InputError);
  { Hdf5File::create(comm, folder / "empty.h5").commit(); }
  EXPECT_THROW(TrajectoryReader(comm, folder / "empty.h5"), InputError);
  EXPECT_THROW(TrajectoryWriter::resume(comm, folder / "empty.h5", 0), InputError);
}

TEST_F(Trajectory, CutOffAnywhereNeverCrashes) {
  {
    auto writer = TrajectoryWriter::create(comm, folder / "a.h5", frame(0), options());
    writer.append(frame(0));
    writer.append(frame(1));
  }
  const std::string content = folder.content("a.h5");
  for (std::size_t n = 0; n < content.size(); n += content.size() / 60) {
    folder.write("cut.h5", content.substr(0, n));
    EXPECT_THROW(TrajectoryReader(comm, folder / "cut.h5"), InputError) << n << " bytes";
    if (n % 4 == 0)
      EXPECT_THROW(TrajectoryWriter::resume(comm, folder / "cut.h5", 100, 2), InputError) << n << " bytes";
  }
}

TEST_F(Trajectory, FollowsTheH5mdSpecification) {
#ifdef WAFERMARK_PYTHON_H5PY
  {
    auto writer = TrajectoryWriter::create(comm, folder / "a.h5", frame(0), options());
    for (int k = 0; k < 3; ++k) writer.append(frame(k), {{"temperature", 300.0}});
  }
  comm.barrier();
  if (comm.is_root()) {
    const std::string command = std::string(WAFERMARK_PYTHON_H5PY) +
                                " " WAFERMARK_SOURCE_DIR
                                "/tests/mpi/tungsten_md/io/check_h5md.py --frames 3 --atoms 48 " +
                                (folder / "a.h5");
    EXPECT_EQ(std::system(command.c_str()), 0);
  }
  comm.barrier();
#else
  GTEST_SKIP() << "no Python with h5py was found when the tests were configured";
#endif
}

}  // namespace
}  // namespace wafermark::tungsten

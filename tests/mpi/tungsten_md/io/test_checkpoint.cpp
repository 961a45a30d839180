// A checkpoint gives back every bit, on any ranks, and never gives back anything else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <random>

#include "../../scratch_folder.hpp"
#include "common/errors.hpp"
#include "tungsten_md/io/checkpoint.hpp"

namespace wafermark::tungsten {
namespace {

using ::testing::HasSubstr;

class CheckpointFile : public ::testing::Test {
 protected:
  /// Ranks hold different numbers of atoms, in no order; the last of several ranks holds none.
  Checkpoint sample(std::uint64_t seed = 1) const {
    Checkpoint c;
    Configuration& state = c.configuration;
    state.box = {{0, -1, 0}, {10, 1.0 / 3.0, 30}, {true, false, true}};
    state.elements = {"W", "He"};
    state.masses = {183.84, 4.002602};
    state.step = 123456789012;
    state.time_ps = 0.1 + 0.2;
    std::mt19937_64 random(seed * 100 + static_cast<std::uint64_t>(comm.rank()));
    std::normal_distribution<double> normal(0.0, 10.0);
    const int n = comm.size() > 1 && comm.rank() == comm.size() - 1 ? 0 : 40 + 7 * comm.rank();
    for (int k = 0; k < n; ++k) {
      state.atoms.id.push_back(1 + comm.rank() + comm.size() * ((k * 11) % 1000));
      state.atoms.type.push_back(k % 2);
      state.atoms.x.push_back({normal(random), normal(random), normal(random)});
      state.atoms.v.push_back({normal(random), -0.0, 5e-324});
      c.x_reference.push_back({normal(random), normal(random), normal(random)});
      c.forces.push_back({normal(random), normal(random), 0.0});
    }
    c.rank_grid = {1, comm.size(), 1};
    c.numbers = {{"energy_ev", -1.0 / 3.0}, {"tiny", 5e-324}, {"broken", std::nan("")}};
    c.counters = {{"rebuilds", 42}, {"random", std::numeric_limits<std::int64_t>::max()}};
    c.deck = "title = \"caf\u00e9\"\n[run]\nsteps = 5\n";
    c.lattice = make_lattice(LatticeKind::fcc, 3.615, {3, 4, 5});
    c.run = {{"time_ps", 0.1 + 0.2}};
    return c;
  }

  /// "" or the message, the same one line on all ranks, of reading the file with this content.
  std::string error_of(const std::string& content) const {
    folder.write("damaged.h5", content);
    std::string message;
    try {
      read_checkpoint(comm, folder / "damaged.h5");
    } catch (const InputError& e) {
      message = e.what();
      EXPECT_THAT(message, HasSubstr("damaged.h5"));
    }
    std::string root = message;
    comm.broadcast(root);
    EXPECT_EQ(message, root) << "ranks disagree";
    EXPECT_EQ(message.find('\n'), std::string::npos);
    return message;
  }

  Communicator comm;
  ScratchFolder folder{comm};
};

bool same_bits(const std::vector<Vec3>& a, const std::vector<Vec3>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(Vec3)) == 0);
}

TEST_F(CheckpointFile, GivesEveryRankItsAtomsInTheirOrder) {
  const Checkpoint c = sample();
  write_checkpoint(comm, folder / "a.h5", c);
  const Checkpoint back = read_checkpoint(comm, folder / "a.h5");
  EXPECT_EQ(back.configuration.atoms.id, c.configuration.atoms.id);
  EXPECT_EQ(back.configuration.atoms.type, c.configuration.atoms.type);
  EXPECT_TRUE(same_bits(back.configuration.atoms.x, c.configuration.atoms.x));
  EXPECT_TRUE(same_bits(back.configuration.atoms.v, c.configuration.atoms.v))
      << "signed zeros and denormals too";
  EXPECT_TRUE(same_bits(back.x_reference, c.x_reference));
  EXPECT_TRUE(same_bits(back.forces, c.forces));
  EXPECT_EQ(back.configuration.box.lo, c.configuration.box.lo);
  EXPECT_EQ(back.configuration.box.hi, c.configuration.box.hi);
  EXPECT_EQ(back.configuration.box.periodic, c.configuration.box.periodic);
  EXPECT_EQ(back.configuration.step, c.configuration.step);
  EXPECT_EQ(back.configuration.time_ps, c.configuration.time_ps);
  EXPECT_EQ(back.configuration.elements, c.configuration.elements);
  EXPECT_EQ(back.configuration.masses, c.configuration.masses);
  EXPECT_EQ(back.rank_grid, c.rank_grid);
  EXPECT_EQ(back.counters, c.counters);
  EXPECT_EQ(back.deck, c.deck);
  EXPECT_EQ(back.run, c.run);
  EXPECT_EQ(read_checkpoint_header(comm, folder / "a.h5").at("run"), c.run);
  ASSERT_TRUE(back.lattice.has_value());
  EXPECT_EQ(back.lattice->origin, c.lattice->origin);
  EXPECT_EQ(back.numbers.at("energy_ev"), c.numbers.at("energy_ev"));
  EXPECT_EQ(back.numbers.at("tiny"), c.numbers.at("tiny"));
  EXPECT_TRUE(std::isnan(back.numbers.at("broken")));
}

TEST_F(CheckpointFile, MayLackForces) {
  Checkpoint c = sample();
  c.forces.clear();
  write_checkpoint(comm, folder / "a.h5", c);
  EXPECT_TRUE(read_checkpoint(comm, folder / "a.h5").forces.empty());
}

TEST_F(CheckpointFile, OnAnotherNumberOfRanksEveryAtomIsThereOnce) {
  const Checkpoint c = sample();
  write_checkpoint(comm, folder / "a.h5", c);
  const Communicator self(MPI_COMM_SELF);
  const std::vector<std::int64_t> ids = comm.all_gather(c.configuration.atoms.id);
  const Checkpoint alone = read_checkpoint(self, folder / "a.h5");
  EXPECT_EQ(alone.configuration.atoms.id, ids) << "in the order of the ranks";

  MPI_Comm half_comm;
  const int upper = 2 * comm.rank() >= comm.size();
  MPI_Comm_split(comm.raw(), upper, comm.rank(), &half_comm);
  {
    const Communicator half(half_comm);
    const Checkpoint part = read_checkpoint(half, folder / "a.h5");
    EXPECT_EQ(half.all_gather(part.configuration.atoms.id), ids);
    EXPECT_EQ(part.x_reference.size(), part.configuration.atoms.size());
    EXPECT_EQ(part.forces.size(), part.configuration.atoms.size());
  }
  MPI_Comm_free(&half_comm);
}

TEST_F(CheckpointFile, ReplacesTheOldOneOnlyWhenComplete) {
  write_checkpoint(comm, folder / "a.h5", sample());
  Checkpoint next = sample(2);
  next.configuration.step += 1;
  write_checkpoint(comm, folder / "a.h5", next);
  EXPECT_EQ(read_checkpoint(comm, folder / "a.h5").configuration.step, next.configuration.step);
  EXPECT_EQ(previous_checkpoint(folder / "a.h5"), folder / "a.previous.h5");
  EXPECT_EQ(read_checkpoint(comm, folder / "a.previous.h5").configuration.step, next.configuration.step - 1);
  EXPECT_FALSE(std::filesystem::exists(folder / "a.h5.tmp"));
  EXPECT_ANY_THROW(write_checkpoint(comm, folder / "no/such/folder/a.h5", next));
}

TEST_F(CheckpointFile, CutOffAnywhereIsAnError) {
  write_checkpoint(comm, folder / "a.h5", sample());
  const std::string content = folder.content("a.h5");
  ASSERT_EQ(error_of(content), "");
  for (std::size_t n = 0; n < content.size(); n += n < 64 ? 1 : content.size() / 150)
    EXPECT_NE(error_of(content.substr(0, n)), "") << n << " of " << content.size() << " bytes";
}

TEST_F(CheckpointFile, ADamagedByteInTheDataIsAnError) {
  const Checkpoint c = sample();
  write_checkpoint(comm, folder / "a.h5", c);
  const std::string content = folder.content("a.h5");
  // Where rank 0's first velocity lies in the file, and the header's text.
  const double vx =
      comm.all_gather(c.configuration.atoms.v.empty() ? 0.0 : c.configuration.atoms.v[0][0]).front();
  char bytes[sizeof vx];
  std::memcpy(bytes, &vx, sizeof vx);
  for (std::size_t place :
       {content.find(std::string(bytes, sizeof vx)), content.find("\"step\": 123456789012") + 12}) {
    ASSERT_NE(place, std::string::npos);
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = content;
      damaged[place] = static_cast<char>(damaged[place] ^ (1 << bit));
      EXPECT_THAT(error_of(damaged), HasSubstr("damaged")) << "bit " << bit << " of byte " << place;
    }
  }
}

TEST_F(CheckpointFile, AnyDamagedByteGivesTheSameStateOrAnError) {
  const Checkpoint c = sample();
  write_checkpoint(comm, folder / "a.h5", c);
  const std::string content = folder.content("a.h5");
  for (std::size_t place = 0; place < content.size();
       place += std::max<std::size_t>(1, content.size() / 200)) {
    std::string damaged = content;
    damaged[place] = static_cast<char>(damaged[place] ^ 0x10);
    if (!error_of(damaged).empty()) continue;
    const Checkpoint back = read_checkpoint(comm, folder / "damaged.h5");  // an unused byte of the file
    EXPECT_TRUE(same_bits(back.configuration.atoms.x, c.configuration.atoms.x)) << "byte " << place;
    EXPECT_TRUE(same_bits(back.forces, c.forces)) << "byte " << place;
    EXPECT_EQ(back.configuration.step, c.configuration.step) << "byte " << place;
  }
}

TEST_F(CheckpointFile, OtherFilesAreErrors) {
  EXPECT_THAT(error_of(""), HasSubstr("damaged.h5"));
  EXPECT_THAT(error_of("LAMMPS data file\n\n2 atoms\n"), HasSubstr("damaged.h5"));
  EXPECT_THROW(read_checkpoint(comm, folder / "none.h5"), InputError);
  EXPECT_THROW(read_checkpoint(comm, folder.path()), InputError);
}

}  // namespace
}  // namespace wafermark::tungsten

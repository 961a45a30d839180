// Parallel HDF5: distributed arrays and time series, with ranks that hold nothing, and damaged files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/errors.hpp"
#include "common/hdf5_file.hpp"

namespace wafermark {
namespace {

namespace fs = std::filesystem;

class Hdf5 : public ::testing::Test {
 protected:
  Communicator comm;
  std::string path;
  void SetUp() override {
    path = (fs::temp_directory_path() / ("wafermark_" + std::to_string(getpid()) + ".h5")).string();
    comm.broadcast(path);
  }
  void TearDown() override {
    comm.barrier();
    if (comm.is_root()) {
      fs::remove(path);
      fs::remove(path + ".tmp");
    }
  }
  /// Rank r holds r rows, so rank 0 holds none (unless it is alone).
  Rows rows() const { return Rows::of(comm, static_cast<std::uint64_t>(comm.size() == 1 ? 3 : comm.rank())); }
  std::vector<double> values(const Rows& r, double scale) const {
    std::vector<double> v;
    for (std::uint64_t k = 0; k < 3 * r.count; ++k) v.push_back(scale * static_cast<double>(3 * r.first + k));
    return v;
  }
};

TEST_F(Hdf5, ArraysAndSeriesComeBackOnEveryRank) {
  const Rows mine = rows();
  {
    auto f = Hdf5File::create(comm, path);
    f.write("/a/b/x", values(mine, 1.0), mine, 3, true);
    f.set_attribute("/a/b/x", "unit", "Angstrom");
    f.set_attribute("/a", "count", std::int64_t{42});
    f.set_attribute("/a", "edges", std::vector<double>{1, 2, 3});
    f.set_attribute("/a", "boundary", std::vector<std::string>{"periodic", "none"});
    for (int frame = 0; frame < 3; ++frame) {
      f.append_frame("/t/value", values(mine, frame), mine, 3);
      f.append_scalar("/t/time", 0.5 * frame);
    }
    f.link("/t/time", "/t2/time");
    EXPECT_FALSE(fs::exists(path));
    f.commit();
  }
  auto f = Hdf5File::open(comm, path);
  EXPECT_EQ(f.read<double>("/a/b/x", mine, 3), values(mine, 1.0));
  EXPECT_EQ(f.text_attribute("/a/b/x", "unit"), "Angstrom");
  EXPECT_EQ(f.attribute<std::int64_t>("/a", "count"), 42);
  EXPECT_EQ(f.attribute_list<double>("/a", "edges"), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(f.text_list_attribute("/a", "boundary"), (std::vector<std::string>{"periodic", "none"}));
  EXPECT_EQ(f.shape("/t/value"), (std::vector<std::uint64_t>{3, mine.total, 3}));
  EXPECT_EQ(f.read_frame<double>("/t/value", 2, mine, 3), values(mine, 2.0));
  EXPECT_EQ(f.read_scalars<double>("/t2/time"), (std::vector<double>{0, 0.5, 1}));
  EXPECT_THROW(f.read<double>("/missing", mine, 3), InputError);
  EXPECT_THROW(f.read<double>("/a/b/x", mine, 4), InputError);
  EXPECT_THROW(f.read_frame<double>("/t/value", 3, mine, 3), InputError);
}

TEST_F(Hdf5, AppendingGoesOnAndTruncatingDropsFrames) {
  const Rows mine = rows();
  {
    auto f = Hdf5File::create(comm, path);
    f.append_frame("/v", values(mine, 1.0), mine, 3);
    f.append_frame("/v", values(mine, 2.0), mine, 3);
    f.commit();
  }
  {
    auto f = Hdf5File::open_to_append(comm, path);
    f.truncate_frames("/v", 1);
    f.append_frame("/v", values(mine, 7.0), mine, 3);
  }
  auto f = Hdf5File::open(comm, path);
  EXPECT_EQ(f.shape("/v")[0], 2u);
  EXPECT_EQ(f.read_frame<double>("/v", 1, mine, 3), values(mine, 7.0));
}

TEST_F(Hdf5, AnAbandonedFileLeavesNothingAndKeepsTheOldOne) {
  {
    auto f = Hdf5File::create(comm, path);
    f.set_attribute("/", "version", 1);
    f.commit();
  }
  {
    auto f = Hdf5File::create(comm, path);
    f.set_attribute("/", "version", 2);
  }
  comm.barrier();
  EXPECT_FALSE(fs::exists(path + ".tmp"));
  EXPECT_EQ(Hdf5File::open(comm, path).attribute<int>("/", "version"), 1);
}

TEST_F(Hdf5, WhatIsNotAFileIsSaidInOneLine) {
  const auto message = [&] {
    try {
      Hdf5File::open(comm, path);
    } catch (const InputError& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(message(), ::testing::HasSubstr("found no such file"));
  if (comm.is_root()) std::ofstream(path) << "not HDF5 at all";
  comm.barrier();
  EXPECT_THAT(message(), ::testing::HasSubstr("found another kind of file"));
  EXPECT_THROW(Hdf5File::create(comm, "/nonexistent/x.h5"), InputError);
}

TEST_F(Hdf5, DamagedDataAreNotTakenForData) {
  const Rows mine = rows();
  {
    auto f = Hdf5File::create(comm, path);
    f.write("/x", std::vector<double>(3 * mine.count, 1.25), mine, 3, true);
    f.commit();
  }
  if (comm.is_root()) {
    // Flips a bit of one of the stored 1.25s.
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(file)), {});
    const double needle = 1.25;
    const auto at = bytes.find(std::string(reinterpret_cast<const char*>(&needle), sizeof needle));
    ASSERT_NE(at, std::string::npos);
    file.clear();
    file.seekp(static_cast<std::streamoff>(at + 3));
    file.put(static_cast<char>(bytes[at + 3] ^ 4));
  }
  comm.barrier();
  auto f = Hdf5File::open(comm, path);
  EXPECT_THROW(f.read<double>("/x", mine, 3), InputError);
}

/// An array of 8-byte numbers whose shape is [rows][3] and of which nothing is stored.
void write_unstored(const std::string& path, hsize_t rows) {
  const hsize_t shape[] = {rows, 3}, chunk[] = {1024, 3};
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t space = H5Screate_simple(2, shape, nullptr), made = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(made, 2, chunk);
  H5Dclose(H5Dcreate2(file, "/x", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, made, H5P_DEFAULT));
  H5Pclose(made);
  H5Sclose(space);
  H5Fclose(file);
}

TEST_F(Hdf5, AShapeThatTheFileCannotHoldTakesNoMemory) {
  for (const hsize_t rows : {hsize_t{1} << 24, hsize_t{1} << 40}) {
    if (comm.is_root()) write_unstored(path, rows);
    comm.barrier();
    const auto f = Hdf5File::open(comm, path);
    const Rows all{rows, 0, comm.is_root() ? rows : 0};
    EXPECT_THAT([&] { f.read<double>("/x", all, 3); },
                ::testing::ThrowsMessage<InputError>(::testing::HasSubstr("its shape is damaged")));
    comm.barrier();
  }
}

TEST_F(Hdf5, ASmallArrayOfWhichNothingIsStoredReadsAsZeros) {
  if (comm.is_root()) write_unstored(path, 1024);
  comm.barrier();
  EXPECT_EQ(Hdf5File::open(comm, path).read<double>("/x", {1024, 0, 1}, 3), (std::vector<double>{0, 0, 0}));
}

}  // namespace
}  // namespace wafermark

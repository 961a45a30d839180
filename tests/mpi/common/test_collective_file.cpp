// Texts that ranks write together stand in the file whole, whichever ranks write at the same time.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/collective_file.hpp"

namespace wafermark {
namespace {

namespace fs = std::filesystem;

/// Of 50 to 69 bytes: pieces that no page or buffer begins with.
std::string line(int rank, int round) {
  return std::string(static_cast<std::size_t>(50 + (7 * rank + round) % 20),
                     static_cast<char>('a' + rank % 26));
}

TEST(CollectiveFile, NoRankOverwritesWhatAnotherWrote) {
  const Communicator comm;
  std::string path =
      (fs::temp_directory_path() / ("wafermark_" + std::to_string(getpid()) + ".txt")).string();
  comm.broadcast(path);
  constexpr int rounds = 150;  // one in twenty went wrong where gaps were filled by reading
  for (int round = 0; round < rounds; ++round) {
    std::string expected;
    std::int64_t offset = 0;
    for (int part = 0; part < 2; ++part)
      for (int rank = 0; rank < comm.size(); ++rank) expected += line(rank, round + part);
    {
      CollectiveFile file(comm, path, "the file");
      for (int part = 0; part < 2; ++part) {
        const std::string mine = line(comm.rank(), round + part);
        const auto size = static_cast<std::int64_t>(mine.size());
        file.write_at(offset + comm.exclusive_scan(size), mine);
        offset += comm.sum(size);
      }
    }
    if (comm.is_root()) {
      std::ifstream in(path, std::ios::binary);
      EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), expected) << "round " << round;
      in.close();
      fs::remove(path);
    }
    comm.barrier();
  }
}

}  // namespace
}  // namespace wafermark

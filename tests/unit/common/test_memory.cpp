// What is left of a node's memory, from made-up /proc and /sys trees, and what does not fit.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <new>
#include <stdexcept>

#include "common/errors.hpp"
#include "common/memory.hpp"

namespace wafermark {
namespace {

namespace fs = std::filesystem;

struct Node : ::testing::Test {
  fs::path root = fs::temp_directory_path() / ("wafermark_memory_" + std::to_string(getpid()));
  ~Node() override { fs::remove_all(root); }
  void put(const std::string& path, const std::string& text) const {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text;
  }
  FreeMemory free() const { return free_memory_of_node(root.string()); }
};

TEST_F(Node, LeavesWhatTheKernelCallsAvailable) {
  put("proc/meminfo", "MemTotal:       24000000 kB\nMemFree:  1000 kB\nMemAvailable:   20000000 kB\n");
  EXPECT_DOUBLE_EQ(free().bytes, 2.048e10);
  EXPECT_EQ(free().bound, "free memory");
}

TEST_F(Node, WithoutProcKnowsNoBound) { EXPECT_EQ(free().bytes, std::numeric_limits<double>::infinity()); }

TEST_F(Node, ObeysTheTightestCgroupOfVersion2AndCountsCacheAsFree) {
  put("proc/meminfo", "MemAvailable: 20000000 kB\n");
  put("proc/self/cgroup", "0::/job/step\n");
  put("sys/fs/cgroup/job/step/memory.max", "max\n");
  put("sys/fs/cgroup/job/step/memory.current", "500\n");
  put("sys/fs/cgroup/job/memory.max", "1000000\n");
  put("sys/fs/cgroup/job/memory.current", "700000\n");
  put("sys/fs/cgroup/job/memory.stat", "anon 500000\ninactive_file 150000\nactive_file 50000\n");
  EXPECT_DOUBLE_EQ(free().bytes, 500000.0);
  EXPECT_EQ(free().bound, "cgroup limit");
}

TEST_F(Node, SeesTheLimitOfAContainerWhoseGroupIsTheMountItself) {
  put("proc/self/cgroup", "0::/../outside\n");
  put("sys/fs/cgroup/memory.max", "3000\n");
  put("sys/fs/cgroup/memory.current", "1000\n");
  EXPECT_DOUBLE_EQ(free().bytes, 2000.0);
}

TEST_F(Node, ObeysCgroupsOfVersion1) {
  put("proc/self/cgroup", "5:cpu,cpuacct:/job\n4:memory:/job\n");
  put("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "9000\n");
  put("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "8000\n");
  put("sys/fs/cgroup/memory/job/memory.stat",
      "inactive_file 1\ntotal_inactive_file 2000\ntotal_active_file 0\n");
  EXPECT_DOUBLE_EQ(free().bytes, 3000.0);
}

TEST(Memory, OfAProcessIsWhatItsLimitsLeave) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer's shadow takes more address space than the limit";
#endif
  rlimit before{};
  getrlimit(RLIMIT_AS, &before);
  const rlimit tight{rlim_t{1} << 40, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_AS, &tight), 0);
  const FreeMemory left = free_memory_of_process();
  setrlimit(RLIMIT_AS, &before);
  EXPECT_LT(left.bytes, double(rlim_t{1} << 40));
  EXPECT_GT(left.bytes, 0.9 * double(rlim_t{1} << 40));
  EXPECT_EQ(left.bound, "limit of address space");
}

TEST(Memory, ThatDoesNotFitIsRefusedInOneLine) {
  const Communicator comm;
  EXPECT_NO_THROW(require_memory(comm, 1e6, "two atoms"));
  for (const double bytes : {1e18, 1e300, std::numeric_limits<double>::infinity(), std::nan("")}) {
    try {
      require_memory(comm, bytes, "1000000000 atoms");
      FAIL();
    } catch (const InputError& e) {
      const std::string text = e.what();
      EXPECT_EQ(text.rfind("1000000000 atoms: needs ", 0), 0u) << text;
      EXPECT_NE(text.find(" GB are available ("), std::string::npos) << text;
      EXPECT_LT(text.size(), 120u);
    }
  }
}

TEST(Memory, ItsLackIsSaidInWordsWhereverAMessageIsPassedOn) {
  EXPECT_EQ(message_of(std::bad_alloc()), "out of memory: an array does not fit");
  EXPECT_EQ(message_of(std::length_error("vector::_M_default_append")),
            "out of memory: an array would have more elements than there are addresses");
  EXPECT_EQ(message_of(std::runtime_error("a.toml: cannot be read")), "a.toml: cannot be read");
}

}  // namespace
}  // namespace wafermark

// Ranks whose programs are for unlike CPU levels end with one and the same line, each of them.
#include <gmock/gmock.h>

#include "common/cpu_level_check.hpp"
#include "common/cpu_levels.hpp"
#include "common/errors.hpp"

namespace wafermark {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;

/// What this rank is told when rank 0 runs a program for `first` and all others one for `rest`.
std::string told(const Communicator& comm, const std::string& first, const std::string& rest) {
  try {
    expect_one_cpu_level(comm, comm.is_root() ? first : rest);
    return "";
  } catch (const InputError& e) {
    return e.what();
  }
}

TEST(CpuLevelCheck, RanksOfOneLevelPass) {
  const Communicator comm;
  for (const char* level : {"", "x86-64-v3", "x86-64-v4-vnni"}) EXPECT_EQ(told(comm, level, level), "");
}

TEST(CpuLevelCheck, UnlikeRanksAreToldWhoRunsWhat) {
  const Communicator comm;
  if (comm.size() == 1) GTEST_SKIP() << "one rank is like itself";
  const auto on = [](int rank, const char* what) {
    return HasSubstr("rank " + std::to_string(rank) + " on " + what);
  };
  EXPECT_THAT(told(comm, "x86-64-v4", "x86-64-v3"),
              AllOf(HasSubstr("unlike CPU levels: rank 1 on "),
                    HasSubstr("a program for x86-64-v3, rank 0 on "), HasSubstr("a program for x86-64-v4; "),
                    on(0, ""), EndsWith("expected one level: WAFERMARK_CPU_LEVEL=x86-64-v3 on all ranks")));
  EXPECT_THAT(told(comm, "x86-64-v3", "x86-64-v4-vnni"),
              AllOf(HasSubstr("unlike CPU levels: rank 0 on "), on(1, ""), HasSubstr("x86-64-v4-vnni")));
  EXPECT_THAT(told(comm, "", "x86-64-v3"), AllOf(HasSubstr("a program for one CPU, rank 1 on "),
                                                 EndsWith("expected the same program on all ranks")));
}

TEST(CpuLevelCheck, OnlyALauncherChooses) {
  const auto refused = [](const char* own, const char* wanted) -> std::string {
    try {
      expect_wanted_cpu_level(own, wanted);
      return "";
    } catch (const InputError& e) {
      return e.what();
    }
  };
  EXPECT_EQ(refused("", ""), "");
  EXPECT_EQ(refused("x86-64-v3", ""), "");
  EXPECT_EQ(refused("x86-64-v3", "x86-64-v3"), "");
  EXPECT_THAT(refused("x86-64-v3", "x86-64-v4"), HasSubstr("found 'x86-64-v4', expected x86-64-v3 or none"));
  EXPECT_THAT(refused("", "x86-64-v4"), HasSubstr("found 'x86-64-v4', expected none"));
  EXPECT_THAT(refused("", "a\nb"), HasSubstr("found 'a\\nb'"));
}

}  // namespace
}  // namespace wafermark

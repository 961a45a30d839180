// A rank whose threads share fewer CPUs than it has, while the machine has more, is told so.
#include <gmock/gmock.h>

#include "common/thread_binding.hpp"

namespace wafermark {
namespace {

TEST(CrowdedThreads, AreToldOnlyWhereTheMachineHasMoreCpus) {
  EXPECT_THAT(crowded_threads(2, {1, 8}).value_or(""), testing::HasSubstr("2 threads share 1 of 8 CPUs"));
  EXPECT_THAT(crowded_threads(4, {2, 8}).value_or(""), testing::HasSubstr("PE=4"));
  EXPECT_EQ(crowded_threads(1, {1, 8}), std::nullopt);
  EXPECT_EQ(crowded_threads(8, {8, 8}), std::nullopt);
  EXPECT_EQ(crowded_threads(9, {8, 8}), std::nullopt);  // as many as asked for: nobody bound them
  EXPECT_EQ(crowded_threads(2, {0, 8}), std::nullopt);  // not known
}

TEST(UsableCpus, AreAtMostThoseOfTheMachine) {
  const UsableCpus cpus = usable_cpus();
  EXPECT_GE(cpus.allowed, 1);
  EXPECT_LE(cpus.allowed, cpus.online);
}

}  // namespace
}  // namespace wafermark

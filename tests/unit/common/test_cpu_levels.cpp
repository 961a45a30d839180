// Which level's program a portable build starts, and where it lies.
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/cpu_levels.hpp"
#include "common/errors.hpp"

namespace wafermark {
namespace {

using Names = std::vector<std::string>;

/// A CPU that runs levels up to `highest`.
auto cpu_of(const std::string& highest) {
  return [highest](std::string_view level) {
    for (const std::string& name : cpu_levels()) {
      if (name == level) return !highest.empty();
      if (name == highest) return false;
    }
    return false;
  };
}

std::string refusal(const Names& built, const std::string& wanted, const std::string& highest) {
  try {
    return "chose " + choose_cpu_level(built, wanted, cpu_of(highest));
  } catch (const InputError& e) {
    return e.what();
  }
}

TEST(CpuLevels, TheBestOfThoseBuiltThatTheCpuRunsIsChosen) {
  const Names all = cpu_levels(), two{"x86-64-v4-vnni", "x86-64-v3"};
  for (const std::string& level : all) {
    EXPECT_EQ(choose_cpu_level(all, "", cpu_of(level)), level);
    EXPECT_EQ(choose_cpu_level(all, level, cpu_of(all.back())), level);
  }
  EXPECT_EQ(choose_cpu_level(two, "", cpu_of("x86-64-v4")), "x86-64-v3");  // whatever their order
  EXPECT_EQ(choose_cpu_level(two, "", cpu_of("x86-64-v4-vnni")), "x86-64-v4-vnni");
}

TEST(CpuLevels, WhatWasNotBuiltOrDoesNotRunIsRefused) {
  const Names all = cpu_levels();
  for (const char* name : {"x86-64-v9", "native", "x86-64-v3,x86-64-v4", " ", "X86-64-V3"})
    EXPECT_EQ(refusal(all, name, all.back()), std::string("WAFERMARK_CPU_LEVEL: found '") + name +
                                                  "', expected a level that was built: x86-64-v3, x86-64-v4, "
                                                  "x86-64-v4-vnni");
  EXPECT_THAT(refusal({"x86-64-v3"}, "x86-64-v4", all.back()),
              testing::EndsWith("expected a level that was built: x86-64-v3"));
  EXPECT_EQ(refusal(all, "x86-64-v4", "x86-64-v3"),
            "WAFERMARK_CPU_LEVEL: found 'x86-64-v4', which this CPU does not run, expected x86-64-v3");
  EXPECT_THAT(refusal(all, "x86-64-v4-vnni", "x86-64-v4"),
              testing::EndsWith("expected one of x86-64-v3, x86-64-v4"));
  for (const char* wanted : {"", "x86-64-v3", "x86-64-v9"})
    EXPECT_THAT(refusal(all, wanted, ""), testing::StartsWith("this CPU runs none of the levels"));
}

TEST(CpuLevels, ThisCpuRunsAllUpToItsHighest) {
  bool beyond = highest_cpu_level().empty();
  for (const std::string& level : cpu_levels()) {
    EXPECT_EQ(runs_cpu_level(level), !beyond) << level;
    beyond = beyond || level == highest_cpu_level();
  }
  EXPECT_FALSE(runs_cpu_level("x86-64-v9"));
#if defined(__AVX2__) && defined(__FMA__)  // this very test needs it
  EXPECT_TRUE(runs_cpu_level("x86-64-v3"));
#endif
}

TEST(CpuLevels, ListsAreTakenApart) {
  EXPECT_EQ(names_in_list("a,b,c"), (Names{"a", "b", "c"}));
  EXPECT_EQ(names_in_list("a"), Names{"a"});
  EXPECT_EQ(names_in_list(""), Names{});
  EXPECT_EQ(list_of({"a", "b"}), "a, b");
}

TEST(CpuLevels, ALevelsProgramKnowsItsLauncher) {
  namespace fs = std::filesystem;
  const fs::path prefix = fs::temp_directory_path() / ("wafermark_levels_" + std::to_string(getpid()));
  const fs::path launcher = prefix / "bin/tungsten_md";
  const fs::path program = program_of_cpu_level(launcher, "x86-64-v4");
  EXPECT_EQ(program, prefix / "libexec/wafermark/x86-64-v4/tungsten_md");
  EXPECT_EQ(launcher_of(program), program) << "there is no launcher";
  fs::create_directories(prefix / "bin");
  std::ofstream(launcher) << "here\n";
  EXPECT_EQ(launcher_of(program), launcher);
  for (const fs::path& other :
       {launcher, prefix / "libexec/wafermark/native/tungsten_md", fs::path("tungsten_md"),
        prefix / "lib/wafermark/x86-64-v4/tungsten_md", fs::path()})
    EXPECT_EQ(launcher_of(other), other);
  fs::remove_all(prefix);
}

}  // namespace
}  // namespace wafermark

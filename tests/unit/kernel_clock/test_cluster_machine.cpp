// Machine files of simulated clusters, what kernels cost on them, and the networks made of them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "common/errors.hpp"
#include "tools/kernel_clock/kernel_costs.hpp"
#include "tools/kernel_clock/platform.hpp"

using namespace wafermark;
using testing::AllOf;
using testing::HasSubstr;

namespace {

namespace fs = std::filesystem;

const std::string source = WAFERMARK_SOURCE_DIR;
const std::string frontier = source + "/inputs/clusters/simulated/frontier.toml";

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// The message with which Frontier's file is refused when `from` is replaced by `to`.
std::string refusal(const std::string& from, const std::string& to) {
  std::string changed = text_of(frontier);
  const auto at = changed.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  changed.replace(at, from.size(), to);
  const fs::path path = fs::temp_directory_path() / fmt::format("wafermark_cluster_{}.toml", ::getpid());
  std::ofstream(path) << changed;
  std::string said = "accepted";
  try {
    ClusterMachine::read(path.string());
  } catch (const InputError& e) {
    said = e.what();
  }
  fs::remove(path);
  return said;
}

TEST(ClusterMachineFile, ThoseThatShipAreReadAndEveryNumberHasItsSource) {
  int files = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(frontier).parent_path())) {
    const ClusterMachine m = ClusterMachine::read(entry.path().string());
    EXPECT_EQ(m.name, entry.path().stem().string());
    for (const auto& [key, q] : m.quantities) {
      EXPECT_GT(q.source.size(), 5u) << key;
      EXPECT_LE(q.low, q.value) << key;
      EXPECT_LE(q.value, q.high) << key;
    }
    ++files;
  }
  EXPECT_GE(files, 2);
}

TEST(ClusterMachineFile, WhatIsWrongIsNamedWithItsLine) {
  EXPECT_THAT(refusal("launch_us = { value = 7.8", "launch_us = { value = -1"),
              HasSubstr("device.launch_us"));
  EXPECT_THAT(refusal("launch_us = { value = 7.8", "launch_us = { value = nan"),
              HasSubstr("device.launch_us"));
  EXPECT_THAT(refusal("launch_us = { value = 7.8", "launch_us = { value = 99"),
              AllOf(HasSubstr("device.launch_us.range"), HasSubstr("99")));
  EXPECT_THAT(refusal("range = [5.5, 10]", "range = [10, 5.5]"), HasSubstr("the lower first"));
  EXPECT_THAT(refusal("range = [5.5, 10], ", ""), HasSubstr("device.launch_us.range"));
  EXPECT_THAT(refusal("workers = { value = 8", "workers = { value = 7.5"), HasSubstr("nodes.workers"));
  EXPECT_THAT(refusal("workers = { value = 8", "workers = { value = 0"), HasSubstr("nodes.workers"));
  EXPECT_THAT(refusal("gb_per_s  = { value = 1200", "gb_per_s  = { value = 0"), HasSubstr("device.gb_per_s"));
  EXPECT_THAT(refusal("kind = \"published\"", "kind = \"guessed\""), HasSubstr("guessed"));
  EXPECT_THAT(refusal("source = \"OLCF, Frontier user guide: 77 racks of 128 nodes\"", "source = \"\""),
              HasSubstr("a source"));
  EXPECT_THAT(refusal("[device]", "[device]\nspeed = 3"), HasSubstr("speed"));
  EXPECT_THAT(refusal("\"dragonfly\"", "\"torus\""), AllOf(HasSubstr("torus"), HasSubstr("fat_tree")));
  EXPECT_THAT(refusal("name = \"frontier\"", "name = \"\""), HasSubstr("name"));
}

TEST(ClusterMachineFile, AChangedNumberIsKnownAndStandsInTheRecord) {
  const std::vector<std::string> changes{"device.launch_us.value=99"};
  const ClusterMachine m = ClusterMachine::read(frontier, changes);
  EXPECT_DOUBLE_EQ(m.launch, 99e-6);
  EXPECT_DOUBLE_EQ(m.quantities.at("device.launch_us").high, 99.0);
  EXPECT_EQ(m.changes, changes);
}

TEST(KernelCosts, APairKernelIsBoundByLatencyForFewAtomsAndByItsRateForMany) {
  const ClusterMachine m = ClusterMachine::read(frontier);
  const KernelKind& force = kernel_kind("force");
  const double few = kernel_seconds(m, force, {1000, 70}), fewer = kernel_seconds(m, force, {500, 70});
  EXPECT_LT(few, 1.3 * fewer);
  const double many = kernel_seconds(m, force, {4e6, 70}), half = kernel_seconds(m, force, {2e6, 70});
  EXPECT_NEAR(many / half, 2.0, 0.01);
  EXPECT_NEAR(many, 4e6 * (m.per_atom + 70 * m.per_candidate), 0.01 * many);
  EXPECT_GE(kernel_seconds(m, force, {0, 0}), m.kernel_floor);
}

TEST(KernelCosts, AStreamingKernelMovesItsBytes) {
  const ClusterMachine m = ClusterMachine::read(frontier);
  const KernelKind& kick = kernel_kind("kick");
  EXPECT_DOUBLE_EQ(kernel_seconds(m, kick, {1e6, 70}),
                   m.kernel_floor + 1e6 * kick.bytes_per_item / m.bytes_per_second);
}

TEST(KernelCosts, EveryKernelOfTheProgramIsInTheTableAndNoOther) {
  EXPECT_THROW(kernel_kind("no_such_kernel"), std::out_of_range);
  const std::regex label("parallel_(for|reduce|scan)\\(\\s*\"([^\"]+)\"");
  int kernels = 0;
  for (const char* folder : {"cluster", "dynamics", "analysis"})
    for (const auto& entry : fs::directory_iterator(source + "/apps/tungsten_md/" + folder)) {
      const std::string text = text_of(entry.path());
      for (std::sregex_iterator k(text.begin(), text.end(), label), end; k != end; ++k, ++kernels)
        EXPECT_NO_THROW(kernel_kind((*k)[2].str())) << entry.path() << ": " << (*k)[2];
    }
  EXPECT_GT(kernels, 40);
}

TEST(Platform, HoldsAllNodesInWholeGroupsAndRanksFillThem) {
  const ClusterMachine m = ClusterMachine::read(frontier);
  EXPECT_THAT(platform_xml(m, 1), HasSubstr("radical=\"0-3\""));
  EXPECT_THAT(platform_xml(m, 129), AllOf(HasSubstr("radical=\"0-255\""), HasSubstr("2,8;1,1;32,1;4")));
  EXPECT_EQ(host_list(m, 20), "node0:8\nnode1:8\nnode2:4\n");
  EXPECT_THROW(platform_xml(m, 9857), InputError);
  EXPECT_THROW(platform_xml(m, 0), InputError);
}

}  // namespace

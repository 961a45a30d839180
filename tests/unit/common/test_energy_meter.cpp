// Energy counters on trees of files that look like the kernel's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/energy_meter.hpp"

namespace wafermark {
namespace {

namespace fs = std::filesystem;

class FakeSysfs : public ::testing::Test {
 protected:
  fs::path root = fs::temp_directory_path() / ("wafermark_sysfs_" + std::to_string(getpid()));
  void SetUp() override { fs::create_directories(root); }
  void TearDown() override { fs::remove_all(root); }
  void put(const fs::path& file, const std::string& text) {
    fs::create_directories((root / file).parent_path());
    std::ofstream(root / file) << text << '\n';
  }
  void package(int k, long energy, long range) {
    const fs::path d = "rapl/intel-rapl:" + std::to_string(k);
    put(d / "name", "package-" + std::to_string(k));
    put(d / "energy_uj", std::to_string(energy));
    put(d / "max_energy_range_uj", std::to_string(range));
  }
  MeterPaths paths() { return {(root / "cray").string(), (root / "rapl").string(), "libno-such-nvml.so"}; }
};

TEST_F(FakeSysfs, RaplSumsPackagesAndSurvivesWraparound) {
  package(0, 900'000, 1'000'000);
  package(1, 5'000'000, 10'000'000);
  put("rapl/intel-rapl:0:0/name", "core");
  put("rapl/intel-rapl:0:0/energy_uj", "77");
  std::string why;
  auto rapl = rapl_counter((root / "rapl").string(), why);
  ASSERT_TRUE(rapl) << why;
  const double start = rapl->joules();
  package(0, 100'000, 1'000'000);  // wrapped: 0.2 J on
  package(1, 5'500'000, 10'000'000);
  EXPECT_NEAR(rapl->joules() - start, 0.2 + 0.5, 1e-9);
}

TEST_F(FakeSysfs, CrayComesBeforeEverythingElse) {
  package(0, 1, 10);
  put("cray/energy", "1000 J");
  const Communicator comm;
  EnergyMeter meter(comm, paths());
  put("cray/energy", "1250 J");
  const EnergyReading r = meter.read();
  EXPECT_EQ(r.source, "cray_pm");
  EXPECT_NEAR(r.joules.value(), 250.0, 1e-9);
}

TEST_F(FakeSysfs, WithoutMetersTheEnergyIsAbsentWithReasons) {
  const Communicator comm;
  EnergyMeter meter(comm, paths());
  const EnergyReading r = meter.read();
  EXPECT_FALSE(r.joules);
  EXPECT_EQ(r.source, "none");
  EXPECT_THAT(r.note, ::testing::AllOf(::testing::HasSubstr("no Cray meter"), ::testing::HasSubstr("no NVML"),
                                       ::testing::HasSubstr("no RAPL package")));
}

TEST_F(FakeSysfs, ADomainWithoutACounterIsNotTakenForZero) {
  put("rapl/intel-rapl:0/name", "package-0");
  std::string why;
  EXPECT_FALSE(rapl_counter((root / "rapl").string(), why));
  EXPECT_THAT(why, ::testing::HasSubstr("not readable"));
}

}  // namespace
}  // namespace wafermark

// Energy counters on trees of files that look like the kernel's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <tuple>

#include "common/energy_meter.hpp"
#include "common/slurm_energy.hpp"

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
  MeterPaths paths() {
    return {(root / "cray").string(),
            (root / "rapl").string(),
            "libno-such-nvml.so",
            "libno-such-rocm.so",
            "libno-such-papi.so",
            "libno-such-variorum.so",
            {}};
  }
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
  EXPECT_THAT(r.note,
              ::testing::AllOf(::testing::HasSubstr("no Cray meter"), ::testing::HasSubstr("no NVML"),
                               ::testing::HasSubstr("no ROCm SMI"), ::testing::HasSubstr("no RAPL package"),
                               ::testing::HasSubstr("no PAPI"), ::testing::HasSubstr("no Variorum")));
}

TEST_F(FakeSysfs, BoardsThatCountAreAddedToThePackages) {
  package(0, 1'000'000, 10'000'000);
  const Communicator comm;
  for (const auto& [library, source, joules] : {std::tuple{&MeterPaths::nvml, "nvml+rapl", 4.0},
                                                {&MeterPaths::rocm_smi, "rocm_smi+rapl", 4000 * 15.25e-6}}) {
    setenv("FAKE_GPU_COUNT", "1000", 1);
    MeterPaths with_boards = paths();
    with_boards.*library = FAKE_ENERGY_LIBRARIES;
    EnergyMeter meter(comm, with_boards);
    package(0, 1'500'000, 10'000'000);
    setenv("FAKE_GPU_COUNT", "5000", 1);
    meter.sample();
    unsetenv("FAKE_GPU_COUNT");  // a board that does not answer keeps what it counted
    const EnergyReading r = meter.read();
    package(0, 1'000'000, 10'000'000);
    EXPECT_EQ(r.source, source);
    EXPECT_NEAR(r.joules.value(), joules + 0.5, 1e-6) << source;
    std::string why;
    EXPECT_FALSE(nvml_counter(FAKE_ENERGY_LIBRARIES, why));
    EXPECT_THAT(why, ::testing::HasSubstr("no board with an energy counter"));
  }
}

TEST_F(FakeSysfs, PapiCountsThePackagesThatPowercapDoesNotShow) {
  put("rapl/intel-rapl:0/name", "package-0");  // without a counter, as for users that are not root
  const Communicator comm;
  MeterPaths with_papi = paths();
  with_papi.papi = FAKE_ENERGY_LIBRARIES;
  setenv("FAKE_PAPI_NANOJOULES", "1000000000", 1);
  EnergyMeter meter(comm, with_papi);
  setenv("FAKE_PAPI_NANOJOULES", "3500000000", 1);
  const EnergyReading r = meter.read();
  EXPECT_EQ(r.source, "papi");
  EXPECT_NEAR(r.joules.value(), 2 * 2.5, 1e-9);  // of two packages
  package(0, 1, 10);
  EnergyMeter readable(comm, with_papi);
  package(0, 5, 10);
  EXPECT_EQ(readable.read().source, "rapl");
  unsetenv("FAKE_PAPI_NANOJOULES");  // may not be started
  std::string why;
  EXPECT_FALSE(papi_counter(FAKE_ENERGY_LIBRARIES, why));
  EXPECT_EQ(why, "PAPI counts no energy of a package");
}

TEST_F(FakeSysfs, VariorumCountsWhatNeitherShowsAndItsRegistersWrap) {
  const Communicator comm;
  MeterPaths with_variorum = paths();
  with_variorum.variorum = FAKE_ENERGY_LIBRARIES;
  setenv("FAKE_VARIORUM_JOULES", "262000.5", 1);
  EnergyMeter meter(comm, with_variorum);
  setenv("FAKE_VARIORUM_JOULES", "1000.5", 1);  // past 2^18 J
  const EnergyReading r = meter.read();
  EXPECT_EQ(r.source, "variorum");
  EXPECT_NEAR(r.joules.value(), 2 * (262144 - 262000.5 + 1000.5), 1e-6);  // of two packages
  unsetenv("FAKE_VARIORUM_JOULES");                                       // knows no such CPU
  std::string why;
  EXPECT_FALSE(variorum_counter(FAKE_ENERGY_LIBRARIES, why));
  EXPECT_EQ(why, "Variorum counts no energy of a package");
}

// The true library, where it is, starts; whether it counts anything is the machine's affair.
TEST_F(FakeSysfs, TheTruePapiIsUnderstood) {
  std::string why;
  if (!papi_counter("libpapi.so", why) && why.starts_with("no PAPI")) GTEST_SKIP() << why;
  EXPECT_THAT(why, ::testing::AnyOf("", "PAPI counts no energy of a package"));
}

TEST_F(FakeSysfs, ADomainWithoutACounterIsNotTakenForZero) {
  put("rapl/intel-rapl:0/name", "package-0");
  std::string why;
  EXPECT_FALSE(rapl_counter((root / "rapl").string(), why));
  EXPECT_THAT(why, ::testing::HasSubstr("not readable"));
}

// Slurm's commands, as programs that print what the real ones do, first in PATH.
class FakeSlurm : public FakeSysfs {
 protected:
  std::string former_path = std::getenv("PATH");
  void SetUp() override {
    FakeSysfs::SetUp();
    setenv("PATH", (root.string() + ":" + former_path).c_str(), 1);
    setenv("SLURM_JOB_ID", "17", 1);
    setenv("SLURM_STEP_ID", "0", 1);
    plugin("acct_gather_energy/ipmi");
  }
  void TearDown() override {
    setenv("PATH", former_path.c_str(), 1);
    unsetenv("SLURM_JOB_ID");
    unsetenv("SLURM_STEP_ID");
    FakeSysfs::TearDown();
  }
  void program(const char* name, const std::string& body) {
    put(name, "#!/bin/sh\n" + body);
    fs::permissions(root / name, fs::perms::owner_all);
  }
  void plugin(const std::string& name) {
    program("scontrol", "[ \"$*\" = 'show config' ] && printf 'AcctGatherEnergyType    = " + name + "\\n'");
  }
  // One step is known, and it must be asked for by its number.
  void consumed(const std::string& joules) {
    program("sstat", "case \"$*\" in *--jobs=17.0*) echo '" + joules + "' ;; *) exit 1 ;; esac");
  }
};

TEST_F(FakeSlurm, ItsAccountingIsReadWhereTheNodesTellNothing) {
  consumed("1500");
  const Communicator comm;
  EnergyMeter meter(comm, paths());
  consumed("4200");
  meter.sample();
  const EnergyReading r = meter.read();
  EXPECT_EQ(r.source, "slurm");
  EXPECT_NEAR(r.joules.value(), 2700.0, 1e-9);
  EXPECT_THAT(r.note, ::testing::HasSubstr("acct_gather_energy/ipmi"));
}

TEST_F(FakeSlurm, ACounterThatStandsStillIsNotTakenForZero) {
  consumed("1500");
  const Communicator comm;
  EnergyMeter meter(comm, paths());
  const EnergyReading r = meter.read();
  EXPECT_FALSE(r.joules);
  EXPECT_THAT(r.note, ::testing::HasSubstr("did not move"));
}

TEST_F(FakeSlurm, ANodesOwnMeterComesFirst) {
  consumed("1500");
  put("cray/energy", "1000 J");
  const Communicator comm;
  EnergyMeter meter(comm, paths());
  put("cray/energy", "1250 J");
  EXPECT_EQ(meter.read().source, "cray_pm");
}

TEST_F(FakeSlurm, WithoutAPluginItsZeroIsNoEnergy) {
  consumed("0");
  for (const char* none : {"acct_gather_energy/none", "(null)"}) {
    plugin(none);
    std::string why;
    EXPECT_FALSE(slurm_counter("17.0", why));
    EXPECT_THAT(why, ::testing::HasSubstr("accounts no energy"));
  }
}

TEST_F(FakeSlurm, AStepThatIsNotKnownHasNone) {
  consumed("1500");
  std::string why;
  EXPECT_FALSE(slurm_counter("18.0", why));
  EXPECT_THAT(why, ::testing::HasSubstr("step 18.0"));
  EXPECT_FALSE(slurm_counter("", why));
  EXPECT_THAT(why, ::testing::HasSubstr("not a step"));
}

}  // namespace
}  // namespace wafermark

// The result record: what it says, what it refuses to hide, and that it never replaces a file half-way.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "common/errors.hpp"
#include "common/folder_lock.hpp"
#include "common/progress.hpp"
#include "common/results/result.hpp"
#include "common/signals.hpp"

namespace wafermark {
namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path = fs::temp_directory_path() / ("wafermark_result_" + std::to_string(getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

nlohmann::json read_json(const fs::path& p) { return nlohmann::json::parse(std::ifstream(p)); }

TEST(Result, HoldsWhatTheSchemaRequires) {
  const Communicator comm;
  const Folder folder;
  Result r(comm, "tungsten_md", "run", "cluster");
  r.add_figure("atom_steps_per_second", 1e6, "1/s");
  r.add_check("energy", 1.0, 1.1, 0.2, "eV");
  RegionTimes times;
  { const Region region(times, "force"); }
  r.set_regions(times.reduce(comm));
  r.write(comm, folder.path.string());
  const auto j = read_json(folder.path / "result.json");
  const auto schema = read_json(fs::path(WAFERMARK_SOURCE_DIR) / "common/results/result.schema.json");
  for (const auto& key : schema["required"]) EXPECT_TRUE(j.contains(key)) << key;
  for (const auto& [key, value] : j.items()) EXPECT_TRUE(schema["properties"].contains(key)) << key;
  for (const char* part : {"build", "machine", "energy"})
    for (const auto& key : schema["properties"][part]["required"])
      EXPECT_TRUE(j[part].contains(key)) << part << key;
  EXPECT_TRUE(j["valid"].get<bool>());
  EXPECT_EQ(j["regions"][0]["name"], "force");
  EXPECT_FALSE(fs::exists(folder.path / "result.json.tmp"));
}

TEST(Result, ARunUnderWayOrCutIsIncompleteAndNotValid) {
  const Communicator comm;
  const Folder folder;
  const auto read = [&] { return read_json(folder.path / "result.json"); };
  Result former(comm, "tungsten_md", "run", "cluster");
  former.write(comm, folder.path.string());
  EXPECT_EQ(read()["status"], "complete");
  Result r(comm, "tungsten_md", "run", "cluster");
  r.begin(comm, folder.path.string());  // killed here, the folder holds this
  EXPECT_EQ(read()["status"], "incomplete");
  EXPECT_FALSE(read()["valid"].get<bool>());
  EXPECT_THAT(read()["status_note"].get<std::string>(), ::testing::HasSubstr("killed"));
  r.set_incomplete("cut after 3 steps");
  r.set_incomplete("and a later reason");
  r.write(comm, folder.path.string());
  EXPECT_EQ(read()["status_note"], "cut after 3 steps");
  EXPECT_FALSE(read()["valid"].get<bool>());
  EXPECT_THAT(r.summary(), ::testing::HasSubstr("INCOMPLETE, not valid: cut after 3 steps"));
}

TEST(Result, ACheckOnNotANumberFails) {
  const Communicator comm;
  Result r(comm, "tungsten_md", "run", "cluster");
  r.add_check("energy", std::nan(""), 0.0, 1.0, "eV");
  EXPECT_FALSE(r.all_checks_pass());
  EXPECT_THAT(r.failed_checks(), ::testing::HasSubstr("energy: null eV, expected 0.0 +- 1.0"));
}

TEST(Result, NumbersThatJsonLacksBecomeNull) {
  const Communicator comm;
  Result r(comm, "tungsten_md", "run", "cluster");
  r.add_figure("rate", INFINITY, "1/s");
  r.add_figure("joules", std::nullopt, "J", Kind::measured, "no meter");
  EXPECT_TRUE(r.json()["figures"][0]["value"].is_null());
  EXPECT_EQ(r.json()["figures"][1]["note"], "no meter");
}

TEST(TextFile, AFailedWriteLeavesTheFormerFile) {
  const Folder folder;
  const std::string path = (folder.path / "r.json").string();
  write_text_file(path, "first");
  fs::create_directory(path + ".tmp");  // the temporary name is taken: writing must fail
  EXPECT_THROW(write_text_file(path, "second"), std::runtime_error);
  std::string text;
  std::ifstream(path) >> text;
  EXPECT_EQ(text, "first");
}

TEST(OutputDirectory, MustBeWritableBeforeTheRun) {
  const Communicator comm;
  const Folder folder;
  EXPECT_NO_THROW(prepare_output_directory(comm, (folder.path / "a/b").string()));
  std::ofstream(folder.path / "file") << "x";
  EXPECT_THROW(prepare_output_directory(comm, (folder.path / "file").string()), InputError);
  EXPECT_THROW(prepare_output_directory(comm, (folder.path / "file/below").string()), InputError);
}

TEST(OutputDirectory, IsHeldByOneProgramAtATime) {
  const Communicator comm;
  const Folder folder;
  const std::string path = folder.path.string();
  {
    const FolderLock lock(comm, path, "--out");
    try {
      const FolderLock second(comm, path, "--out");  // flock tells descriptors apart, not processes
      FAIL();
    } catch (const InputError& e) {
      EXPECT_THAT(e.what(), ::testing::HasSubstr(fmt::format("process {} on ", getpid())));
    }
  }
  EXPECT_NO_THROW(FolderLock(comm, path, "--out")) << "it lets go";
}

TEST(StopRequest, SeesTheSignalsThatEndRunsWhileItLives) {
  const Communicator comm;
  for (const int signal : {SIGTERM, SIGUSR1, SIGINT, SIGHUP, SIGXCPU}) {
    const StopRequest stop;
    EXPECT_FALSE(stop.requested(comm));
    std::raise(signal);
    EXPECT_TRUE(stop.requested(comm));
    std::raise(signal);  // batch systems and mpirun both send it
    EXPECT_TRUE(stop.requested(comm));
  }
  EXPECT_FALSE(StopRequest().requested_here());
}

TEST(StopRequest, LeavesAnIgnoredSignalIgnored) {
  std::signal(SIGHUP, SIG_IGN);  // nohup
  {
    const StopRequest stop;
    std::raise(SIGHUP);
    EXPECT_FALSE(stop.requested_here());
  }
  EXPECT_EQ(std::signal(SIGHUP, SIG_DFL), SIG_IGN);
}

TEST(StopRequest, ASecondSignalLaterEndsTheProcess) {
  EXPECT_EXIT(
      {
        const StopRequest stop;
        std::raise(SIGTERM);
        std::this_thread::sleep_for(std::chrono::milliseconds(2100));
        std::raise(SIGTERM);
      },
      ::testing::KilledBySignal(SIGTERM), "");
}

TEST(StopPoll, AsksRarelyWhereStepsAreShortAndAtEveryLongOne) {
  const Communicator comm;
  const StopRequest stop;
  StopPoll quick(stop, comm);
  for (int k = 0; k < 100000; ++k) EXPECT_FALSE(quick.stop());
  std::raise(SIGTERM);
  int late = 0;
  while (!quick.stop()) ++late;
  EXPECT_GT(late, 10) << "not at every step";
  EXPECT_LE(late, 1 << 17);
  StopPoll slow(stop, comm);
  EXPECT_TRUE(slow.stop()) << "the first step asks";
}

TEST(Progress, SaysRateAndTimeLeft) {
  const Progress p("steps", 1000, false);
  EXPECT_EQ(p.line(250, 10.0, "0.5 ps"), "250 of 1000 steps (25 %), 25 steps/s, 30 s left, 0.5 ps");
}

}  // namespace
}  // namespace wafermark

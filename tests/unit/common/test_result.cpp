// The result record: what it says, what it refuses to hide, and that it never replaces a file half-way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "common/errors.hpp"
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

TEST(StopRequest, SeesSlurmsSignalsWhileItLives) {
  const Communicator comm;
  for (const int signal : {SIGTERM, SIGUSR1}) {
    const StopRequest stop;
    EXPECT_FALSE(stop.requested(comm));
    std::raise(signal);
    EXPECT_TRUE(stop.requested(comm));
  }
  EXPECT_FALSE(StopRequest().requested_here());
}

TEST(Progress, SaysRateAndTimeLeft) {
  const Progress p("steps", 1000, false);
  EXPECT_EQ(p.line(250, 10.0, "0.5 ps"), "250 of 1000 steps (25 %), 25 steps/s, 30 s left, 0.5 ps");
}

}  // namespace
}  // namespace wafermark

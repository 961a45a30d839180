// Records of work: written and read again, laid out on larger grids, and their time by the model; profiles of
// other programs.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/errors.hpp"
#include "tools/kernel_clock/md_profile.hpp"
#include "tools/kernel_clock/platform.hpp"
#include "tools/kernel_clock/step_model.hpp"
#include "tools/kernel_clock/work_recorder.hpp"

using namespace wafermark;
using testing::HasSubstr;

namespace {

namespace fs = std::filesystem;
using Kind = WorkEvent::Kind;

const std::string inputs = WAFERMARK_SOURCE_DIR "/inputs/clusters/";

class ScratchFile {
 public:
  ScratchFile() : path_(fs::temp_directory_path() / fmt::format("wafermark_work_{}", ::getpid())) {}
  ~ScratchFile() { fs::remove(path_); }
  std::string path() const { return path_.string(); }
  std::string text() const {
    std::ifstream in(path_);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  void set(const std::string& text) const { std::ofstream(path_) << text; }

 private:
  fs::path path_;
};

ClusterMachine frontier() { return ClusterMachine::read(inputs + "simulated/frontier.toml"); }

/// A row of ranks with open ends: a kernel, a fence, and a message to the right.
WorkRecord row_of(int ranks) {
  WorkRecord r;
  r.grid = {ranks, 1, 1};
  r.steps = 1;
  r.kernels = {{"kick", kernel_kind("kick")}};
  for (int rank = 0; rank < ranks; ++rank) {
    WorkEvent kernel, fence, exchange;
    kernel.kind = Kind::kernel;
    kernel.load = {1000.0 + rank, 12.5};
    exchange.kind = Kind::exchange;
    exchange.bytes_out = rank + 1 < ranks ? 20'000 : 0;
    exchange.to = rank + 1 < ranks ? rank + 1 : WorkEvent::nobody;
    exchange.bytes_in = rank > 0 ? 20'000 : 0;
    exchange.from = rank > 0 ? rank - 1 : WorkEvent::nobody;
    r.ranks.push_back({kernel, fence, exchange});
  }
  return r;
}

TEST(WorkRecordFile, ComesBackAsItWent) {
  const ScratchFile file;
  WorkRecord r = row_of(3);
  for (const Kind kind :
       {Kind::copy, Kind::host_copy, Kind::send, Kind::receive, Kind::wait, Kind::barrier, Kind::all_reduce,
        Kind::broadcast, Kind::all_gather, Kind::all_to_all, Kind::scan}) {
    WorkEvent e;
    e.kind = kind;
    r.ranks[1].push_back(e);
  }
  r.write(file.path());
  const std::string text = file.text();
  WorkRecord::read(file.path()).write(file.path());
  EXPECT_EQ(file.text(), text);
}

TEST(WorkRecordFile, IsRefusedWhereItIsCutOrChanged) {
  const ScratchFile file;
  row_of(3).write(file.path());
  const std::string whole = file.text();
  for (std::size_t n = 0; n + 2 < whole.size(); n += 7) {
    file.set(whole.substr(0, n));
    EXPECT_THROW(WorkRecord::read(file.path()), InputError) << n;
  }
  const auto refusal = [&](const std::string& from, const std::string& to) {
    std::string changed = whole;
    changed.replace(changed.find(from), from.size(), to);
    file.set(changed);
    try {
      WorkRecord::read(file.path());
    } catch (const InputError& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  EXPECT_THAT(refusal("fence", "fense"), HasSubstr("'fense'"));
  EXPECT_THAT(refusal("fence", "fence 3"), HasSubstr("the end of the line"));
  EXPECT_THAT(refusal("grid 3 1 1", "grid 0 1 1"), HasSubstr(":2:"));
  EXPECT_THAT(refusal("grid 3 1 1", "grid 100000 100000 1"), HasSubstr("more ranks"));
  EXPECT_THAT(refusal("exchange 20000 1", "exchange 20000 7"), HasSubstr("a rank"));
  EXPECT_THAT(refusal("exchange 20000 1", "exchange -1 1"), HasSubstr("bytes"));
  EXPECT_THAT(refusal("kernel 0 1000", "kernel 1 1000"), HasSubstr("the number of a kernel"));
  EXPECT_THAT(refusal("kernel 0 1000", "kernel 0 nan"), HasSubstr("items"));
  EXPECT_THROW(WorkRecord::read("/nowhere"), InputError);
}

TEST(RecordOnGrid, EndsActAsEndsAndTheMiddleAsTheMiddle) {
  const WorkRecord four = row_of(4);
  const RecordOnGrid seven(four, {7, 1, 1});
  std::vector<int> acts;
  for (int r = 0; r < 7; ++r) acts.push_back(seven.acts_as(r));
  EXPECT_EQ(acts, (std::vector<int>{0, 1, 2, 1, 2, 1, 3}));
  EXPECT_EQ(seven.peer(3, 2), 4);  // 3 acts as 1, whose right neighbour is 2
  EXPECT_EQ(seven.peer(3, 0), 2);
  EXPECT_EQ(seven.peer(6, 0), 0);  // around the end: 3's other neighbour
  EXPECT_EQ(seven.peer(0, 3), 6);
  EXPECT_EQ(seven.peer(0, WorkEvent::nobody), WorkEvent::nobody);
  EXPECT_THROW(RecordOnGrid(four, {3, 1, 1}), InputError);
  EXPECT_THROW(RecordOnGrid(four, {4, 2, 1}), InputError);
  EXPECT_THROW(RecordOnGrid(row_of(2), {4, 1, 1}), InputError);
  const WorkRecord two = row_of(2);
  EXPECT_EQ(RecordOnGrid(two, {2, 1, 1}).acts_as(1), 1);
}

TEST(StepModel, AddsUpKernelsFencesAndMessages) {
  const ClusterMachine m = frontier();
  const WorkRecord r = row_of(3);
  const double kernel = m.launch + kernel_seconds(m, r.kernels[0].kind, {1002, 12.5}) + m.fence;
  const double message = m.send_overhead + m.local_latency + 20'000 / m.local_bandwidth + m.receive_overhead;
  // The middle has to send before it can wait for the left.
  EXPECT_NEAR(modelled_time(RecordOnGrid(r, r.grid), m).seconds, kernel + message, 1e-9);
}

TEST(StepModel, WaitsForTheSlowestInACollectiveAndRefusesWhatNobodySends) {
  const ClusterMachine m = frontier();
  WorkRecord r = row_of(3);
  WorkEvent all;
  all.kind = Kind::all_reduce;
  all.bytes_out = 8;
  for (auto& events : r.ranks) events.push_back(all);
  const RecordOnGrid work(r, r.grid);
  EXPECT_GT(modelled_time(work, m).seconds, modelled_time(RecordOnGrid(row_of(3), {3, 1, 1}), m).seconds);
  EXPECT_EQ(modelled_time(work, m).seconds, modelled_time(work, m).seconds);
  r.ranks[0].pop_back();
  EXPECT_THROW(modelled_time(work, m), InputError);
}

TEST(WorkRecorder, NotesTheTimedStepsOnly) {
  WorkRecorder recorder;
  recorder.set_grid({2, 1, 1});
  for (const std::int64_t rank : {11, 12}) {
    recorder.kernel(rank, "kick", kernel_kind("kick"), {5, 1});
    recorder.begin(rank);
    recorder.kernel(rank, "force", kernel_kind("force"), {7, 2});
    recorder.message(rank, {runtime::Message::Kind::exchange, 80, rank == 11 ? 1 : -7, 0, -7});
    EXPECT_FALSE(recorder.complete(2));
    recorder.end(rank, 9);
    recorder.fence(rank);
  }
  EXPECT_TRUE(recorder.complete(2));
  const WorkRecord r = recorder.record();
  EXPECT_EQ(r.steps, 9);
  ASSERT_EQ(r.ranks.size(), 2u);
  ASSERT_EQ(r.ranks[0].size(), 2u);
  EXPECT_EQ(r.kernels[static_cast<std::size_t>(r.ranks[0][0].what)].label, "force");
  EXPECT_EQ(r.ranks[0][1].to, 1);
  EXPECT_EQ(r.ranks[1][1].to, WorkEvent::nobody);
}

TEST(MdProfile, ThoseThatShipFitTheWorkloadsThatShip) {
  int pairs = 0;
  for (const auto& profile : fs::directory_iterator(inputs + "profiles"))
    for (const auto& load : fs::directory_iterator(inputs + "workloads")) {
      const auto p = MdProfile::read(profile.path().string());
      const auto w = MdWorkload::read(load.path().string());
      EXPECT_EQ(p.name, profile.path().stem().string());
      EXPECT_EQ(w.name, load.path().stem().string());
      for (const int ranks : {1, 2, 4, 36}) {
        const auto grid = grid_of(p, w, ranks);
        const WorkRecord r = md_record(p, w, grid, 2, 1);
        EXPECT_GT(modelled_time(RecordOnGrid(r, grid), frontier()).seconds, 0.0) << p.name << w.name << ranks;
        ++pairs;
      }
    }
  EXPECT_GT(pairs, 50);
}

TEST(MdProfile, CountsOfTheSlabAreThoseOfLammps) {
  const auto p = MdProfile::read(inputs + "profiles/lammps_kokkos_2023.toml");
  const auto w = MdWorkload::read(inputs + "workloads/sc24_W_gpu.toml");
  const WorkRecord r = md_record(p, w, {16, 16, 1}, 1, 0);
  const auto count = [&](Kind kind) {
    return std::count_if(r.ranks[5].begin(), r.ranks[5].end(),
                         [&](const WorkEvent& e) { return e.kind == kind; });
  };
  EXPECT_EQ(count(Kind::kernel), 19);
  EXPECT_EQ(count(Kind::exchange), 8);
  EXPECT_EQ(count(Kind::fence) + count(Kind::host_copy), 13);
  EXPECT_EQ(count(Kind::all_reduce), 1);
}

TEST(MdProfile, GhostsOfAPeriodicCubeAreAShellOfItsReach) {
  const auto p = MdProfile::read(inputs + "profiles/lammps_kokkos_lj.toml");
  const auto w = MdWorkload::read(inputs + "workloads/lj_8m.toml");
  const WorkRecord r = md_record(p, w, {4, 8, 8}, 1, 0);
  double received = 0.0;
  for (const WorkEvent& e : r.ranks[13])
    if (e.kind == Kind::exchange) received += static_cast<double>(e.bytes_in) / 24.0;
  const double edge = w.box[0] / 4, reach = w.cutoff + w.skin, atoms = w.atoms / 256;
  EXPECT_NEAR(received / atoms, std::pow(1 + 2 * reach / edge, 3) - 1, 1e-3);
}

TEST(MdProfile, SubdomainsOfACrystalHaveWholePlanes) {
  const auto p = MdProfile::read(inputs + "profiles/lammps_cpu_2023.toml");
  const auto w = MdWorkload::read(inputs + "workloads/sc24_W_cpu.toml");
  const auto most_atoms = [&](const std::array<int, 3>& grid) {
    double most = 0.0;
    for (const auto& events : md_record(p, w, grid, 1, 0).ranks) most = std::max(most, events[0].load.items);
    return most;
  };
  // 512 x 522 planes: 4 or 5 of each on 120 x 120 ranks; on two of them just half.
  EXPECT_NEAR(most_atoms({120, 120, 1}), w.atoms / (512.0 * 522.0) * 25.0, 1e-6);
  EXPECT_NEAR(most_atoms({2, 1, 1}), w.atoms / 2, 1e-6);
}

TEST(MdProfile, WhatIsNoWordIsNamed) {
  const ScratchFile file;
  const auto refusal = [&](const std::string& word) {
    file.set("name = \"x\"\ntitle = \"x\"\nneighbour_list = \"full\"\n[work]\nbegin = [\"" + word + "\"]\n");
    try {
      MdProfile::read(file.path());
    } catch (const InputError& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(refusal("kernel x own 3"), "accepted");
  for (const char* word :
       {"", "kernel", "kernel x", "kernel x mine 3", "kernel x own", "kernel x own -3", "kernel x own nan",
        "kernel x own 3 4", "message", "host_copy own", "fence 3", "Fence", "pairs x"})
    EXPECT_THAT(refusal(word), HasSubstr("work.begin")) << word;
}

}  // namespace

// The Kokkos Tools library that gives kernels their time on the simulated cluster. Kokkos of this process
// computes on the host; what the same calls would take on a worker of the machine is added up here, and the
// simulated rank sleeps as long at the next fence. Not inside a kernel's begin: another rank would run while
// Kokkos is half-way through a launch. $WAFERMARK_CLUSTER_MACHINE: the machine file;
// $WAFERMARK_CLUSTER_CHANGES: changes to it, one a line; $WAFERMARK_CLUSTER_PLATFORM: what the network is,
// for the record; $WAFERMARK_CLUSTER_WORK: where the ranks' work of the timed steps goes (work_record.hpp).
#include "common/kernel_clock.hpp"

#include <fmt/format.h>
#include <impl/Kokkos_Profiling_C_Interface.h>
#include <simgrid/actor.h>
#include <simgrid/version.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <simgrid/s4u/Engine.hpp>
#include <sstream>

#include "common/band.hpp"
#include "common/durable_file.hpp"
#include "common/errors.hpp"
#include "tools/kernel_clock/kernel_costs.hpp"
#include "tools/kernel_clock/rank_clock.hpp"
#include "tools/kernel_clock/step_model.hpp"
#include "tools/kernel_clock/work_recorder.hpp"

namespace wafermark {
namespace {

[[noreturn]] void stop(int code, const std::string& message) {
  std::fprintf(stderr, "kernel_clock: %s\n", message.c_str());
  std::fflush(nullptr);
  std::_Exit(code);
}

struct RankWork {
  explicit RankWork(aid_t pid) : clock(static_cast<int>(pid)) {}
  RankClock clock;
  KernelLoad load;
};

/// What all ranks together spent on one label.
struct Spent {
  std::int64_t calls = 0;
  double seconds = 0.0;
};

class Clock {
 public:
  explicit Clock(ClusterMachine machine) : machine_(std::move(machine)) {}

  void kernel(const std::string& label) {
    // Kokkos' own fill and initialise arrays. Their labels have spaces.
    static const KernelKind of_kokkos{};
    const bool own = !label.starts_with("Kokkos::");
    const KernelKind& kind = own ? kernel_kind(label) : of_kokkos;
    if (kind.kind == KernelKind::Class::bookkeeping) return;
    recorder_.kernel(pid(), own ? label : "Kokkos::fill", kind, mine().load);
    start(label, kernel_seconds(machine_, kind, mine().load));
  }
  void copy(std::uint64_t bytes) {
    recorder_.copy(pid(), static_cast<std::int64_t>(bytes));
    start("copy", copy_seconds(machine_, static_cast<double>(bytes)));
  }

  /// The rank sleeps until its worker is done; other ranks run meanwhile.
  void fence(const std::string& label) {
    RankClock& clock = mine().clock;
    if (!clock.started()) return;
    recorder_.fence(pid());
    note("fence: " + label, machine_.fence);
    sg_actor_sleep_for(clock.drain(machine_, machine_.fence));
  }

  void begin_timed_steps() { recorder_.begin(pid()); }
  void end_timed_steps(std::int64_t steps) { recorder_.end(pid(), steps); }
  WorkRecorder& recorder() { return recorder_; }
  const WorkRecorder& recorder() const { return recorder_; }
  RankWork& mine() { return ranks_.try_emplace(pid(), pid()).first->second; }
  static aid_t pid() { return sg_actor_self_get_pid(); }
  const ClusterMachine& machine() const { return machine_; }
  bool recorded() const { return recorder_.complete(static_cast<int>(ranks_.size())); }

  /// label, calls and seconds (launches included) of all ranks together.
  std::string table() const {
    std::string text = "label,calls,seconds\n";
    for (const auto& [label, spent] : spent_)
      text += fmt::format("\"{}\",{},{:.9g}\n", label, spent.calls, spent.seconds);
    return text;
  }

 private:
  void start(const std::string& label, double seconds) {
    mine().clock.start(machine_, seconds);
    note(label, machine_.launch + seconds);
  }
  void note(const std::string& label, double seconds) {
    Spent& spent = spent_[label];
    ++spent.calls;
    spent.seconds += seconds;
  }

  ClusterMachine machine_;
  std::map<aid_t, RankWork> ranks_;
  WorkRecorder recorder_;
  std::map<std::string, Spent> spent_;
};

/// Null before the simulation and behind its end, when Kokkos takes itself down and no rank is left.
Clock*& the_clock() {
  static Clock* clock = nullptr;
  return clock;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// Runs f(clock); what it throws ends the whole simulation: there is no rank to tell.
template <class F>
void with_clock(F&& f) {
  if (the_clock() == nullptr) return;
  try {
    f(*the_clock());
  } catch (const std::exception& e) {
    stop(1, e.what());
  }
}

void write_work(const Clock& clock, const std::string& path) {
  if (clock.recorded())
    clock.recorder().record().write(path);
  else if (clock.recorder().too_long())
    std::fprintf(stderr,
                 "kernel_clock: the ranks' work was not recorded: more than %lld events; take fewer steps\n",
                 static_cast<long long>(WorkRecorder::most_events));
}

void end_clock() {
  const std::string path = environment("WAFERMARK_CLUSTER_KERNELS");
  if (!path.empty()) with_clock([&](Clock& clock) { write_text_file(path, clock.table()); });
  const std::string work = environment("WAFERMARK_CLUSTER_WORK");
  if (!work.empty()) with_clock([&](Clock& clock) { write_work(clock, work); });
  the_clock() = nullptr;
}

void start_clock() {
  const std::string file = environment("WAFERMARK_CLUSTER_MACHINE");
  if (file.empty()) stop(2, "WAFERMARK_CLUSTER_MACHINE: not set, expected a machine file");
  std::vector<std::string> changes;
  std::istringstream lines(environment("WAFERMARK_CLUSTER_CHANGES"));
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) changes.push_back(line);
  try {
    static Clock clock(ClusterMachine::read(file, changes));
    the_clock() = &clock;
  } catch (const InputError& e) {
    stop(2, e.what());
  }
  simgrid::s4u::Engine::on_simulation_end_cb(end_clock);
}

const char* record() {
  static const std::string text = [] {
    const ClusterMachine& m = the_clock()->machine();
    int major = 0, minor = 0, patch = 0;
    sg_version_get(&major, &minor, &patch);
    return nlohmann::json{{"machine", m.name},
                          {"machine_file", m.file},
                          {"machine_sha256", m.sha256},
                          {"machine_changes", m.changes},
                          {"platform", environment("WAFERMARK_CLUSTER_PLATFORM")},
                          {"simulator", fmt::format("SimGrid {}.{}.{}, SMPI", major, minor, patch)}}
        .dump();
  }();
  return text.c_str();
}

/// Null where no timed steps are recorded.
const char* outcome() {
  static std::string text;
  const Clock& clock = *the_clock();
  if (!clock.recorded()) return "null";
  const WorkRecord record = clock.recorder().record();
  const ClusterMachine& m = clock.machine();
  const RecordOnGrid work(record, record.grid);
  const ModelledTime time = modelled_time(work, m);
  if (time.seconds <= 0.0) return "null";
  const Band band = band_of(m.quantities, time.seconds, [&](const std::string& key, double value) {
    return modelled_time(work, m.with(key, value)).seconds;
  });
  text = nlohmann::json{{"time_band", band.of(1.0)},
                        {"sensitivity", band.inverse().sensitivity()},
                        {"modelled_seconds", time.seconds},
                        {"watts", m.watts(work.size(), time.busy / time.seconds)}}
             .dump();
  return text.c_str();
}

const KernelClock interface_of_clock{
    [](std::int64_t items) { the_clock()->mine().load.items = static_cast<double>(items); },
    [](std::int64_t entries) {
      // Announced behind a loop over the rank's atoms.
      KernelLoad& load = the_clock()->mine().load;
      load.candidates_per_atom = load.items > 0.0 ? static_cast<double>(entries) / load.items : 0.0;
    },
    [](const int* ranks) {
      the_clock()->recorder().set_grid({ranks[0], ranks[1], ranks[2]});
    },
    [](const runtime::Message& message) { the_clock()->recorder().message(Clock::pid(), message); },
    [] { the_clock()->begin_timed_steps(); },
    [](std::int64_t steps) { the_clock()->end_timed_steps(steps); },
    record,
    outcome};

}  // namespace
}  // namespace wafermark

#define WAFERMARK_EXPORT extern "C" __attribute__((visibility("default")))

WAFERMARK_EXPORT const wafermark::KernelClock* wafermark_kernel_clock() {
  return &wafermark::interface_of_clock;
}

WAFERMARK_EXPORT void kokkosp_init_library(int, std::uint64_t, std::uint32_t, void*) {
  wafermark::start_clock();
}
/// Kokkos would fence around every callback, and those fences are no machine's.
WAFERMARK_EXPORT void kokkosp_request_tool_settings(std::uint32_t, Kokkos_Tools_ToolSettings* settings) {
  settings->requires_global_fencing = false;
}
WAFERMARK_EXPORT void kokkosp_begin_parallel_for(const char* label, std::uint32_t, std::uint64_t*) {
  wafermark::with_clock([=](auto& clock) { clock.kernel(label); });
}
WAFERMARK_EXPORT void kokkosp_begin_parallel_reduce(const char* label, std::uint32_t, std::uint64_t*) {
  wafermark::with_clock([=](auto& clock) { clock.kernel(label); });
}
WAFERMARK_EXPORT void kokkosp_begin_parallel_scan(const char* label, std::uint32_t, std::uint64_t*) {
  wafermark::with_clock([=](auto& clock) { clock.kernel(label); });
}
WAFERMARK_EXPORT void kokkosp_begin_deep_copy(Kokkos_Profiling_SpaceHandle, const char*, const void*,
                                              Kokkos_Profiling_SpaceHandle, const char*, const void*,
                                              std::uint64_t bytes) {
  wafermark::with_clock([=](auto& clock) { clock.copy(bytes); });
}
WAFERMARK_EXPORT void kokkosp_begin_fence(const char* label, std::uint32_t, std::uint64_t*) {
  wafermark::with_clock([=](auto& clock) { clock.fence(label); });
}

// cluster_step: the time of a step on a cluster, modelled (step_model.hpp) from a record of work or from a
// profile and a workload (md_profile.hpp), for any numbers of ranks. One line of JSON for each. With --write,
// what jobscripts/cluster_replay.sh has SimGrid carry out.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "common/band.hpp"
#include "common/durable_file.hpp"
#include "common/errors.hpp"
#include "common/plain_program.hpp"
#include "tools/kernel_clock/md_profile.hpp"
#include "tools/kernel_clock/step_model.hpp"

namespace {

using namespace wafermark;

struct Options {
  std::string machine, work, profile, workload, folder;
  std::vector<std::string> changes, load_changes;
  std::vector<int> ranks, grid;
  bool band = false;
};

/// Steps of the records that a profile makes. A step takes what the longer takes beyond the shorter: their
/// ends, where workers are still busy, are alike.
constexpr int few_steps = 1, more_steps = 3;

struct Problem {
  std::array<int, 3> grid{};
  WorkRecord all;                   ///< of a run; or, of a profile,
  WorkRecord few, more, with_list;  ///< without a new list, and with one
  double steps_of_a_list = 0.0;     ///< of a profile
};

struct StepTime {
  double seconds = 0.0, list_seconds = 0.0, busy = 0.0;
};

StepTime step_time(const Problem& p, const ClusterMachine& m) {
  const auto time = [&](const WorkRecord& record) { return modelled_time(RecordOnGrid(record, p.grid), m); };
  if (p.steps_of_a_list == 0.0) {
    const ModelledTime t = time(p.all);
    return {t.seconds / static_cast<double>(p.all.steps), 0.0, t.busy / t.seconds};
  }
  const ModelledTime few = time(p.few), more = time(p.more), with_list = time(p.with_list);
  const double list = with_list.seconds - more.seconds;
  const auto step = [&](double ModelledTime::*part) {
    return (more.*part - few.*part) / (more_steps - few_steps) +
           (with_list.*part - more.*part) / p.steps_of_a_list;
  };
  const double seconds = step(&ModelledTime::seconds);
  return {seconds, list, step(&ModelledTime::busy) / seconds};
}

nlohmann::json answer(const Problem& p, const ClusterMachine& m, bool with_band) {
  const StepTime t = step_time(p, m);
  const int ranks = p.grid[0] * p.grid[1] * p.grid[2];
  nlohmann::json a{{"kind", "modelled"},
                   {"machine", m.name},
                   {"ranks", ranks},
                   {"nodes", (ranks + m.workers_per_node - 1) / m.workers_per_node},
                   {"grid", p.grid},
                   {"steps_per_second", 1.0 / t.seconds},
                   {"step_us", 1e6 * t.seconds},
                   {"list_us", 1e6 * t.list_seconds},
                   {"busy", t.busy},
                   {"joules_per_step", m.watts(ranks, t.busy) * t.seconds}};
  if (!with_band) return a;
  const Band band = band_of(m.quantities, t.seconds, [&](const std::string& key, double value) {
    return step_time(p, m.with(key, value)).seconds;
  });
  const Band rate = band.inverse();
  a["band"] = rate.of(1.0 / t.seconds);
  a["sensitivity"] = rate.sensitivity();
  return a;
}

Problem problem_of_record(const Options& o) {
  Problem p;
  p.all = WorkRecord::read(o.work);
  p.grid = p.all.grid;
  if (!o.grid.empty()) std::copy(o.grid.begin(), o.grid.end(), p.grid.begin());
  return p;
}

Problem problem_of_profile(const MdProfile& profile, const MdWorkload& load, int ranks) {
  Problem p;
  p.grid = grid_of(profile, load, ranks);
  p.few = md_record(profile, load, p.grid, few_steps, 0);
  p.more = md_record(profile, load, p.grid, more_steps, 0);
  p.with_list = md_record(profile, load, p.grid, more_steps, 1);
  p.steps_of_a_list = load.steps_of_a_list;
  return p;
}

void write(const Problem& p, const std::string& folder) {
  p.few.write(folder + "/few.work");
  p.more.write(folder + "/more.work");
  p.with_list.write(folder + "/with_list.work");
  write_text_file(folder + "/grid", fmt::format("{} {} {}\n", p.grid[0], p.grid[1], p.grid[2]));
  write_text_file(folder + "/steps", fmt::format("{} {}\n", more_steps - few_steps, p.steps_of_a_list));
}

int run(const Options& o) {
  const auto machine = ClusterMachine::read(o.machine, o.changes, "--set");
  const auto print = [&](const Problem& p) {
    if (o.folder.empty())
      fmt::print("{}\n", answer(p, machine, o.band).dump());
    else
      write(p, o.folder);
  };
  if (!o.work.empty()) {
    if (!o.grid.empty() && o.grid.size() != 3) throw InputError("--grid: expected three numbers of ranks");
    print(problem_of_record(o));
    return 0;
  }
  const auto profile = MdProfile::read(o.profile);
  const auto load = MdWorkload::read(o.workload, o.load_changes);
  for (const int ranks : o.ranks) print(problem_of_profile(profile, load, ranks));
  return 0;
}

void add_options(CLI::App& app, Options& o) {
  app.add_option("--machine", o.machine, "a file of inputs/clusters/simulated")->required();
  app.add_option("--set", o.changes, "change of the machine file, KEY=VALUE");
  auto* const work = app.add_option("--work", o.work, "record of a simulated run");
  app.add_option("--grid", o.grid, "of ranks, three numbers, where not as recorded")
      ->needs(work)
      ->delimiter(',');
  auto* const profile =
      app.add_option("--profile", o.profile, "how a program works, a file of inputs/clusters/profiles");
  auto* const load = app.add_option("--workload", o.workload, "on what, a file of inputs/clusters/workloads");
  app.add_option("--workload-set", o.load_changes, "change of the workload file, KEY=VALUE")->needs(load);
  auto* const ranks = app.add_option("--ranks", o.ranks, "numbers of ranks, with commas")
                          ->delimiter(',')
                          ->check(CLI::Range(1, 1'000'000));
  work->excludes(profile)->excludes(load);
  profile->needs(load)->needs(ranks);
  load->needs(profile);
  app.add_flag("--band", o.band, "what becomes of it within the ranges of the machine's numbers");
  app.add_option("--write", o.folder,
                 "folder for the records of the last number of ranks, instead of answers");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The time of a step on a cluster, modelled", "cluster_step");
  Options options;
  add_options(app, options);
  return run_plain_program("cluster_step", [&] {
    try {
      app.parse(argc, argv);
    } catch (const CLI::CallForHelp& help) {
      return app.exit(help);
    } catch (const CLI::Error& e) {
      throw InputError(e.what());
    }
    if (options.work.empty() && options.profile.empty())
      throw InputError("found neither --work nor --profile, expected one of them");
    return run(options);
  });
}

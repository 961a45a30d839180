#include "tungsten_md/commands/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "common/errors.hpp"
#include "common/folder_lock.hpp"
#include "common/hdf5_file.hpp"
#include "common/option_checks.hpp"
#include "common/results/result.hpp"
#include "common/signals.hpp"
#include "tungsten_md/commands/beginning.hpp"
#include "tungsten_md/commands/deck_options.hpp"
#include "tungsten_md/commands/defect_reference.hpp"
#include "tungsten_md/commands/run_output.hpp"
#include "tungsten_md/commands/run_piece.hpp"
#include "tungsten_md/commands/run_target.hpp"
#include "tungsten_md/commands/start_state.hpp"
#include "tungsten_md/commands/thermal_expansion.hpp"

namespace wafermark::tungsten {
namespace {

struct RunOptions {
  std::string deck, out;
  RestartOptions restart;
  DeckOptions options;
};

/// Thrown on all ranks by a signal before the first step: there is nothing to keep.
struct StoppedEarly {};

int report_complete(const Communicator& comm, const OutputFolder& out, const nlohmann::json& result) {
  if (comm.is_root())
    fmt::print("{}/result.json: the run is complete ({} steps, {:.6g} ps); nothing was done\n", out.path(),
               result["end"]["step"].get<std::int64_t>(), result["end"]["time_ps"].get<double>());
  if (!result.value("valid", false)) throw CheckFailure(out.path() + "/result.json: complete, but not valid");
  return 0;
}

void refuse_hdf5_output(const Deck& deck, const OutputSettings& output) {
  const auto& formats = output.trajectory_formats;
  if (output.checkpoint_every > 0) deck.reject("output.checkpoint_every_steps", "0: this build has no HDF5");
  if (output.trajectory_every > 0 && std::find(formats.begin(), formats.end(), "h5md") != formats.end())
    deck.reject("output.trajectory_formats", "dump and xyz: this build has no HDF5");
}

/// `result`: null where OUT was not touched.
int end_early(const Communicator& comm, Result* result, const std::string& out, const std::string& why) {
  if (result != nullptr) {
    result->set_incomplete(why);
    result->write(comm, out);
  }
  if (comm.is_root()) fmt::print("{}\n", why);
  return 0;
}

/// From the first step to the result. `in_place`: OUT's own files are gone on with.
int run_piece(const Setting& s, const std::string& out, const Target& target,
              const std::optional<MeasuredExpansion>& expansion, bool in_place, Result& result,
              StopPoll& poll) {
  std::optional<RunOutput::FileSizes> resumes_at;
  if (in_place) resumes_at = target.from.at("files").get<RunOutput::FileSizes>();
  RunOutput output(
      s.comm, s.what, s.potential, out, target.start,
      defect_reference(s.comm, s.what, s.potential, target.from.is_null() ? &target.start : nullptr),
      resumes_at);
  output.announce(s.potential, *target.dynamics);
  for (const std::string& note : target.start.notes) fmt::print(stderr, "note: {}\n", note);
  Piece piece(s.comm, s.what, s.record, target, output, s.times, poll);
  piece.begin(!in_place, expansion);
  EnergyMeter meter(s.comm);
  const bool finished = piece.loop(meter);
  const EnergyReading energy = meter.read();
  if (!finished) {
    output.close();
    piece.add_progress_to(result);
    return end_early(s.comm, &result, out,
                     fmt::format("stopped by a signal after step {} ({:.6g} ps); go on with --restart auto",
                                 target.dynamics->steps_done(), target.dynamics->time_ps()));
  }
  piece.add_to(result, energy);
  output.flush();
  output.close();
  target.dynamics->write_files(out);
  result.write(s.comm, out);
  if (s.comm.is_root()) fmt::print("{}result: {}/result.json\n", result.summary(), out);
  if (!result.all_checks_pass()) throw CheckFailure("checks failed: " + result.failed_checks());
  return 0;
}

int run(const RunOptions& o) {
  const Communicator comm;
  const StopRequest stop;  // from here on: a signal while the run starts up is not lost
  StopPoll poll(stop, comm);
  Deck deck = o.options.read(o.deck);
  Case what = Case::read(deck);
  if (!has_hdf5()) refuse_hdf5_output(deck, what.output);
  const PotentialTables potential = what.load_potential();
  const CaseRecord record = CaseRecord::of(what, potential, o.options.target);
  prepare_output_directory(comm, o.out);
  const FolderLock lock(comm, o.out, "--out");
  const OutputFolder folder(comm, o.out);
  const Beginning beginning = choose_beginning(comm, o.restart, what, record, folder);
  if (!beginning.complete_result.is_null()) return report_complete(comm, folder, beginning.complete_result);

  Result result(comm, "tungsten_md", "run", o.options.target);
  result.set_deck(o.deck, deck.to_toml());
  result.set_section("case", record.to_json());
  // Nothing of an earlier run is touched before the input is found good.
  bool opened = false;
  const auto open_folder = [&] {
    if (std::exchange(opened, true)) return;
    if (!beginning.in_place) folder.clear();
    result.begin(comm, o.out);
  };
  RegionTimes times;
  const auto heed_signals = [&] {
    if (poll.stop()) throw StoppedEarly();
  };
  const auto relaxing = [&] {
    open_folder();
    heed_signals();
  };
  const Setting setting{
      comm,           what,    potential, record, times, beginning.checkpoints, folder.checkpoint(),
      deck.to_toml(), relaxing};
  std::optional<Target> target;
  std::optional<MeasuredExpansion> expansion;
  try {
    expansion = settle_expansion(comm, what, potential, beginning.checkpoints, heed_signals);
    target = o.options.target == "wafer" ? on_wafer(setting) : on_cluster(setting);
    if (stop.requested(comm)) throw StoppedEarly();
  } catch (const StoppedEarly&) {
    if (!o.restart.overwrite) open_folder();
    const std::string why = setting.checkpoints.empty()
                                ? "stopped by a signal before the first step: nothing is kept"
                                : "stopped by a signal before it went on; go on with --restart auto";
    return end_early(comm, opened ? &result : nullptr, o.out, why);
  }
  const std::int64_t step = target->dynamics->steps_done();
  if (step > what.run.steps)
    throw InputError(fmt::format(
        "--restart: the checkpoint is at step {}, expected a run.steps of at least that, found {}", step,
        what.run.steps));
  open_folder();
  return run_piece(setting, o.out, *target, expansion, beginning.in_place, result, poll);
}

}  // namespace

void add_run_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand("run", "Run a deck");
  auto o = std::make_shared<RunOptions>();
  command
      ->add_option("deck", o->deck, "TOML file; inputs/tungsten has examples, `info --keys` lists the keys")
      ->required()
      ->check(not_empty("a deck"));
  command->add_option("--out", o->out, "folder for result.json, trajectory and checkpoints")
      ->required()
      ->check(not_empty("a folder"));
  o->options.add_to(*command, {"cluster", "wafer"});
  command
      ->add_option("--restart", o->restart.restart,
                   "checkpoint to go on from; auto: the newest whole one in OUT when there is one, else from "
                   "the start")
      ->check(not_empty("a checkpoint, or auto"));
  command->add_flag("--overwrite", o->restart.overwrite,
                    "remove what an earlier run left in OUT, and begin anew");
  command->callback([o, &action] { action = [o] { return run(*o); }; });
}

}  // namespace wafermark::tungsten

// One piece of a run: from where it begins, anew or from a checkpoint, to its end or to a signal.
#pragma once

#include <array>
#include <nlohmann/json.hpp>

#include "common/energy_meter.hpp"
#include "common/results/result.hpp"
#include "common/runtime.hpp"
#include "common/signals.hpp"
#include "tungsten_md/commands/run_output.hpp"
#include "tungsten_md/commands/run_target.hpp"
#include "tungsten_md/commands/thermal_expansion.hpp"

namespace wafermark::tungsten {

/// What a run has done over all its pieces, as its checkpoints carry it on.
struct WholeRun {
  std::int64_t first_step = 0;
  double first_time_ps = 0.0;
  std::array<double, 3> momentum{};  ///< at the start
  std::int64_t hot_looks = 0;        ///< that found hot atoms at the border
  double loop_seconds = 0.0;         ///< of former pieces, up to their checkpoints
  int pieces = 1;
  nlohmann::json thermal_expansion;  ///< as it was measured; null where it was not

  nlohmann::json to_json() const {
    return {{"first_step", first_step},
            {"first_time_ps", first_time_ps},
            {"momentum", momentum},
            {"hot_looks", hot_looks},
            {"loop_seconds", loop_seconds},
            {"pieces", pieces},
            {"thermal_expansion", thermal_expansion}};
  }
  static WholeRun from_json(const nlohmann::json& j) {
    WholeRun w{j.at("first_step"),
               j.at("first_time_ps"),
               j.at("momentum").get<std::array<double, 3>>(),
               j.at("hot_looks"),
               j.at("loop_seconds"),
               j.at("pieces"),
               nullptr};
    if (j.contains("thermal_expansion")) w.thermal_expansion = j.at("thermal_expansion");
    return w;
  }
};

/// Every call is collective.
class Piece {
 public:
  Piece(const Communicator& comm, const Case& what, const CaseRecord& record, const Target& target,
        RunOutput& output, RegionTimes& times, StopPoll& poll)
      : comm_(comm),
        what_(what),
        record_(record),
        target_(target),
        output_(output),
        times_(times),
        poll_(poll),
        simulation_(*target.dynamics),
        first_step_(simulation_.steps_done()) {}

  /// The rows and frames of the state that it begins from. `new_files`: they hold none of it yet.
  void begin(bool new_files, const std::optional<MeasuredExpansion>& expansion);
  /// Steps. False when a signal ended them; a checkpoint is then written.
  bool loop(EnergyMeter& meter);
  void add_to(Result& result, const EnergyReading& energy);
  void add_progress_to(Result& result) const;
  bool finished() const {
    return simulation_.steps_done() >= what_.run.steps || simulation_.time_ps() >= what_.run.duration_ps ||
           !output_.dose_end().empty();
  }
  std::int64_t first_step() const { return first_step_; }

 private:
  /// Steps from now on that nobody looks at: the one behind them is due for something, or may be the last.
  std::int64_t unwatched_steps() const;
  void after_step(std::int64_t step, bool with_energy, EnergyMeter& meter);
  void look_for_hot_atoms();
  void save();
  /// What held the pressure, and where the box came to.
  void add_box(Result& result, const Thermo& last) const;
  double seconds() const { return runtime::seconds() - begin_; }

  const Communicator& comm_;
  const Case& what_;
  const CaseRecord& record_;
  const Target& target_;
  RunOutput& output_;
  RegionTimes& times_;
  StopPoll& poll_;
  Dynamics& simulation_;
  std::int64_t first_step_;
  WholeRun whole_;
  double begin_ = 0.0, loop_seconds_ = 0.0;
};

}  // namespace wafermark::tungsten

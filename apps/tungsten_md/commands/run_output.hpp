// What a run writes and prints while it goes: the thermo table, trajectories, defects.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/results/result.hpp"
#include "tungsten_md/analysis/defect_series.hpp"
#include "tungsten_md/analysis/stored_sites.hpp"
#include "tungsten_md/io/trajectory.hpp"
#include "tungsten_md/model/case.hpp"
#include "tungsten_md/model/dynamics.hpp"

namespace wafermark::tungsten {

/// Whether what happens every `interval` steps (0: never) happens after `step` steps.
inline bool due(std::int64_t step, std::int64_t interval) { return interval > 0 && step % interval == 0; }

/// Every call is collective.
class RunOutput {
 public:
  /// `start`: the state that the run begins from; `reference`: what defects are counted against. `resumes`:
  /// go on with the files of OUT, without what they hold beyond the step of `start`.
  RunOutput(const Communicator& comm, const Case& what, const std::string& out, const Configuration& start,
            std::unique_ptr<ReferenceSites> reference, bool resumes);

  /// The head of the log: what runs where.
  void announce(const PotentialTables& potential, const Dynamics& dynamics) const;
  /// A row of the thermo table.
  void thermo(const Thermo& t, double energy_error_ev);
  std::int64_t last_thermo_step() const { return rows_.empty() ? -1 : rows_.back().step; }
  /// Trajectory frame and defects, where they are due after this step.
  void frame(const Dynamics& dynamics);
  /// Defects and files of the last step, due or not.
  void last_frame(const Dynamics& dynamics);
  void write_state(const Dynamics& dynamics, const std::string& name) const;
  /// Tables so far: thermo.csv, defects.json, defects.csv.
  void flush() const;
  /// The sections "thermo" and "defects", and the figures of the defects.
  void add_to(Result& result, const Dynamics& dynamics) const;

 private:
  void trajectory_frame(const Dynamics& dynamics);
  void count_defects(const Dynamics& dynamics);
  /// For the models' predictions: none unless the target is tungsten.
  std::vector<double> pka_energies() const;

  const Communicator& comm_;
  const Case& case_;
  std::string out_;
  Box box_;
  std::unique_ptr<ReferenceSites> reference_;
  ClusterCutoffs cutoffs_;
  DefectSeries defects_;
  std::optional<TrajectoryWriter> h5md_;
  bool append_text_ = false;
  struct Row {
    std::int64_t step;
    std::string csv;
  };
  std::vector<Row> rows_;
};

}  // namespace wafermark::tungsten

// What a run writes and prints while it goes: the thermo table, trajectories, defects.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/results/result.hpp"
#include "tungsten_md/analysis/defect_series.hpp"
#include "tungsten_md/analysis/dose.hpp"
#include "tungsten_md/analysis/stored_sites.hpp"
#include "tungsten_md/io/trajectory.hpp"
#include "tungsten_md/model/case.hpp"
#include "tungsten_md/model/dynamics.hpp"
#include "tungsten_md/model/perfect_crystal.hpp"

namespace wafermark::tungsten {

/// Whether what happens every `interval` steps (0: never) happens after `step` steps.
inline bool due(std::int64_t step, std::int64_t interval) { return interval > 0 && step % interval == 0; }

/// Every call is collective.
class RunOutput {
 public:
  /// How far the trajectories went at a checkpoint: file name -> bytes of texts, frames of trajectory.h5.
  using FileSizes = std::map<std::string, std::int64_t>;

  /// `start`: the state that the run begins from; `reference`: what defects are counted against.
  /// `resumes_at`: go on with the files of OUT, without what they hold beyond the step of `start`; text
  /// trajectories are cut to these sizes. A note on stderr tells of every row and frame that is missing.
  RunOutput(const Communicator& comm, const Case& what, const PotentialTables& potential,
            const std::string& out, const Configuration& start, std::unique_ptr<ReferenceSites> reference,
            const std::optional<FileSizes>& resumes_at);

  /// The head of the log: what runs where.
  void announce(const PotentialTables& potential, const Dynamics& dynamics) const;
  /// A row of the thermo table and of the log.
  void thermo(const Thermo& t, double energy_error_ev);
  /// A row of the log alone: where a run goes on.
  void log(const Thermo& t, double energy_error_ev) const;
  std::int64_t last_thermo_step() const { return last_row_; }
  /// Trajectory frame and defects, where they are due after this step.
  void frame(const Dynamics& dynamics);
  /// Why a dose ends after the last count: "dose", "saturation"; empty: it goes on, or there is none.
  const std::string& dose_end() const { return dose_end_; }
  /// Defects and files of the last step, due or not.
  void last_frame(const Dynamics& dynamics);
  void write_state(const Dynamics& dynamics, const std::string& name) const;
  /// Tables so far: thermo.csv, defects.json, defects.csv. Before a checkpoint, so that no row that belongs
  /// to it is ever missing; rows beyond a checkpoint are dropped when a run goes on from it.
  void flush() const;
  /// Of the trajectories, whose frames are on the disk. On all ranks.
  FileSizes file_sizes() const;
  /// Closes the trajectory and says whether that went well.
  void close();
  /// Energies, recoils (those that the run was too short for are counted, and told on stderr), defects, and
  /// the figures of the defects.
  void add_to(Result& result, const Dynamics& dynamics) const;

 private:
  void resume_tables(std::int64_t step);
  void resume_text_trajectories(const FileSizes& sizes);
  void open_trajectory(const Configuration& start, const std::optional<FileSizes>& resumes_at);
  std::optional<TrajectoryWriter> resumed_trajectory(const std::string& path, std::int64_t step,
                                                     std::int64_t expected) const;
  void trajectory_frame(const Dynamics& dynamics);
  void count_defects(const Dynamics& dynamics);
  std::string end_of_dose() const;
  nlohmann::json dose_section(const Dynamics& dynamics) const;
  /// What defects store, where the atoms are at rest in a box without faces and the crystal is of one
  /// element.
  void add_stored_energy(Result& result, const Dynamics& dynamics) const;
  /// For the models' predictions: none unless the target is tungsten.
  std::vector<double> pka_energies() const;

  const Communicator& comm_;
  const Case& case_;
  std::string out_;
  Box box_;
  std::unique_ptr<ReferenceSites> reference_;
  ClusterCutoffs cutoffs_;
  DoseModel dose_model_;
  std::optional<PerfectCrystal> crystal_;  ///< of the sites, where they are a lattice of one element
  std::string dose_end_;
  DefectSeries defects_;
  std::optional<TrajectoryWriter> h5md_;
  std::set<std::string> begun_;    ///< text trajectories that have frames of this run
  std::vector<std::string> rows_;  ///< of the table; those of former pieces on rank 0 alone
  std::int64_t last_row_ = -1;     ///< its step, on all ranks
};

}  // namespace wafermark::tungsten

// Defects through time, as a run or a stored trajectory records them, and the file that plots and reports
// read.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tungsten_md/analysis/clusters.hpp"
#include "tungsten_md/analysis/defects.hpp"

namespace wafermark::tungsten {

/// One analysed moment. Counts of clusters count those of two or more defects.
struct DefectRow {
  std::int64_t step = 0;
  double time_ps = 0.0;
  std::int64_t vacancies = 0, interstitials = 0;
  std::optional<std::int64_t> replacements;
  std::optional<double> mixing_angstrom2;  ///< Defects::mixing_angstrom2
  std::optional<double> mean_squared_displacement_angstrom2{};
  std::int64_t outside = 0;
  std::int64_t vacancy_clusters = 0, largest_vacancy_cluster = 0;
  std::int64_t interstitial_clusters = 0, largest_interstitial_cluster = 0;
  double clustered_vacancy_fraction = 0.0, clustered_interstitial_fraction = 0.0;
  // Interstitial clusters of four or more, by the direction of their atoms (cluster_shapes.hpp); none in rows
  // of files that did not know them.
  std::optional<std::int64_t> loops_111{}, loops_100{}, loops_other{};
  std::optional<std::int64_t> gas_interstitials{}, gas_in_vacancies{};  ///< where there is gas
  // Where the count is of a run, which knows what its sample has had (Dose in analysis/dose.hpp).
  std::optional<std::int64_t> events{}, at_rest{};  ///< at_rest 1: the last of them had come to rest
  std::optional<double> dpa{}, dpa_arc{};

  std::int64_t frenkel_pairs() const { return std::min(vacancies, interstitials); }
};

/// The defects of one moment with their clusters, for pictures.
struct DefectSnapshot {
  DefectRow row;
  Box box;  ///< of the configuration; positions lie in it
  Defects defects;
  Clusters vacancies, interstitials;
};

/// Counts, clusters and positions of one configuration. Collective; the same on all ranks.
DefectSnapshot analyse_defects(const Communicator& comm, const Configuration& configuration,
                               const ReferenceSites& sites, const ClusterCutoffs& cutoffs);

/// Rows in the order of time; the snapshots of the peak and of the last row are kept whole. The same on all
/// ranks.
class DefectSeries {
 public:
  void add(DefectSnapshot snapshot);

  const std::vector<DefectRow>& rows() const { return rows_; }
  bool empty() const { return rows_.empty(); }
  /// The row with most Frenkel pairs (the first such) and the last row. There must be rows.
  const DefectRow& peak() const;
  const DefectRow& survivors() const { return rows_.back(); }
  /// Positions at the peak and at the end; none for rows that came from a file without them.
  const std::optional<DefectSnapshot>& peak_snapshot() const { return peak_; }
  const std::optional<DefectSnapshot>& last_snapshot() const { return last_; }

  /// {"columns": {"time_ps": [...], ...}, "peak": {...}, "survivors": {...}}
  nlohmann::json summary() const;
  /// A table, one line per row, the first naming the columns.
  std::string csv() const;

  /// Everything, as DIR/defects.json has it: the summary, the box, the snapshots (defect_json.hpp) and, where
  /// `pka_energies_ev` are given, the models' predictions for tungsten.
  nlohmann::json document(const Box& box, const ClusterCutoffs& cutoffs,
                          const std::vector<double>& pka_energies_ev = {}) const;
  /// The series of a document() up to and including `last_step`, to go on after a restart. Throws InputError
  /// naming `file` when the document is not one.
  static DefectSeries resume(const nlohmann::json& document, std::int64_t last_step, const std::string& file);

 private:
  std::vector<DefectRow> rows_;
  std::optional<DefectSnapshot> peak_, last_;
};

/// Writes DIR/defects.json and DIR/defects.csv (rank 0, each under a temporary name first). Collective.
void write_defects(const Communicator& comm, const std::string& directory, const DefectSeries& series,
                   const Box& box, const ClusterCutoffs& cutoffs,
                   const std::vector<double>& pka_energies_ev = {});
/// Reads DIR/defects.json back, an empty series when there is none. Collective.
DefectSeries resume_defects(const Communicator& comm, const std::string& directory, std::int64_t last_step);

}  // namespace wafermark::tungsten

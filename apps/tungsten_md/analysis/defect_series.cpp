#include "tungsten_md/analysis/defect_series.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "common/errors.hpp"
#include "common/results/result.hpp"
#include "tungsten_md/analysis/cluster_shapes.hpp"
#include "tungsten_md/analysis/damage_models.hpp"
#include "tungsten_md/analysis/defect_json.hpp"

namespace wafermark::tungsten {

using nlohmann::json;

DefectSnapshot analyse_defects(const Communicator& comm, const Configuration& configuration,
                               const ReferenceSites& sites, const ClusterCutoffs& cutoffs) {
  DefectSnapshot s;
  s.defects = find_defects(comm, configuration, sites);
  s.box = configuration.box;
  s.vacancies = vacancy_clusters(s.defects, s.box, cutoffs.vacancy);
  s.interstitials = interstitial_clusters(s.defects, s.box, cutoffs.interstitial);
  const LoopCount loops = count_loops(interstitial_shapes(s.defects, s.interstitials, s.box));
  s.row = {.step = configuration.step,
           .time_ps = configuration.time_ps,
           .vacancies = static_cast<std::int64_t>(s.defects.vacancies.size()),
           .interstitials = static_cast<std::int64_t>(s.defects.interstitials.size()),
           .replacements = s.defects.replacements,
           .mixing_angstrom2 = s.defects.mixing_angstrom2,
           .mean_squared_displacement_angstrom2 = s.defects.mean_squared_displacement_angstrom2,
           .outside = s.defects.outside,
           .vacancy_clusters = s.vacancies.count(),
           .largest_vacancy_cluster = s.vacancies.largest(),
           .interstitial_clusters = s.interstitials.count(),
           .largest_interstitial_cluster = s.interstitials.largest(),
           .clustered_vacancy_fraction = s.vacancies.clustered_fraction(),
           .clustered_interstitial_fraction = s.interstitials.clustered_fraction(),
           .loops_111 = loops.body_diagonal,
           .loops_100 = loops.cube_edge,
           .loops_other = loops.other};
  if (s.defects.has_gas) {
    const auto& gas = s.defects.gas;
    s.row.gas_in_vacancies =
        std::count_if(gas.begin(), gas.end(), [](const GasAtom& g) { return g.in_vacancy; });
    s.row.gas_interstitials = static_cast<std::int64_t>(gas.size()) - *s.row.gas_in_vacancies;
  }
  return s;
}

void DefectSeries::add(DefectSnapshot snapshot) {
  if (rows_.empty() || snapshot.row.frenkel_pairs() > peak().frenkel_pairs()) peak_ = snapshot;
  rows_.push_back(snapshot.row);
  last_ = std::move(snapshot);
}

const DefectRow& DefectSeries::peak() const {
  return *std::max_element(rows_.begin(), rows_.end(), [](const DefectRow& a, const DefectRow& b) {
    return a.frenkel_pairs() < b.frenkel_pairs();
  });
}

json DefectSeries::summary() const {
  const DefectRow none;
  json columns = json::object();
  for_each_column(none, [&](const char* name, const auto&) { columns[name] = json::array(); });
  for (const DefectRow& row : rows_)
    for_each_column(
        row, [&](const char* name, const auto& value) { columns[name].push_back(value_to_json(value)); });
  json j = {{"columns", columns}};
  j["peak"] = rows_.empty() ? json() : row_to_json(peak());
  j["survivors"] = rows_.empty() ? json() : row_to_json(survivors());
  if (last_) j["survivors_by_element"] = counts_by_element(last_->defects);
  return j;
}

std::string DefectSeries::csv() const {
  const DefectRow none;
  std::vector<std::string> cells;
  for_each_column(none, [&](const char* name, const auto&) { cells.push_back(name); });
  std::string text = fmt::format("{}\n", fmt::join(cells, ","));
  for (const DefectRow& row : rows_) {
    cells.clear();
    for_each_column(row, [&](const char*, const auto& value) {
      const json j = value_to_json(value);
      cells.push_back(j.is_null() ? "" : j.dump());
    });
    text += fmt::format("{}\n", fmt::join(cells, ","));
  }
  return text;
}

json DefectSeries::document(const Box& box, const ClusterCutoffs& cutoffs,
                            const std::vector<double>& pka_energies_ev) const {
  json j = {
      {"format", "wafermark-defects-2"},
      {"box", box_to_json(box)},
      {"cluster_cutoffs_angstrom", {{"vacancy", cutoffs.vacancy}, {"interstitial", cutoffs.interstitial}}},
      {"series", summary()}};
  j["peak_snapshot"] = peak_ ? snapshot_to_json(*peak_) : json();
  j["last_snapshot"] = last_ ? snapshot_to_json(*last_) : json();
  if (!pka_energies_ev.empty()) {
    // Several recoils far apart add up.
    std::vector<DamagePrediction> total;
    for (double energy : pka_energies_ev) {
      const std::vector<DamagePrediction> one = tungsten_predictions(energy);
      if (total.empty())
        total = one;
      else
        for (std::size_t k = 0; k < one.size(); ++k) total[k].pairs += one[k].pairs;
    }
    j["pka_energies_ev"] = pka_energies_ev;
    j["predicted_frenkel_pairs"] = json::object();
    for (const DamagePrediction& p : total) j["predicted_frenkel_pairs"][p.name] = p.pairs;
  }
  return j;
}

DefectSeries DefectSeries::resume(const json& document, std::int64_t last_step, const std::string& file) {
  DefectSeries series;
  try {
    const json& columns = document.at("series").at("columns");
    for (std::size_t k = 0; k < columns.at("step").size(); ++k) {
      DefectRow row;
      for_each_column(row, [&](const char* name, auto& value) {
        const json& column = member(columns, name, value);
        value_from_json(column.is_null() ? column : column.at(k), value);
      });
      if (row.step <= last_step) series.rows_.push_back(row);
    }
    series.peak_ = snapshot_from_json(document.at("peak_snapshot"));
    series.last_ = snapshot_from_json(document.at("last_snapshot"));
  } catch (const json::exception& e) {
    throw InputError(fmt::format("{}: found {}, expected the defects of a run", file, e.what()));
  }
  if (series.peak_ && series.peak_->row.step > last_step) series.peak_.reset();
  if (series.last_ && series.last_->row.step > last_step) series.last_.reset();
  return series;
}

void write_defects(const Communicator& comm, const std::string& directory, const DefectSeries& series,
                   const Box& box, const ClusterCutoffs& cutoffs,
                   const std::vector<double>& pka_energies_ev) {
  std::string problem;
  if (comm.is_root()) try {
      write_text_file(directory + "/defects.json",
                      series.document(box, cutoffs, pka_energies_ev).dump(1) + "\n");
      write_text_file(directory + "/defects.csv", series.csv());
    } catch (const std::exception& e) {
      problem = message_of(e);
    }
  comm.fail_together(!problem.empty(), problem);
}

DefectSeries resume_defects(const Communicator& comm, const std::string& directory, std::int64_t last_step) {
  const std::string path = directory + "/defects.json";
  std::string text;
  if (comm.is_root()) {
    std::ifstream file(path, std::ios::binary);
    text.assign(std::istreambuf_iterator<char>(file), {});
  }
  comm.broadcast(text);
  if (text.empty()) return {};
  const json document = json::parse(text, nullptr, false);
  if (document.is_discarded())
    throw InputError(path + ": found no valid JSON, expected the defects of a run");
  return DefectSeries::resume(document, last_step, path);
}

}  // namespace wafermark::tungsten

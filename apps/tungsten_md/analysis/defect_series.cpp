#include "tungsten_md/analysis/defect_series.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "common/errors.hpp"
#include "common/results/result.hpp"
#include "tungsten_md/analysis/damage_models.hpp"

namespace wafermark::tungsten {

using nlohmann::json;

namespace {

/// The columns of a row, in one place for JSON, CSV and reading back: f(name, value).
template <class Row, class F>
void for_each_column(Row& row, F&& f) {
  f("step", row.step);
  f("time_ps", row.time_ps);
  f("vacancies", row.vacancies);
  f("interstitials", row.interstitials);
  f("replacements", row.replacements);
  f("mixing_angstrom2", row.mixing_angstrom2);
  f("outside", row.outside);
  f("vacancy_clusters", row.vacancy_clusters);
  f("largest_vacancy_cluster", row.largest_vacancy_cluster);
  f("interstitial_clusters", row.interstitial_clusters);
  f("largest_interstitial_cluster", row.largest_interstitial_cluster);
  f("clustered_vacancy_fraction", row.clustered_vacancy_fraction);
  f("clustered_interstitial_fraction", row.clustered_interstitial_fraction);
  f("events", row.events);
  f("at_rest", row.at_rest);
  f("dpa", row.dpa);
  f("dpa_arc", row.dpa_arc);
}

template <class T>
json value_to_json(const T& value) {
  return value;
}
template <class T>
json value_to_json(const std::optional<T>& value) {
  return value ? json(*value) : json();
}
template <class T>
void value_from_json(const json& j, T& value) {
  value = j.get<T>();
}
template <class T>
void value_from_json(const json& j, std::optional<T>& value) {
  value = j.is_null() ? std::nullopt : std::optional<T>(j.get<T>());
}
/// A member of a table; files of earlier versions lack some that need not be known.
template <class T>
const json& member(const json& table, const char* name, const T&) {
  return table.at(name);
}
template <class T>
const json& member(const json& table, const char* name, const std::optional<T>&) {
  static const json unknown;
  const auto found = table.find(name);
  return found == table.end() ? unknown : *found;
}

json row_to_json(const DefectRow& row) {
  json j = json::object();
  for_each_column(row, [&](const char* name, const auto& value) { j[name] = value_to_json(value); });
  j["frenkel_pairs"] = row.frenkel_pairs();
  return j;
}

DefectRow row_from_json(const json& j) {
  DefectRow row;
  for_each_column(row,
                  [&](const char* name, auto& value) { value_from_json(member(j, name, value), value); });
  return row;
}

json box_to_json(const Box& box) {
  return {{"lo_angstrom", box.lo}, {"hi_angstrom", box.hi}, {"periodic", box.periodic}};
}

json snapshot_to_json(const DefectSnapshot& s) {
  json j = {{"row", row_to_json(s.row)}, {"drift", s.defects.drift}, {"box", box_to_json(s.box)}};
  if (!s.defects.replacements) j["replacements_note"] = s.defects.replacements_note;
  json& vacancies = j["vacancies"] = {{"site", json::array()}, {"position", json::array()}};
  for (const Vacancy& v : s.defects.vacancies) {
    vacancies["site"].push_back(v.site);
    vacancies["position"].push_back(v.position);
  }
  vacancies["cluster"] = s.vacancies.label;
  vacancies["cluster_sizes"] = s.vacancies.sizes;
  json& interstitials = j["interstitials"] = {{"site", json::array()},
                                              {"position", json::array()},
                                              {"atom", json::array()},
                                              {"atom_position", json::array()}};
  for (const Interstitial& i : s.defects.interstitials) {
    interstitials["site"].push_back(i.site);
    interstitials["position"].push_back(i.position);
    interstitials["atom"].push_back(i.atom);
    interstitials["atom_position"].push_back(i.atom_position);
  }
  interstitials["cluster"] = s.interstitials.label;
  interstitials["cluster_sizes"] = s.interstitials.sizes;
  return j;
}

std::optional<DefectSnapshot> snapshot_from_json(const json& j) {
  if (j.is_null()) return std::nullopt;
  DefectSnapshot s;
  s.row = row_from_json(j.at("row"));
  s.defects.drift = j.at("drift").get<Vec3>();
  s.defects.outside = s.row.outside;
  s.defects.replacements = s.row.replacements;
  s.defects.mixing_angstrom2 = s.row.mixing_angstrom2;
  s.defects.replacements_note = j.value("replacements_note", "");
  const json& box = j.at("box");
  s.box = {box.at("lo_angstrom").get<Vec3>(), box.at("hi_angstrom").get<Vec3>(),
           box.at("periodic").get<std::array<bool, 3>>()};
  const json& vacancies = j.at("vacancies");
  for (std::size_t k = 0; k < vacancies.at("site").size(); ++k)
    s.defects.vacancies.push_back({vacancies.at("site").at(k), vacancies.at("position").at(k).get<Vec3>()});
  s.vacancies.label = vacancies.at("cluster").get<std::vector<int>>();
  s.vacancies.sizes = vacancies.at("cluster_sizes").get<std::vector<std::int64_t>>();
  const json& interstitials = j.at("interstitials");
  for (std::size_t k = 0; k < interstitials.at("site").size(); ++k)
    s.defects.interstitials.push_back(
        {interstitials.at("site").at(k), interstitials.at("position").at(k).get<Vec3>(),
         interstitials.at("atom").at(k), interstitials.at("atom_position").at(k).get<Vec3>()});
  s.interstitials.label = interstitials.at("cluster").get<std::vector<int>>();
  s.interstitials.sizes = interstitials.at("cluster_sizes").get<std::vector<std::int64_t>>();
  return s;
}

}  // namespace

DefectSnapshot analyse_defects(const Communicator& comm, const Configuration& configuration,
                               const ReferenceSites& sites, const ClusterCutoffs& cutoffs) {
  DefectSnapshot s;
  s.defects = find_defects(comm, configuration, sites);
  s.box = configuration.box;
  s.vacancies = vacancy_clusters(s.defects, s.box, cutoffs.vacancy);
  s.interstitials = interstitial_clusters(s.defects, s.box, cutoffs.interstitial);
  s.row = {.step = configuration.step,
           .time_ps = configuration.time_ps,
           .vacancies = static_cast<std::int64_t>(s.defects.vacancies.size()),
           .interstitials = static_cast<std::int64_t>(s.defects.interstitials.size()),
           .replacements = s.defects.replacements,
           .mixing_angstrom2 = s.defects.mixing_angstrom2,
           .outside = s.defects.outside,
           .vacancy_clusters = s.vacancies.count(),
           .largest_vacancy_cluster = s.vacancies.largest(),
           .interstitial_clusters = s.interstitials.count(),
           .largest_interstitial_cluster = s.interstitials.largest(),
           .clustered_vacancy_fraction = s.vacancies.clustered_fraction(),
           .clustered_interstitial_fraction = s.interstitials.clustered_fraction()};
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

// Rows and snapshots of defects as defects.json holds them.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "tungsten_md/analysis/defect_series.hpp"

namespace wafermark::tungsten {

/// The columns of a row, in one place for JSON, CSV and reading back: f(name, value).
template <class Row, class F>
void for_each_column(Row& row, F&& f) {
  f("step", row.step);
  f("time_ps", row.time_ps);
  f("vacancies", row.vacancies);
  f("interstitials", row.interstitials);
  f("replacements", row.replacements);
  f("mixing_angstrom2", row.mixing_angstrom2);
  f("mean_squared_displacement_angstrom2", row.mean_squared_displacement_angstrom2);
  f("outside", row.outside);
  f("vacancy_clusters", row.vacancy_clusters);
  f("largest_vacancy_cluster", row.largest_vacancy_cluster);
  f("interstitial_clusters", row.interstitial_clusters);
  f("largest_interstitial_cluster", row.largest_interstitial_cluster);
  f("clustered_vacancy_fraction", row.clustered_vacancy_fraction);
  f("clustered_interstitial_fraction", row.clustered_interstitial_fraction);
  f("loops_111", row.loops_111);
  f("loops_100", row.loops_100);
  f("loops_other", row.loops_other);
  f("gas_interstitials", row.gas_interstitials);
  f("gas_in_vacancies", row.gas_in_vacancies);
  f("events", row.events);
  f("at_rest", row.at_rest);
  f("dpa", row.dpa);
  f("dpa_arc", row.dpa_arc);
}

template <class T>
nlohmann::json value_to_json(const T& value) {
  return value;
}
template <class T>
nlohmann::json value_to_json(const std::optional<T>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}
template <class T>
void value_from_json(const nlohmann::json& j, T& value) {
  value = j.get<T>();
}
template <class T>
void value_from_json(const nlohmann::json& j, std::optional<T>& value) {
  value = j.is_null() ? std::nullopt : std::optional<T>(j.get<T>());
}
/// A member of a table; files of earlier versions lack some that need not be known.
template <class T>
const nlohmann::json& member(const nlohmann::json& table, const char* name, const T&) {
  return table.at(name);
}
template <class T>
const nlohmann::json& member(const nlohmann::json& table, const char* name, const std::optional<T>&) {
  static const nlohmann::json unknown;
  const auto found = table.find(name);
  return found == table.end() ? unknown : *found;
}

nlohmann::json row_to_json(const DefectRow& row);
DefectRow row_from_json(const nlohmann::json& j);

nlohmann::json box_to_json(const Box& box);

/// Positions by kind, cluster labels, sizes and shapes, gas, profiles, and the box of that moment.
nlohmann::json snapshot_to_json(const DefectSnapshot& snapshot);
/// Back; none where there is none. Throws nlohmann::json::exception when it is something else.
std::optional<DefectSnapshot> snapshot_from_json(const nlohmann::json& j);

/// How many interstitials and gas atoms there are of each element:
/// {"interstitials": {"W": 3}, "gas": {"He": 5}}.
nlohmann::json counts_by_element(const Defects& defects);

}  // namespace wafermark::tungsten

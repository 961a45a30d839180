#include "tungsten_md/analysis/defect_json.hpp"

#include <algorithm>
#include <cmath>

#include "tungsten_md/analysis/cluster_shapes.hpp"

namespace wafermark::tungsten {

using nlohmann::json;

namespace {

constexpr std::size_t profile_bins = 20;

/// How many of these lie in each of equal slices of the box along an axis; what lies beyond an open face
/// counts in the last slice before it.
std::vector<std::int64_t> profile(const std::vector<Vec3>& places, const Box& box, int axis) {
  std::vector<std::int64_t> counts(profile_bins, 0);
  for (const Vec3& p : places) {
    const double slice = std::floor((p[axis] - box.lo[axis]) / box.length(axis) * profile_bins);
    ++counts[slice > 0.0 ? static_cast<std::size_t>(std::min(slice, profile_bins - 1.0)) : 0];
  }
  return counts;
}

json profiles_to_json(const DefectSnapshot& s) {
  std::vector<Vec3> vacancies, interstitials, gas;
  for (const Vacancy& v : s.defects.vacancies) vacancies.push_back(v.position);
  for (const Interstitial& i : s.defects.interstitials) interstitials.push_back(i.position);
  for (const GasAtom& g : s.defects.gas) gas.push_back(g.position);
  json j = json::object();
  for (int axis = 0; axis < 3; ++axis) {
    json& of_axis = j[std::string(1, "xyz"[axis])];
    of_axis = {{"vacancies", profile(vacancies, s.box, axis)},
               {"interstitials", profile(interstitials, s.box, axis)}};
    if (s.defects.has_gas) of_axis["gas"] = profile(gas, s.box, axis);
  }
  return j;
}

json shapes_to_json(const std::vector<ClusterShape>& shapes, const char* direction) {
  json list = json::array();
  for (const ClusterShape& s : shapes) {
    list.push_back({{"cluster", s.label},
                    {"size", s.size},
                    {"centre", s.centre},
                    {direction, s.direction},
                    {"extent_along_angstrom", s.along_angstrom},
                    {"extent_across_angstrom", s.across_angstrom}});
    if (s.alignment > 0.0) {
      list.back()["character"] = name_of(s.family);
      list.back()["alignment"] = s.alignment;
    }
  }
  return list;
}

json vacancies_to_json(const DefectSnapshot& s) {
  json j = {{"site", json::array()}, {"position", json::array()}};
  for (const Vacancy& v : s.defects.vacancies) {
    j["site"].push_back(v.site);
    j["position"].push_back(v.position);
  }
  j["cluster"] = s.vacancies.label;
  j["cluster_sizes"] = s.vacancies.sizes;
  j["shapes"] = shapes_to_json(vacancy_shapes(s.defects, s.vacancies, s.box), "flattest_along");
  return j;
}

json interstitials_to_json(const DefectSnapshot& s) {
  json j = json::object();
  for (const char* name : {"site", "position", "atom", "atom_position", "partner_position", "element"})
    j[name] = json::array();
  for (const Interstitial& i : s.defects.interstitials) {
    j["site"].push_back(i.site);
    j["position"].push_back(i.position);
    j["atom"].push_back(i.atom);
    j["atom_position"].push_back(i.atom_position);
    j["partner_position"].push_back(i.partner_position);
    j["element"].push_back(i.element);
  }
  j["cluster"] = s.interstitials.label;
  j["cluster_sizes"] = s.interstitials.sizes;
  j["shapes"] = shapes_to_json(interstitial_shapes(s.defects, s.interstitials, s.box), "burgers_direction");
  return j;
}

json gas_to_json(const Defects& defects) {
  json j = json::object();
  for (const char* name : {"atom", "site", "position", "element", "in_vacancy"}) j[name] = json::array();
  for (const GasAtom& g : defects.gas) {
    j["atom"].push_back(g.atom);
    j["site"].push_back(g.site);
    j["position"].push_back(g.position);
    j["element"].push_back(g.element);
    j["in_vacancy"].push_back(g.in_vacancy);
  }
  return j;
}

void read_interstitials(const json& j, DefectSnapshot& s) {
  // Files of earlier versions have no partners and no elements.
  const bool whole = j.contains("partner_position") && j.contains("element");
  for (std::size_t k = 0; k < j.at("site").size(); ++k) {
    const Vec3 atom = j.at("atom_position").at(k).get<Vec3>();
    s.defects.interstitials.push_back({j.at("site").at(k), j.at("position").at(k).get<Vec3>(),
                                       j.at("atom").at(k), atom,
                                       whole ? j.at("partner_position").at(k).get<Vec3>() : atom,
                                       whole ? j.at("element").at(k).get<std::string>() : ""});
  }
  s.interstitials.label = j.at("cluster").get<std::vector<int>>();
  s.interstitials.sizes = j.at("cluster_sizes").get<std::vector<std::int64_t>>();
}

void read_gas(const json& j, Defects& defects) {
  defects.has_gas = true;
  for (std::size_t k = 0; k < j.at("atom").size(); ++k)
    defects.gas.push_back({j.at("atom").at(k), j.at("site").at(k), j.at("position").at(k).get<Vec3>(),
                           j.at("element").at(k), j.at("in_vacancy").at(k)});
}

/// Every label must name a cluster, and there must be one for each defect: shapes are looked up by them.
void require_labels(const Clusters& clusters, std::size_t defects) {
  const auto bad = [&](int label) { return label < 0 || label >= static_cast<int>(clusters.sizes.size()); };
  if (clusters.label.size() != defects || std::any_of(clusters.label.begin(), clusters.label.end(), bad))
    throw json::other_error::create(500, "cluster labels that are not those of the defects", nullptr);
}

}  // namespace

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
  j["vacancies"] = vacancies_to_json(s);
  j["interstitials"] = interstitials_to_json(s);
  if (s.defects.has_gas) j["gas"] = gas_to_json(s.defects);
  j["profiles"] = profiles_to_json(s);
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
  s.defects.mean_squared_displacement_angstrom2 = s.row.mean_squared_displacement_angstrom2;
  s.defects.replacements_note = j.value("replacements_note", "");
  const json& box = j.at("box");
  s.box = {box.at("lo_angstrom").get<Vec3>(), box.at("hi_angstrom").get<Vec3>(),
           box.at("periodic").get<std::array<bool, 3>>()};
  const json& vacancies = j.at("vacancies");
  for (std::size_t k = 0; k < vacancies.at("site").size(); ++k)
    s.defects.vacancies.push_back({vacancies.at("site").at(k), vacancies.at("position").at(k).get<Vec3>()});
  s.vacancies.label = vacancies.at("cluster").get<std::vector<int>>();
  s.vacancies.sizes = vacancies.at("cluster_sizes").get<std::vector<std::int64_t>>();
  read_interstitials(j.at("interstitials"), s);
  if (j.contains("gas")) read_gas(j.at("gas"), s.defects);
  require_labels(s.vacancies, s.defects.vacancies.size());
  require_labels(s.interstitials, s.defects.interstitials.size());
  return s;
}

json counts_by_element(const Defects& defects) {
  json j = {{"interstitials", json::object()}};
  const auto count = [](json& of, const std::string& element) { of[element] = of.value(element, 0) + 1; };
  for (const Interstitial& i : defects.interstitials) count(j["interstitials"], i.element);
  if (defects.has_gas) j["gas"] = json::object();
  for (const GasAtom& g : defects.gas) count(j["gas"], g.element);
  return j;
}

}  // namespace wafermark::tungsten

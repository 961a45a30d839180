#include "common/results/simulated_outcome.hpp"

#include <fmt/format.h>

#include <string>

namespace wafermark {
namespace {

bool is_rate(const nlohmann::json& figure) { return figure.at("unit").get<std::string>().ends_with("/s"); }

nlohmann::json* figure_named(nlohmann::json& result, const std::string& name) {
  for (auto& f : result.at("figures"))
    if (f.at("name") == name) return &f;
  return nullptr;
}

void add_joules(nlohmann::json& result, double watts) {
  const auto* const seconds = figure_named(result, "loop_seconds");
  if (seconds == nullptr || seconds->at("value").is_null()) return;
  result["energy"] = {{"joules", watts * seconds->at("value").get<double>()},
                      {"source", "model"},
                      {"note", fmt::format("{:.6g} W of the simulated machine, of the timed steps", watts)}};
  auto* const of_step = figure_named(result, "joules_per_atom_step");
  const auto* const rate = figure_named(result, "atom_steps_per_second");
  if (of_step == nullptr || rate == nullptr || !rate->at("value").is_number() || rate->at("value") == 0.0)
    return;
  (*of_step)["value"] = watts / rate->at("value").get<double>();
  (*of_step)["note"] = result["energy"]["note"];
}

}  // namespace

void add_simulated_outcome(nlohmann::json& result, const nlohmann::json& outcome) {
  if (outcome.is_null()) return;
  const double low = outcome.at("time_band").at(0), high = outcome.at("time_band").at(1);
  for (auto& f : result.at("figures")) {
    if (f.at("kind") != "simulated" || !f.at("value").is_number() || f.contains("band")) continue;
    const double value = f.at("value");
    if (is_rate(f)) f["band"] = {value / high, value / low};
    if (f.at("name") == "loop_seconds") f["band"] = {value * low, value * high};
  }
  result["simulation"]["sensitivity"] = outcome.at("sensitivity");
  add_joules(result, outcome.at("watts"));
}

}  // namespace wafermark

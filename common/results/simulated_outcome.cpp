#include "common/results/simulated_outcome.hpp"

#include <fmt/format.h>

#include <string>

namespace wafermark {
namespace {

/// Of the timed steps: reading a prompt lies before them.
bool is_timed_rate(const nlohmann::json& figure) {
  return figure.at("unit").get<std::string>().ends_with("/s") &&
         figure.at("name") != "prefill_tokens_per_second";
}

nlohmann::json* figure_named(nlohmann::json& result, const std::string& name) {
  for (auto& f : result.at("figures"))
    if (f.at("name") == name) return &f;
  return nullptr;
}

/// What `rate` counts costs so many joules each.
void add_joules_each(nlohmann::json& result, const char* name, const char* rate_name, double watts) {
  auto* const joules = figure_named(result, name);
  const auto* const rate = figure_named(result, rate_name);
  if (joules == nullptr || rate == nullptr || !rate->at("value").is_number() || rate->at("value") == 0.0)
    return;
  (*joules)["value"] = watts / rate->at("value").get<double>();
  (*joules)["kind"] = "simulated";
  (*joules)["note"] = fmt::format("{:.6g} W of the simulated machine, of the timed steps", watts);
}

void add_joules(nlohmann::json& result, double watts) {
  add_joules_each(result, "joules_per_atom_step", "atom_steps_per_second", watts);
  add_joules_each(result, "joules_per_token", "decode_tokens_per_second", watts);
  const auto* const seconds = figure_named(result, "loop_seconds");
  if (seconds == nullptr || seconds->at("value").is_null()) return;
  result["energy"] = {{"joules", watts * seconds->at("value").get<double>()},
                      {"source", "model"},
                      {"note", fmt::format("{:.6g} W of the simulated machine, of the timed steps", watts)}};
}

}  // namespace

void add_simulated_outcome(nlohmann::json& result, const nlohmann::json& outcome) {
  if (outcome.is_null()) return;
  const double low = outcome.at("time_band").at(0), high = outcome.at("time_band").at(1);
  for (auto& f : result.at("figures")) {
    if (f.at("kind") != "simulated" || !f.at("value").is_number() || f.contains("band")) continue;
    const double value = f.at("value");
    if (is_timed_rate(f)) f["band"] = {value / high, value / low};
    if (f.at("name") == "loop_seconds") f["band"] = {value * low, value * high};
  }
  result["simulation"]["sensitivity"] = outcome.at("sensitivity");
  add_joules(result, outcome.at("watts"));
}

}  // namespace wafermark

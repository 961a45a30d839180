#include "tungsten_md/commands/run_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "common/errors.hpp"

namespace wafermark::tungsten {
namespace {

constexpr double seconds_a_day = 86400.0, joules_a_kwh = 3.6e6, ps_per_us = 1e6;

/// The figure of this name; none where there is none, or no value above zero.
std::optional<nlohmann::json> figure_of(const nlohmann::json& result, const std::string& name) {
  for (const auto& figure : result.at("figures"))
    if (figure.at("name") == name && figure.at("value").is_number() && figure.at("value").get<double>() > 0.0)
      return figure;
  return std::nullopt;
}

std::string machine_of_result(const nlohmann::json& result) {
  const std::string target = result.at("target");
  if (target == "wafer") return result.at("wafer").at("machine");
  if (target != "simulated" && target != "modelled") return result.at("machine").at("cpu");
  const auto& simulation = result.at("simulation");
  const std::string profile = simulation.value("profile", "");
  return fmt::format("{}, {} ranks{}", simulation.at("machine").get<std::string>(),
                     result.at("machine").at("ranks").get<int>(), profile.empty() ? "" : ", " + profile);
}

MachineRate rate_of(const nlohmann::json& result, const std::string& file, std::int64_t atoms) {
  const auto count = figure_of(result, "atoms"), rate = figure_of(result, "steps_per_second");
  if (!count || !rate)
    throw InputError(
        fmt::format("{}: found no atoms or no steps_per_second, expected the result of a run that "
                    "made steps",
                    file));
  const auto there = count->at("value").get<double>();
  if (there != static_cast<double>(atoms))
    throw InputError(fmt::format("{}: found {:.0f} atoms, expected the {} of this deck", file, there, atoms));
  if (!result.at("valid").get<bool>())
    throw InputError(
        fmt::format("{}: found a result that is not valid, expected one whose checks pass", file));
  MachineRate r{
      machine_of_result(result), rate->at("kind"), rate->at("value"), std::nullopt, std::nullopt, {}};
  if (rate->contains("band") && rate->at("band").size() == 2) {
    const double low = rate->at("band")[0], high = rate->at("band")[1];
    if (0.0 < low && low <= high) r.band = {low, high};
  }
  if (const auto joules = figure_of(result, "joules_per_step"))
    r.joules_per_step = joules->at("value").get<double>();
  else if (const auto of_atom = figure_of(result, "joules_per_atom_step"))
    r.joules_per_step = of_atom->at("value").get<double>() * there;
  return r;
}

/// A quantity that goes by the rate, or by what a step takes, with its band.
template <class Of>
std::string quoted(const MachineRate& r, const Of& of, const char* unit) {
  std::string band;
  if (r.band) {
    const auto [low, high] = std::minmax({of((*r.band)[0]), of((*r.band)[1])});
    band = fmt::format(" ({:.3g} ... {:.3g})", low, high);
  }
  return fmt::format("{:.3g}{} {}", of(r.steps_per_second), band, unit);
}

}  // namespace

MachineRate read_rate(const std::string& file, std::int64_t atoms) {
  std::ifstream in(file);
  if (!in)
    throw InputError(fmt::format("{}: found no file to read, expected the result.json of a run", file));
  try {
    return rate_of(nlohmann::json::parse(in), file, atoms);
  } catch (const nlohmann::json::exception& e) {
    throw InputError(fmt::format("{}: found {}, expected the result.json of a run", file, e.what()));
  }
}

std::string time_of_steps(double steps, bool at_least, const std::vector<MachineRate>& rates) {
  std::string text = fmt::format("expected time     {}{:.6g} steps\n", at_least ? "at least " : "", steps);
  for (const MachineRate& r : rates) {
    const double seconds = steps / r.steps_per_second;
    const std::pair<const char*, double> shown = seconds < 120.0    ? std::pair{"s", 1.0}
                                                 : seconds < 7200.0 ? std::pair{"minutes", 60.0}
                                                                    : std::pair{"hours", 3600.0};
    text += fmt::format("  {} ({}): {}\n", r.machine, r.kind,
                        quoted(
                            r, [&](double rate) { return steps / rate / shown.second; }, shown.first));
  }
  return text;
}

std::string run_plan(double timestep_ps, double physical_us, const std::vector<MachineRate>& rates) {
  const double steps = physical_us * ps_per_us / timestep_ps;
  std::string text = fmt::format("run plan          {:.6g} us in {:.4g} steps of {:.4g} ps\n", physical_us,
                                 steps, timestep_ps);
  for (const MachineRate& r : rates) {
    text += fmt::format(
        "  {} ({}): {}, {}, {}\n", r.machine, r.kind,
        quoted(
            r, [&](double rate) { return rate * seconds_a_day * timestep_ps / ps_per_us; }, "us a day"),
        quoted(
            r, [&](double rate) { return steps / rate / seconds_a_day; }, "days"),
        r.joules_per_step
            ? fmt::format("{:.4g} kWh{}", *r.joules_per_step * steps / joules_a_kwh, r.energy_note)
            : std::string("energy not known"));
  }
  return text;
}

}  // namespace wafermark::tungsten

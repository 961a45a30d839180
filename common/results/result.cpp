#include "common/results/result.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "common/errors.hpp"
#include "common/results/simulated_outcome.hpp"
#include "common/runtime.hpp"

namespace wafermark {
namespace {

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::measured:
      return runtime::charges_kernels() ? "simulated" : "measured";
    case Kind::emulated:
      return "emulated";
    case Kind::modelled:
      return "modelled";
    case Kind::simulated:
      return "simulated";
  }
  return "modelled";
}

/// JSON knows no infinity or NaN: null.
nlohmann::json number(double x) { return std::isfinite(x) ? nlohmann::json(x) : nlohmann::json(nullptr); }

/// ", 5 to 95 %: LOW to HIGH" of a figure that has a band.
std::string band_in_words(const nlohmann::json& figure) {
  if (!figure.contains("band") || figure["band"][0].is_null() || figure["band"][1].is_null()) return "";
  return fmt::format(", 5 to 95 %: {:.6g} to {:.6g}", figure["band"][0].get<double>(),
                     figure["band"][1].get<double>());
}

}  // namespace

Result::Result(const Communicator& comm, std::string app, std::string command, std::string target)
    : start_(std::chrono::steady_clock::now()) {
  const MachineRecord m = MachineRecord::of(comm);
  json_ = {{"schema", "wafermark-result-1"},
           {"app", std::move(app)},
           {"command", std::move(command)},
           {"target", runtime::charges_kernels() ? "simulated" : std::move(target)},
           {"started", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
           {"build",
            {{"version", m.version},
             {"commit", m.commit},
             {"compiler", m.compiler},
             {"flags", m.build_flags},
             {"kokkos", m.kokkos_version},
             {"backend", m.backend},
             {"mpi", m.mpi_library}}},
           {"machine",
            {{"hosts", m.hosts},
             {"cpu", m.cpu_model},
             {"cpu_level", m.highest_cpu_level},
             {"ranks", m.ranks},
             {"threads_per_rank", m.threads_per_rank},
             {"device", m.device},
             {"device_messages", m.device_messages}}},
           {"figures", nlohmann::json::array()},
           {"checks", nlohmann::json::array()},
           {"regions", nlohmann::json::array()},
           {"energy", {{"joules", nullptr}, {"source", "none"}, {"note", "not measured"}}}};
  if (!m.cpu_level.empty()) json_["build"]["cpu_level"] = m.cpu_level;
  if (auto simulation = runtime::simulation(); !simulation.is_null())
    json_["simulation"] = std::move(simulation);
}

void Result::set_deck(const std::string& file, const std::string& effective_toml) {
  json_["deck"] = {{"file", file}, {"toml", effective_toml}};
}

void Result::add_figure(const std::string& name, std::optional<double> value, const std::string& unit,
                        Kind kind, const std::string& note, std::optional<std::array<double, 2>> band) {
  nlohmann::json f{
      {"name", name}, {"value", value ? number(*value) : nullptr}, {"unit", unit}, {"kind", name_of(kind)}};
  if (!note.empty()) f["note"] = note;
  if (value && band) f["band"] = {number((*band)[0]), number((*band)[1])};
  json_["figures"].push_back(f);
}

void Result::add_check(const std::string& name, double value, double reference, double tolerance,
                       const std::string& unit, std::optional<std::array<double, 2>> band) {
  nlohmann::json c{{"name", name},
                   {"value", number(value)},
                   {"reference", number(reference)},
                   {"tolerance", number(tolerance)},
                   {"unit", unit},
                   {"pass", std::abs(value - reference) <= tolerance}};
  if (band) c["band"] = {number((*band)[0]), number((*band)[1])};
  json_["checks"].push_back(c);
}

void Result::set_device_sums(const std::string& by) { json_["machine"]["device_sums"] = by; }

void Result::set_regions(const std::vector<RegionTimes::Summary>& regions) {
  json_["regions"] = nlohmann::json::array();
  for (const auto& r : regions)
    json_["regions"].push_back({{"name", r.name},
                                {"calls", r.calls},
                                {"seconds_min", r.min_seconds},
                                {"seconds_mean", r.mean_seconds},
                                {"seconds_max", r.max_seconds}});
}

void Result::set_energy(const EnergyReading& e) {
  json_["energy"] = {
      {"joules", e.joules ? number(*e.joules) : nullptr}, {"source", e.source}, {"note", e.note}};
}

void Result::set_section(const std::string& name, nlohmann::json content) {
  json_[name] = std::move(content);
}

bool Result::all_checks_pass() const { return failed_checks().empty(); }

std::string Result::failed_checks() const {
  std::string text;
  for (const auto& c : json_["checks"]) {
    if (c["pass"].get<bool>()) continue;
    text += fmt::format("{}{}: {} {}, expected {} +- {}", text.empty() ? "" : "; ",
                        c["name"].get<std::string>(), c["value"].dump(), c["unit"].get<std::string>(),
                        c["reference"].dump(), c["tolerance"].dump());
  }
  return text;
}

std::string Result::summary() const {
  std::string text;
  if (!complete()) text += fmt::format("INCOMPLETE, not valid: {}\n", incomplete_);
  for (const auto& f : json_["figures"]) {
    const std::string value = f["value"].is_null() ? "-" : fmt::format("{:.6g}", f["value"].get<double>());
    text += fmt::format("  {:<34} {:>14} {:<16} {}{}\n", f["name"].get<std::string>(), value,
                        f["unit"].get<std::string>(), f["kind"].get<std::string>(), band_in_words(f));
  }
  for (const auto& c : json_["checks"]) {
    const std::string value = c["value"].is_null() ? "nan" : fmt::format("{:.6g}", c["value"].get<double>());
    text += fmt::format("  {:<34} {:>14} {:<16} {} (reference {:.6g}, tolerance {:.2g})\n",
                        c["name"].get<std::string>(), value, c["unit"].get<std::string>(),
                        c["pass"].get<bool>() ? "pass" : "FAIL",
                        c["reference"].is_null() ? NAN : c["reference"].get<double>(),
                        c["tolerance"].is_null() ? NAN : c["tolerance"].get<double>());
  }
  return text;
}

void Result::set_incomplete(const std::string& why) {
  if (incomplete_.empty()) incomplete_ = why.empty() ? "ended early" : why;
}

void Result::begin(const Communicator& comm, const std::string& directory) {
  write_as(comm, directory, "the run is under way, or was killed before its end");
}

void Result::write(const Communicator& comm, const std::string& directory) {
  if (comm.is_root()) add_simulated_outcome(json_, runtime::simulated_outcome());
  write_as(comm, directory, incomplete_);
}

void Result::write_as(const Communicator& comm, const std::string& directory, const std::string& incomplete) {
  json_["wall_seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  json_["status"] = incomplete.empty() ? "complete" : "incomplete";
  json_["status_note"] = incomplete;
  json_["valid"] = incomplete.empty() && all_checks_pass();
  std::string problem;
  if (comm.is_root()) {
    try {
      write_text_file(directory + "/result.json",
                      json_.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    } catch (const std::exception& e) {
      problem = message_of(e);
    }
  }
  comm.fail_together(!problem.empty(), problem);
}

void prepare_output_directory(const Communicator& comm, const std::string& directory) {
  std::string problem;
  if (comm.is_root()) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    std::error_code none;
    if (!std::filesystem::is_directory(directory, none)) {
      problem = fmt::format("--out {}: cannot be made{}{}, expected a writable folder", directory,
                            error ? ": " : "", error ? error.message() : "");
    } else {
      try {
        const std::string probe =
            fmt::format("{}/.wafermark_probe-{}", directory, ::getpid());  // two programs may try at once
        write_text_file(probe, std::string(4096, '\n'));
        std::filesystem::remove(probe, error);
      } catch (const std::exception&) {
        problem =
            fmt::format("--out {}: cannot be written to, expected a writable folder with space", directory);
      }
    }
  }
  comm.throw_together(!problem.empty(), problem);
}

}  // namespace wafermark

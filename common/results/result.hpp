// The record of one run: DIR/result.json, whose schema is result.schema.json beside this file.
#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/durable_file.hpp"
#include "common/energy_meter.hpp"
#include "common/machine_record.hpp"
#include "common/region_timer.hpp"

namespace wafermark {

/// measured: by this run on this machine; emulated: on an emulated machine; modelled: computed from a model;
/// simulated: by this run on a simulated cluster, where nothing is measured, and `measured` is written so.
enum class Kind { measured, emulated, modelled, simulated };

class Result {
 public:
  /// `app` and `command` ("tungsten_md", "run"), `target` ("cluster", "wafer"; a cluster that is simulated is
  /// written as "simulated"). Collective; notes the start time.
  Result(const Communicator& comm, std::string app, std::string command, std::string target);

  void set_deck(const std::string& file, const std::string& effective_toml);
  /// `band`: between which two values it lies (for a prediction; common/band.hpp).
  void add_figure(const std::string& name, std::optional<double> value, const std::string& unit,
                  Kind kind = Kind::measured, const std::string& note = "",
                  std::optional<std::array<double, 2>> band = std::nullopt);
  /// Passes when |value - reference| <= tolerance (both in the same unit). A value that is not a number
  /// fails.
  void add_check(const std::string& name, double value, double reference, double tolerance,
                 const std::string& unit, std::optional<std::array<double, 2>> band = std::nullopt);
  /// What sums over ranks what lies on their devices.
  void set_device_sums(const std::string& by);
  void set_regions(const std::vector<RegionTimes::Summary>& regions);
  void set_energy(const EnergyReading& energy);
  /// Anything else, under a name of its own ("defects", "potential").
  void set_section(const std::string& name, nlohmann::json content);

  bool all_checks_pass() const;
  std::string failed_checks() const;  ///< "name: value, expected reference +- tolerance; ..."
  /// One screen: figures of merit and checks.
  std::string summary() const;
  const nlohmann::json& json() const { return json_; }
  /// Replaces DIR/result.json by one that says "incomplete": from here on no older result passes for this
  /// run's, and a run that is killed leaves this. Call it when the input is found good. Collective.
  void begin(const Communicator& comm, const std::string& directory);
  /// The run ended before its work was done (a signal, ...): the result says so and is not valid. The first
  /// reason stays. Call it on all ranks.
  void set_incomplete(const std::string& why);
  bool complete() const { return incomplete_.empty(); }
  /// Writes DIR/result.json under a temporary name, then renames. Valid when complete and all checks pass.
  /// Collective; rank 0 writes. Throws std::runtime_error when it cannot be written.
  void write(const Communicator& comm, const std::string& directory);

 private:
  void write_as(const Communicator& comm, const std::string& directory, const std::string& incomplete);

  nlohmann::json json_;
  std::string incomplete_;  ///< why; empty: complete
  std::chrono::steady_clock::time_point start_;
};

/// Makes the output directory if need be and tries it, so that a run does not find out at its end.
/// Collective. Throws InputError.
void prepare_output_directory(const Communicator& comm, const std::string& directory);

}  // namespace wafermark

// The record of one run: DIR/result.json, whose schema is result.schema.json beside this file.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/energy_meter.hpp"
#include "common/machine_record.hpp"
#include "common/region_timer.hpp"

namespace wafermark {

/// measured: by this run on this machine; emulated: on an emulated machine; modelled: computed from a model.
enum class Kind { measured, emulated, modelled };

class Result {
 public:
  /// `app` and `command` ("tungsten_md", "run"), `target` ("cluster", "wafer"). Collective; notes the start
  /// time.
  Result(const Communicator& comm, std::string app, std::string command, std::string target);

  void set_deck(const std::string& file, const std::string& effective_toml);
  void add_figure(const std::string& name, std::optional<double> value, const std::string& unit,
                  Kind kind = Kind::measured, const std::string& note = "");
  /// Passes when |value - reference| <= tolerance (both in the same unit). A value that is not a number
  /// fails.
  void add_check(const std::string& name, double value, double reference, double tolerance,
                 const std::string& unit);
  void set_regions(const std::vector<RegionTimes::Summary>& regions);
  void set_energy(const EnergyReading& energy);
  /// Anything else, under a name of its own ("defects", "potential").
  void set_section(const std::string& name, nlohmann::json content);

  bool all_checks_pass() const;
  std::string failed_checks() const;  ///< "name: value, expected reference +- tolerance; ..."
  /// One screen: figures of merit and checks.
  std::string summary() const;
  const nlohmann::json& json() const { return json_; }
  /// Writes DIR/result.json under a temporary name, then renames. Collective; rank 0 writes.
  void write(const Communicator& comm, const std::string& directory);

 private:
  nlohmann::json json_;
  std::chrono::steady_clock::time_point start_;
};

/// Makes the output directory if need be and tries it, so that a run does not find out at its end.
/// Collective. Throws InputError.
void prepare_output_directory(const Communicator& comm, const std::string& directory);

/// Writes a text file under a temporary name, then renames it. Throws std::runtime_error when the disk is
/// full.
void write_text_file(const std::string& path, const std::string& text);

}  // namespace wafermark

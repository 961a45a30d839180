// How long a long run takes and what it costs: the rates of machines, measured, simulated or emulated,
// carried on to a time of microseconds. It says nothing about stops for checkpoints or failures.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wafermark::tungsten {

/// Steps of one case on one machine.
struct MachineRate {
  std::string machine;
  std::string kind;               ///< of the rate: "measured", "simulated", "emulated", "predicted", ...
  double steps_per_second = 0.0;  ///< above 0
  std::optional<std::array<double, 2>> band;  ///< 5th and 95th percentile of the rate
  std::optional<double> joules_per_step;
  std::string energy_note;  ///< what these joules are of, where not all
};

/// The rate of a result.json, of `run` or of jobscripts/cluster_replay.py, on so many atoms. Throws
/// InputError when the file is no such result, has no rate, or is one of another number of atoms.
MachineRate read_rate(const std::string& file, std::int64_t atoms);

/// A line for each rate: the time of so many steps, or `at_least` so many.
std::string time_of_steps(double steps, bool at_least, const std::vector<MachineRate>& rates);

/// A line for each rate: physical time a day, days and energy of `physical_us` microseconds in steps of
/// `timestep_ps`.
std::string run_plan(double timestep_ps, double physical_us, const std::vector<MachineRate>& rates);

}  // namespace wafermark::tungsten

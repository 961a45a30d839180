#include "wse_emulator/machine_options.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "common/errors.hpp"
#include "common/option_checks.hpp"

namespace wafermark::wse {

void MachineOptions::add_machine_to(CLI::App& command) {
  of_wafer(
      command.add_option("--machine", machine,
                         "machine file of the wafer, or the name of one of inputs/wafers (default: wse2)"))
      ->check(not_empty("a machine file or its name"));
  repeated(of_wafer(command.add_option("--machine-set", changes,
                                       "key=value, overrides the machine file; may be repeated")));
}

void MachineOptions::add_tiles_to(CLI::App& command) {
  of_wafer(command.add_option("--tiles", tiles,
                              "WIDTHxHEIGHT: the program gets so many tiles (default: all of the machine)"))
      ->check(not_empty("WIDTHxHEIGHT, as 8x6"));
}

CLI::Option* MachineOptions::of_wafer(CLI::Option* option) {
  of_wafer_.push_back(option);
  return option->group("Wafer");
}

void MachineOptions::check_target(const std::string& target) const {
  if (target == "wafer") return;
  for (const CLI::Option* option : of_wafer_)
    if (option->count() > 0)
      throw InputError(
          fmt::format("{}: found --target {}, expected --target wafer", option->get_name(), target));
}

std::optional<std::array<int, 2>> MachineOptions::tiles_given() const {
  if (tiles.empty()) return std::nullopt;
  return number_pair(tiles, "--tiles", 'x', 1);
}

Machine MachineOptions::read(const std::string& fallback) const {
  const std::string name = machine.empty() ? fallback : machine;
  return Machine::read(Machine::find(name, std::filesystem::current_path().string()), changes,
                       "--machine-set");
}

}  // namespace wafermark::wse

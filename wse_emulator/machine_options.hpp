// The command-line options with which users choose a wafer: the same words in every command of both apps.
#pragma once

#include <CLI/CLI.hpp>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "wse_emulator/machine.hpp"

namespace wafermark::wse {

class MachineOptions {
 public:
  std::string machine;               ///< --machine NAME; empty: not given
  std::vector<std::string> changes;  ///< --machine-set KEY=VALUE
  std::string tiles;                 ///< --tiles WIDTHxHEIGHT; empty: not given

  void add_machine_to(CLI::App& command);  ///< --machine, --machine-set
  void add_tiles_to(CLI::App& command);    ///< --tiles
  /// Counts an option among those that mean something on the wafer only.
  CLI::Option* of_wafer(CLI::Option* option);

  /// Throws InputError when an option of the wafer was given for another target.
  void check_target(const std::string& target) const;
  /// --tiles as numbers. Throws InputError.
  std::optional<std::array<int, 2>> tiles_given() const;
  /// The machine of the options, `fallback` without --machine. Throws InputError.
  Machine read(const std::string& fallback = "wse2") const;

 private:
  std::vector<const CLI::Option*> of_wafer_;
};

}  // namespace wafermark::wse

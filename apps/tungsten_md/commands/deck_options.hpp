// What every command that takes a deck asks for, and how deck and options become one: here and nowhere else.
//
// An option goes before the deck. Of two --set of one key the last counts. An option that stands for a key
// (--machine,
// --machine-set, --tiles, --steps of validate) and --set of the same key are refused together, and so is an
// option of the wafer for another target.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "common/deck.hpp"
#include "wse_emulator/machine_options.hpp"

namespace wafermark::tungsten {

struct DeckOptions {
  std::string target = "cluster";
  std::vector<std::string> sets;
  wse::MachineOptions wafer;

  /// --target (one of `targets`, the first by default), --set, and the options of the wafer.
  void add_to(CLI::App& command, const std::vector<std::string>& targets);
  /// The deck `file` with all that was given. `more`: further changes, "key=value", behind --set. Throws
  /// InputError.
  Deck read(const std::string& file, const std::vector<std::string>& more = {}) const;
  /// Throws InputError when an option was given that changes a deck: of a command without one.
  void refuse_without_deck() const;
};

}  // namespace wafermark::tungsten

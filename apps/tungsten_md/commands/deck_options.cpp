#include "tungsten_md/commands/deck_options.hpp"

#include <fmt/format.h>

#include "common/errors.hpp"
#include "common/option_checks.hpp"

namespace wafermark::tungsten {

void DeckOptions::add_to(CLI::App& command, const std::vector<std::string>& targets) {
  target = targets.front();
  command.add_option("--target", target, "cluster: MPI ranks; wafer: the emulated machine")
      ->check(one_of(targets))
      ->capture_default_str();
  repeated(command.add_option("--set", sets, "key=value, overrides the deck; may be repeated"));
  wafer.add_machine_to(command);
  wafer.add_tiles_to(command);
}

Deck DeckOptions::read(const std::string& file, const std::vector<std::string>& more) const {
  wafer.check_target(target);
  const auto tiles = wafer.tiles_given();
  auto changes = sets;
  changes.insert(changes.end(), more.begin(), more.end());
  Deck deck = Deck::read(file, changes);
  if (!wafer.machine.empty()) deck.set("--machine", wafer.machine, "wafer.machine", wafer.machine);
  if (!wafer.changes.empty())
    deck.set("--machine-set", fmt::format("{}", fmt::join(wafer.changes, " ")), "wafer.changes",
             wafer.changes);
  if (tiles)
    deck.set("--tiles", wafer.tiles, "wafer.tiles", std::vector<std::int64_t>{(*tiles)[0], (*tiles)[1]});
  return deck;
}

void DeckOptions::refuse_without_deck() const {
  if (!sets.empty() || target == "wafer")
    throw InputError(
        fmt::format("{}: found no deck, expected one", sets.empty() ? "--target wafer" : "--set"));
  wafer.check_target(target);
}

}  // namespace wafermark::tungsten

// How a case sits on a machine: layout, tables, memory of a tile, cycles of a step. `info --target wafer`
// prints it.
#pragma once

#include <string>

#include "tungsten_md/model/case.hpp"
#include "tungsten_md/wafer/step_cost.hpp"
#include "tungsten_md/wafer/tile_layout.hpp"
#include "wse_emulator/fabric/collisions.hpp"
#include "wse_emulator/tile_memory.hpp"

namespace wafermark::tungsten {

/// The machine that a deck names, with its changes. Throws InputError.
wse::Machine machine_of(const WaferSettings& settings);

struct TilePlan {
  wse::Machine machine;
  TileLayout layout;
  PotentialTables tables;  ///< as they fit a tile
  wse::TileMemory memory;
  int neighbours = 0;      ///< of an atom in the perfect crystal
  int list_capacity = 0;   ///< neighbours that a tile has room for
  WaferSettings settings;  ///< of the deck: list reuse, symmetry, tiles an atom
  int batches = 1;         ///< pieces in which a tile takes its candidates, where memory does not hold all
  StepCost cost;

  /// Words of the multicasts, and of an atom's state as it goes to another tile: position, velocity, force,
  /// id of two words.
  static constexpr int position_words = 3, slope_words = 1, choice_words = 1, state_words = 11;

  /// Reads the machine, lays the atoms out and charges the buffers. Throws InputError when something does not
  /// fit, with the ledger. Collective.
  static TilePlan make(const Communicator& comm, const Case& what, const Configuration& start,
                       const PotentialTables& potential);

  /// Cycles of the two multicasts.
  std::int64_t multicast_cycles(int words) const;
  std::int64_t position_cycles() const;
  std::int64_t slope_cycles() const;
  /// Symmetric forces: the partners' shares, three words a tile, back from one half of the neighbourhood.
  std::int64_t reverse_cycles() const;
  /// Four tiles an atom: partial sums of `words` to the first of them, and what it makes of them back to all.
  std::int64_t join_cycles(int words_in, int words_out) const;
  /// Candidates that a tile itself looks at, of so many of the atom's.
  std::int64_t own_candidates(std::int64_t candidates) const {
    return (candidates + settings.tiles_per_atom - 1) / settings.tiles_per_atom;
  }
  /// The patterns of a step in their order, with the colors that they use.
  std::vector<wse::PatternUse> patterns(bool adaptive_time_step) const;
  /// Hops that the state of an atom goes at most when it changes tiles.
  int swap_hops() const { return layout.reach * (layout.grid.hops(0) + layout.grid.hops(1)); }
  /// Cycles of starting the tasks that wavelets wake in a step, and of what is calibrated.
  double control_cycles() const;
  /// Mapping, memory ledger and predicted step: of a tile with all candidates and the neighbours of the
  /// perfect crystal, lists new, without what the options of the settings change.
  std::string describe() const;
};

}  // namespace wafermark::tungsten

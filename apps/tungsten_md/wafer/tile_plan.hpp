// How a case sits on a machine: layout, tables, memory of a tile, cycles of a step. `info --target wafer`
// prints it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tungsten_md/model/case.hpp"
#include "tungsten_md/model/squared_tables.hpp"
#include "tungsten_md/wafer/mapping_choice.hpp"
#include "tungsten_md/wafer/step_code.hpp"
#include "tungsten_md/wafer/tile_layout.hpp"
#include "wse_emulator/fabric/all_reduce.hpp"
#include "wse_emulator/fabric/layer_shift.hpp"
#include "wse_emulator/fabric/marching_multicast.hpp"
#include "wse_emulator/fabric/messages.hpp"
#include "wse_emulator/program.hpp"
#include "wse_emulator/tile_memory.hpp"

namespace wafermark::tungsten {

/// The machine that a deck names, with its changes. Throws InputError.
wse::Machine machine_of(const WaferSettings& settings);

struct TilePlan {
  wse::Machine machine;
  TileLayout layout;
  wse::TileGrid
      grid;  ///< of the machine's tiles: as the layout's, or a patch of two by two for each of its tiles
  PotentialTables tables;  ///< as they fit a tile
  std::vector<SquaredTables>
      squares;  ///< the radial ones over r^2 of all pairs, where tiles use those instead
  wse::TileMemory memory;
  int neighbours = 0;          ///< of an atom in the perfect crystal; of a structure, the most that one has
  int list_capacity = 0;       ///< neighbours that a tile has room for
  WaferSettings settings;      ///< of the deck: list reuse, symmetry, tiles an atom; of layers, those it has
  std::vector<Mapping> tried;  ///< with wafer.layer_cells = "auto", the first is this plan's; else empty
  bool adaptive = false, stopping = false, heat_bath = false;  ///< what the case asks for beside
  int batches = 1;  ///< pieces in which a tile takes its candidates, where memory does not hold all
  SectionCounts counts;
  StepCode code;

  // What tiles exchange.
  std::shared_ptr<wse::MarchingMulticast> positions, slopes, choices, types;
  std::shared_ptr<wse::LayerShift> layers_positions, layers_slopes;  ///< of a thick sample's layers
  std::shared_ptr<wse::ReverseMulticast> partners_forces;            ///< of symmetric forces
  std::shared_ptr<wse::PatchSum> joined_densities, joined_forces;    ///< of four tiles an atom
  std::shared_ptr<wse::Messages> swapped_atoms;   ///< position, velocity, force, id of two words
  std::shared_ptr<wse::Messages> swapped_tables;  ///< of atoms of two elements
  std::shared_ptr<wse::AllReduce> least_time_step;

  /// Reads the machine, lays the crystal out, charges the buffers and checks the program of a step; makes no
  /// atom. With wafer.layer_cells = "auto" in the way that is predicted to be fastest. `structure`: of a case
  /// that begins from a file, all its atoms in the order of their ids. Throws InputError when something does
  /// not fit, with the ledger, and for what the wafer target does not do. Collective.
  static TilePlan make(const Communicator& comm, const Case& what, const PotentialTables& potential,
                       const Configuration* structure = nullptr);

  /// Cycles of a step on `machine` before waiting, as describe() has them, mean over the steps that lists and
  /// limits of the time step serve.
  double predicted_cycles(const wse::Machine& machine) const;
  /// Mapping, memory ledger and predicted step: of a tile with all candidates and the neighbours of the
  /// perfect crystal, lists new, no swaps.
  std::string describe() const;

 private:
  /// With layers of so many cells; 0: one layer.
  static TilePlan of_layers(const Communicator& comm, const Case& what, const PotentialTables& potential,
                            int layer_cells, const Configuration* structure);
  /// The phases of a step with new lists.
  std::vector<wse::Program::Line> predicted_on(const wse::Machine& machine) const;
};

}  // namespace wafermark::tungsten

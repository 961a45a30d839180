// What a deck says: the case, as both targets read it. The keys and their meanings are in case.cpp;
// `tungsten_md info --keys` prints them.
#pragma once

#include <array>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "common/deck.hpp"
#include "tungsten_md/model/crystal.hpp"
#include "tungsten_md/model/dose_settings.hpp"
#include "tungsten_md/model/dynamics_settings.hpp"
#include "tungsten_md/model/potential_settings.hpp"

namespace wafermark::tungsten {

/// What happens when an atom leaves an open box for good: the run ends, or goes on without it.
enum class LostAtoms { error, drop };

/// What a run from a file counts its defects against.
struct ReferenceSettings {
  std::string source = "auto";        ///< "auto", "crystal", "start", or a file
  std::string lattice;                ///< "sc", "bcc", "fcc"; empty: the potential's
  double a = 0.0;                     ///< 0: as potential and box say
  std::array<int, 3> cells{0, 0, 0};  ///< 0: as many as the box holds
};

/// Part of a crystal's atoms that are of another element, each site by itself.
struct AddedElement {
  std::string symbol;
  double fraction = 0.0;
};

/// Where the atoms come from: a crystal, or a file.
struct StructureSettings {
  std::optional<Lattice> lattice;
  /// structure.thermal_expansion = "measure": the lattice has the deck's own constant until it has been.
  bool expansion_to_be_measured = false;
  std::array<bool, 3> periodic{true, true, true};
  std::string element;                    ///< of the crystal
  std::vector<AddedElement> composition;  ///< of a random alloy, beside `element`
  std::string file;                       ///< instead of a crystal
  ReferenceSettings reference;            ///< with a file
  LostAtoms lost_atoms = LostAtoms::error;
};

/// How a step's kernels reach a device: each by itself, those of a step as one graph, or those of many steps
/// as one kernel (cluster/many_steps.hpp). The latter two: one rank, on whose atoms nothing but forces acts.
enum class Launch { kernels, graph, persistent };

struct RunSettings {
  std::int64_t steps = 0;                                        ///< the run ends here ...
  double duration_ps = std::numeric_limits<double>::infinity();  ///< ... or here, whichever comes first
  double timestep_ps = 0.001;
  std::string precision = "double";  ///< "double" or "mixed"
  double skin_angstrom = 0.5;
  std::array<int, 3> rank_grid{0, 0, 0};
  std::string neighbour_list = "auto";  ///< "auto", "half", "full"
  int list_every = 0;  ///< steps between lists, whatever has moved; 0: when an atom has moved half the skin
  Launch launch = Launch::kernels;
  int lanes_per_atom = 0;  ///< lanes of a GPU's warp that share an atom's neighbours; 0: chosen
  std::uint64_t seed = 1;
};

/// Intervals in steps; 0 is never.
struct OutputSettings {
  std::int64_t thermo_every = 100, defects_every = 0, trajectory_every = 0, checkpoint_every = 0;
  std::vector<std::string> trajectory_formats;  ///< "h5md", "dump", "xyz"
  bool start_state = false;                     ///< start.data
  bool final_state = false;                     ///< final.data
};

/// What --target wafer needs beside the rest; a deck runs on both targets.
struct WaferSettings {
  std::string machine;  ///< machine file, or a name; beside the deck or as the emulator finds it
  std::string deck_folder;
  std::vector<std::string> changes;   ///< to the machine file, "core.clock_mhz.value=425"
  int max_width = 0, max_height = 0;  ///< tiles that the program gets; 0: the machine's
  int blocks_across = 0, blocks_down = 0;
  double margin_angstrom = 0.0;  ///< neighbourhoods reach this far beyond the cut-off
  static constexpr int largest_neighbourhood =
      127;                          ///< lists number the (2b+1)^2 - 1 candidates with 16 bits
  int neighbourhood = 0;            ///< b; 0: the least that the margin needs
  int table_points = 0;             ///< at most so many of each table; 0: as many as fit a tile
  int swap_every = 0;               ///< steps between atom swaps; 0: never
  int time_step_every = 1;          ///< steps for which a limit of the adaptive time step holds
  int list_reuse = 1;               ///< steps that a neighbour list serves
  double list_skin_angstrom = 0.3;  ///< what it holds beyond the cut-off, where it serves several
  bool force_symmetry =
      false;  ///< pairs are computed once; the partner's share goes back by the reverse multicast
  bool squared_tables = false;  ///< radial tables over r^2 with phi'/r and rho'/r, not over r
  bool fused_density = false;   ///< one loop finds a neighbour and adds its density
  bool untested_lists = false;  ///< all that is listed is taken: tables over r^2 are zero beyond the cut-off
  bool blocking_receives = false;  ///< instructions wait for words, which otherwise start tasks
  int tiles_per_atom = 1;          ///< 1, or 4: two by two tiles, each for a quarter of the candidates
  /// Cells along z of the layers of a thick sample; 0: one layer. Nothing: what is fastest is looked for.
  std::optional<int> layer_cells = 0;
  std::vector<std::array<int, 2>> traced_tiles;
};

struct CheckSettings {
  double energy_tolerance_ev_per_atom = 1e-5;
  double momentum_tolerance = 1e-6;
};

struct Case {
  std::string title;
  StructureSettings structure;
  PotentialSettings potential;
  RunSettings run;
  OutputSettings output;
  CheckSettings check;
  WaferSettings wafer;
  DoseSettings dose;
  DynamicsSettings dynamics;  ///< temperature, thermostat, stopping, PKAs, adaptive time step

  /// Reads every key and rejects unknown ones. Throws InputError.
  static Case read(Deck& deck);
  PotentialTables load_potential() const { return potential.load(); }
  bool has_recoils() const { return !dynamics.pkas.empty() || dose.method == DoseSettings::Method::recoils; }
  /// Defects are counted every so many steps, or when a recoil of a dose has come to rest.
  bool counts_defects() const { return output.defects_every > 0 || dose.on(); }
};

}  // namespace wafermark::tungsten

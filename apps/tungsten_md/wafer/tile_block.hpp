// The tiles of one rank: their atoms, and the phases in which they compute. The arithmetic is
// tile_program.hpp, in lanes where the host has them (atom_sums.hpp).
//
// The emulator takes two short cuts that change no bit of the result: neighbourhoods are read from the shared
// memory of the rank instead of being copied to every tile, and candidates that are too far away to matter
// are skipped by a list of the emulator's own. The cycles are those of a tile that looks at all of its
// candidates.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "common/communicator.hpp"
#include "tungsten_md/kernels/heat_bath.hpp"
#include "tungsten_md/kernels/stopping.hpp"
#include "tungsten_md/kernels/time_step.hpp"
#include "tungsten_md/model/potential_tables.hpp"
#include "tungsten_md/model/squared_tables.hpp"
#include "tungsten_md/wafer/atom_sums.hpp"
#include "tungsten_md/wafer/rim.hpp"
#include "tungsten_md/wafer/tile_items.hpp"
#include "tungsten_md/wafer/tile_layout.hpp"
#include "tungsten_md/wafer/tile_program.hpp"
#include "wse_emulator/fabric/marching_multicast.hpp"
#include "wse_emulator/fabric/messages.hpp"

namespace wafermark::tungsten {

/// One atom as a tile keeps it: x and y from the corner of the tile's column, z from the middle of the box.
/// Angstrom, Angstrom/ps, eV/Angstrom.
struct TileAtom {
  std::int64_t id = -1;  ///< -1: the tile has no atom
  int type = 0;          ///< its element
  Vector<float> x{}, v{}, f{};
};

class TileBlock {
 public:
  /// Places the atoms of `start` (all of them) that begin on this rank's tiles. `squares`: the radial tables
  /// over r^2 of all pairs of elements, row by row, where tiles use those; else empty. Collective.
  TileBlock(const Communicator& comm, const wse::Blocks& blocks, const TileLayout& layout,
            const Configuration& start, const PotentialTables& tables,
            const std::vector<SquaredTables>& squares, const WaferSettings& settings);

  // The phases of a step, in their order.
  void kick_and_drift(float dt);
  /// Positions to all tiles of the neighbourhood; `new_lists`: neighbour lists that serve several steps are
  /// made anew. Returns whether lists were made. Collective.
  bool multicast_positions(const wse::MarchingMulticast& pattern, bool new_lists);
  /// Neighbours within the cut-off, densities and F'(rho).
  void sum_densities();
  /// F'(rho) to all tiles of the neighbourhood. Collective.
  void multicast_slopes(const wse::MarchingMulticast& pattern);
  /// `with_energy`: also each atom's energy and virial, which the machine does not compute.
  void sum_forces(bool with_energy);
  void kick(float dt);

  /// Longest step that this rank's atoms allow in each of the next so many steps, ps (acceleration_factor()).
  float longest_step(const StepLimits<float>& limits, float longest, int steps) const;
  /// Slows fast atoms, each element by its law; returns the energy lost, eV, atom by atom (tiles in order).
  std::vector<double> slow(const std::vector<StoppingLaw<float>>& laws, float dt);
  /// Lets a heat bath, one of each element, act on atoms outside `quiet` (positions in the box). Returns the
  /// heat taken from the bath, eV, atom by atom.
  std::vector<double> bathe(const QuietRegion<double>& quiet, const std::vector<HeatBath<float>>& baths,
                            std::uint64_t seed, std::int64_t step);

  /// Of an alloy, every atom's element to all tiles of the neighbourhood. Collective.
  void multicast_types(const wse::MarchingMulticast& pattern);

  /// Exchanges atoms between tiles wherever that brings both nearer to the sites of their tiles: each tile
  /// names the neighbour with which it would gain most, to all tiles around, and pairs that name each other
  /// swap, by a message each way. Atoms of two elements change their tiles' tables too, which is `tables`.
  /// Returns this rank's tiles that changed. Collective.
  std::int64_t swap_atoms(const wse::MarchingMulticast& choices, wse::Messages& swapped,
                          wse::Messages& tables);

  /// Interactions within the cut-off at the positions last sent that the tiles do not know of, each counted
  /// from both its atoms: their tiles are too far apart for the multicast, or the list that serves several
  /// steps has one of them not (interaction_watch.cpp). Over this rank's tiles; exact, except for pairs
  /// within 1e-4 Angstrom of the cut-off. Collective.
  std::int64_t missed_interactions() const;

  /// What there is to do on the machine's tiles, before the first step.
  TileItems items() const;
  /// The same after sum_densities(). What electronic stopping and heat baths do is not in it.
  void count_items(TileItems& items) const;
  /// 1 in `some` on the tiles that move atoms whose value is not zero, in `others` on those of the other
  /// atoms.
  void count_of_atoms(const std::vector<double>& values, std::vector<int>& some,
                      std::vector<int>& others) const;

  /// The machine's tiles of an atom's: all, and the one that moves it.
  std::vector<std::size_t> machine_tiles(std::size_t tile) const;
  std::size_t mover(std::size_t tile) const;

  /// Puts an atom on a tile, by the image nearest to it; at rest where nothing pushes. Positions in the box.
  void place_atom(std::size_t tile, std::int64_t id, int type, const Vec3& x, const Vec3& v);

  /// Index of the atom that begins on a tile, in the order of ids; -1: none.
  std::int64_t first_atom(std::size_t tile) const;

  // What the emulator observes.
  std::size_t tiles() const { return atoms_.size(); }
  /// Its number among those of the grid, and the tile of this rank with a number, if it has it.
  std::int64_t number(std::size_t tile) const;
  std::optional<std::size_t> with_number(std::int64_t number) const;
  TileAtom& atom(std::size_t tile) { return atoms_[tile]; }
  const TileAtom& atom(std::size_t tile) const { return atoms_[tile]; }
  int neighbours(std::size_t tile) const { return neighbours_[tile]; }
  double energy_ev(std::size_t tile) const { return energy_[tile]; }
  double virial_ev(std::size_t tile) const { return virial_[tile]; }  ///< trace
  Vec3 position(std::size_t tile) const;                              ///< in the box, not wrapped
  /// Squared distance of an atom from the site of its tile, Angstrom^2.
  float displacement_squared(std::size_t tile) const;
  int widest_pair() const;  ///< largest Chebyshev tile distance of two neighbours at the last force pass
  void atoms_changed() { list_valid_ = false; }  ///< after writing to atom()
  /// After atoms were taken away: their tiles have nothing of them left, and nothing to do.
  void atoms_removed(TileItems& items);
  int max_neighbours() const;  ///< the longest list that a tile holds

 private:
  using Lane = native_lanes<float, Kokkos::DefaultHostExecutionSpace>;
  static constexpr float skin = 0.4f;  ///< Angstrom; of the emulator's own list

  struct Candidate {
    std::ptrdiff_t offset;     ///< of its site in the bordered arrays
    int layers_on;             ///< of its layer from the tile's own
    int column_dx, column_dy;  ///< places in the rows of corner differences, crystal axes
    int distance;              ///< Chebyshev, tiles
    int share;                 ///< which of an atom's partial sums it goes to
  };
  /// An atom that has left its tile's site: any other may have come near it.
  struct Stray {
    int gx, gy, layer;  ///< its tile
    Vec3 x;             ///< in the box, not wrapped
  };
  /// A tile's place in the bordered arrays, and its rows of corner differences.
  struct Place {
    std::size_t at;
    const float *corners_x, *corners_y;
  };
  // Of the constructor (tile_block_setup.cpp): the tiles around a tile and how they lie to it, memory of all
  // tiles, and the atoms that begin there.
  void look_around();
  void make_room();
  void settle(const Configuration& start);

  void build_list(float within);
  void copy_tables(const PotentialTables& tables, const std::vector<SquaredTables>& squares);
  /// Puts this rank's tiles into bins by where they lie.
  void bin_sites();
  /// found(candidate) for those nearer than the root of `within`, in their order.
  template <class Found>
  void for_near_candidates(std::size_t tile, float within, const Found& found) const;
  std::ptrdiff_t candidate_offset(int dx, int dy, int layers_on) const {
    return (dy * static_cast<std::ptrdiff_t>(border_.border().row_length()) + dx) *
               static_cast<std::ptrdiff_t>(stack_) +
           layers_on;
  }
  /// sum_densities() and sum_forces() with tables of either kind.
  template <class Tables>
  void sum_densities(const Tables& tables);
  template <class Tables>
  void sum_forces(const Tables& tables, bool with_energy);
  /// The same with `tables(type of the atom, type of the other)` of each pair (alloy_sums.cpp).
  void sum_alloy_densities();
  void sum_alloy_forces(bool with_energy);
  template <class TablesOfPair>
  void sum_alloy_densities(const TablesOfPair& tables);
  template <class TablesOfPair>
  void sum_alloy_forces(const TablesOfPair& tables, bool with_energy);
  PairTileTables<float> tables_of(int type, int other) const;
  PairSquaredTileTables<float> squares_of(int type, int other) const;
  Embedding<float> embedded(int type, float density) const;
  Candidate candidate(int dx, int dy, int layers_on) const;
  /// What tiles keep of their atoms, to the borders of all ranks, beginning with value `first` of each
  /// record.
  void send(const wse::MarchingMulticast& pattern, int first);
  /// Layers around a ring show the other end's atoms beyond their own.
  void repeat_layers();
  /// add(atoms, how many) for an atom's list, piece by piece.
  template <class Add>
  void for_pieces_of_list(std::size_t tile, const Add& add) const;
  std::int64_t missed_at_rim(const std::vector<float>& displaced, float most) const;
  std::int64_t missed_by_strays(const std::vector<float>& displaced) const;
  std::int64_t missed_by_lists() const;
  std::vector<Stray> all_strays(const std::vector<float>& displaced) const;
  float squared_displacement(const float* x, const float* home) const;
  std::array<int, 2> on_grid(std::size_t tile) const;
  using Bin = std::array<int, 2>;
  /// The bins that come within `reach` of a place; what lies beyond an open face is in the last.
  std::vector<Bin> bins_near(const Vec3& x, double reach) const;
  /// Of this block, those that lie in a bin.
  std::vector<std::size_t> tiles_in(const Bin& bin) const;
  int layer_of(std::size_t tile) const {
    return static_cast<int>(tile / static_cast<std::size_t>(block_.width) %
                            static_cast<std::size_t>(layout_.layers()));
  }
  /// Layers from one to another, the shorter way.
  int layers_apart(int a, int b) const;
  const std::vector<RimTile>& rim(std::size_t tile) const {
    return rim_[static_cast<std::size_t>(layer_of(tile)) * corner_rows_.size() + in_column_[tile]];
  }
  Place place(std::size_t tile) const {
    const auto& rows = corner_rows_[in_column_[tile]];
    return {bordered_[tile], corner_x_.data() + rows[0], corner_y_.data() + rows[1]};
  }
  /// x_i - x_j of a tile's `own` position and candidate k's in `field` (bordered [x, y, z, w]); `z`: the
  /// periodic axis, if the nearest image is wanted.
  Vector<float> separation_to(const std::vector<float>& field, const Place& place, const Vector<float>& own,
                              std::size_t k) const {
    return separation_to(field, place, own, window_[k]);
  }
  Vector<float> separation_to(const std::vector<float>& field, const Place& place, const Vector<float>& own,
                              const Candidate& c) const {
    return separation_to(field, place, own, c, z_);
  }
  static Vector<float> separation_to(const std::vector<float>& field, const Place& place,
                                     const Vector<float>& own, const Candidate& c,
                                     const PeriodicZ<float>& z) {
    const float* other = field.data() + 4 * (static_cast<std::ptrdiff_t>(place.at) + c.offset);
    return separation(own, Vector<float>{other[0], other[1], other[2]}, place.corners_x[c.column_dx],
                      place.corners_y[c.column_dy], z);
  }
  std::size_t bordered(std::size_t tile) const { return bordered_[tile]; }
  /// The element of candidate k, as it was last sent.
  int type_of_candidate(const Place& place, std::size_t k) const {
    return types_[static_cast<std::size_t>(static_cast<std::ptrdiff_t>(place.at) + window_[k].offset)];
  }
  /// The tile of the machine that does this share of a tile's atom.
  std::size_t machine_tile(std::size_t tile, int share) const;
  /// body(tile) for every tile with an atom, by Kokkos.
  template <class Body>
  void for_each_atom(const char* name, const Body& body) const;
  /// The sum of body(tile) over them.
  template <class Body>
  std::int64_t sum_over_atoms(const char* name, const Body& body) const;

  const Communicator* comm_;
  TileLayout layout_;
  Box box_;
  wse::Block block_;
  std::vector<std::vector<RimTile>> rim_;  ///< [layer][place in a column]
  std::vector<std::uint32_t>
      in_column_;  ///< each tile's place in its column, row by row: its rim, its corner_rows_
  std::vector<std::uint32_t> bordered_;  ///< each tile's place in the bordered arrays, of atoms
  std::vector<std::array<std::ptrdiff_t, 2>>
      corner_rows_;    ///< of a place in the column: where corner_x_, _y_ begin
  int seen_;           ///< tiles around that the emulator sees: b, and the rim
  int layers_seen_;    ///< layers on each side, likewise
  std::size_t stack_;  ///< atoms of a place in the bordered arrays: layers, and on both sides what they see
  wse::BorderExchange border_;
  bool lasting_;   ///< neighbour lists serve several steps
  bool untested_;  ///< and tiles take all that is listed: beyond the cut-off tables are zero
  float list_skin_;
  int patch_;   ///< tiles of an atom, across and down
  int shares_;  ///< partial sums of an atom, added in a fixed order: what reductions between tiles do

  int elements_;
  std::vector<float> mass_ev_, inverse_mass_;  ///< by type
  float cutoff_;
  /// Of all pairs of elements, row by row, or of all elements, one behind the other.
  std::vector<float> radial_, embedding_, densities_over_squares_, slopes_over_squares_;
  TileTables<float> tables_;
  std::optional<SquaredTileTables<float>> squares_;  ///< the radial tables that tiles use, if set
  PeriodicZ<float> z_;

  std::vector<TileAtom> atoms_;
  std::vector<float> density_slope_;
  std::vector<double> energy_, virial_;
  std::vector<int> neighbours_, candidates_;
  std::vector<std::array<int, 4>> found_;  ///< whose density a tile adds, by share, where atoms have several
  std::vector<float> sites_, homes_;    ///< bordered [x, y, z, F']; where tiles lie in the crystal, likewise
  std::vector<int> types_;              ///< bordered, of an alloy
  std::array<double, 2> bin_length_{};  ///< Angstrom, along the grid's axes
  std::array<int, 2> bins_{};           ///< of places in the box
  std::vector<std::uint32_t> bin_begin_, binned_;  ///< this rank's tiles, bin by bin
  std::vector<int> lane_offsets_;                  ///< of the tiles of lanes along a row
  std::vector<Candidate> window_;
  std::vector<float> corner_x_, corner_y_;  ///< [tile's place in its column][dx + seen], crystal axes

  /// Candidates within cut-off + skin. With lists for one step the machine has none that lasts: it is the
  /// emulator's own.
  bool list_valid_ = false;
  std::size_t list_stride_ = 0;
  std::vector<std::uint16_t> list_;
  std::vector<int> list_count_;
  std::vector<Vector<float>> x_at_build_;
};

template <class Body>
void TileBlock::for_each_atom(const char* name, const Body& body) const {
  const auto n = static_cast<std::int64_t>(atoms_.size());
  Kokkos::parallel_for(
      name, Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace, Kokkos::IndexType<std::int64_t>>(0, n),
      [&](std::int64_t i) {
        const auto tile = static_cast<std::size_t>(i);
        if (atoms_[tile].id >= 0) body(tile);
      });
}

template <class Body>
std::int64_t TileBlock::sum_over_atoms(const char* name, const Body& body) const {
  const auto n = static_cast<std::int64_t>(atoms_.size());
  std::int64_t sum = 0;
  Kokkos::parallel_reduce(
      name, Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace, Kokkos::IndexType<std::int64_t>>(0, n),
      [&](std::int64_t i, std::int64_t& part) {
        const auto tile = static_cast<std::size_t>(i);
        if (atoms_[tile].id >= 0) part += body(tile);
      },
      sum);
  return sum;
}

}  // namespace wafermark::tungsten

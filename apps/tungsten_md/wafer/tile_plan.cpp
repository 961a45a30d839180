#include "tungsten_md/wafer/tile_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/errors.hpp"
#include "tungsten_md/model/perfect_crystal.hpp"
#include "tungsten_md/model/potential_grid.hpp"
#include "tungsten_md/model/uf3_layout.hpp"
#include "tungsten_md/wafer/tile_block.hpp"
#include "tungsten_md/wafer/tile_step.hpp"

namespace wafermark::tungsten {
namespace {

constexpr int word = 4;                   // bytes
constexpr int fewest_table_points = 500;  // where the file has as many: as the SC24 runs
constexpr int fewest_alloy_points = 300;  // whose tables are several
constexpr int position_words = 3, slope_words = 1, choice_words = 1, force_words = 3, type_words = 1;
constexpr std::size_t most_elements = 8;  // tables of more leave too few points
constexpr int state_words =
    11;  // of an atom on its way to another tile: position, velocity, force, id of two words

/// Neighbours in the perfect crystal, the densest thing that a deck begins with, or of a structure the most.
int neighbours_of(const Case& what, const PotentialTables& t, const TileLayout& layout) {
  if (layout.structure) return layout.structure->most_neighbours;
  return PerfectCrystal(t, 0, what.structure.lattice->kind).atom(what.structure.lattice->a).neighbours;
}

/// Does each element lay the same density at all others (eam/alloy)?
bool by_source_alone(const PotentialTables& t) {
  return std::all_of(t.density.begin(), t.density.end(),
                     [&](const auto& at_element) { return at_element == t.density.front(); });
}

/// Everything but the tables.
void allocate_buffers(wse::TileMemory& memory, const TileLayout& layout, int list_capacity, int batches,
                      const WaferSettings& settings, bool alloy) {
  const int span = 2 * layout.reach + 1;
  const int candidates = layout.candidates() / settings.tiles_per_atom;
  memory.allocate("atom", 14 * word);
  if (alloy) memory.allocate("candidates' elements", candidates);  // a byte each
  memory.allocate("row of positions", position_words * layout.records() * span * word);
  memory.allocate("corner differences", 2 * span * word);
  // Separations take the place of the positions; F' that of r^2.
  const int held = (candidates + batches - 1) / batches;
  memory.allocate("separations, r2, a square", 5 * held * word);
  // Number, 1/r, piece, place in it; what the next batch would overwrite: separation and F'.
  if (settings.force_symmetry) memory.allocate("partners' forces", 3 * (candidates / 2) * word);
  memory.allocate("neighbour list", (batches == 1 ? 4 : 8) * list_capacity * word);
}

/// What a tile keeps of a potential: of its own atom's element with each other.
struct TableShape {
  bool squares;
  std::int64_t elements;
  bool reverse;  ///< what its element lays at each other is not what it lays at its like

  /// Of a pair density and r phi, or density, rho'/r and phi'/r; where need be also what goes the other way.
  /// Of those over r one piece more, which is zero.
  std::int64_t radial_words(std::int64_t points) const {
    const std::int64_t pairs_back = reverse ? elements - 1 : 0;
    return (squares ? 12 : 8) * elements * (points + (squares ? 0 : 1)) + 4 * pairs_back * points;
  }
  std::int64_t words(std::int64_t radial_points, std::int64_t embedding_points) const {
    return radial_words(radial_points) + 4 * embedding_points;
  }
  /// The most points, at most `wanted`, that all tables may have to fit `bytes`.
  int points_that_fit(std::int64_t bytes, int wanted) const {
    const std::int64_t words_of_point = radial_words(1) - radial_words(0) + 4;
    return static_cast<int>(std::min<std::int64_t>(wanted, bytes / (word * words_of_point) - 1));
  }
};

[[noreturn]] void refuse_triplets(const Uf3Potential& potential, const wse::Machine& machine) {
  const auto bytes = static_cast<std::int64_t>(bytes_in_single_precision(potential));
  const std::int64_t room = machine.sram_bytes - machine.program_bytes;
  throw InputError(fmt::format(
      "potential.file: found a uf3 potential, whose {} bytes {} in the {} that a tile has for data, "
      "expected an embedded-atom potential: the wafer target has no loop over triplets",
      bytes, bytes <= room ? "fit" : "do not fit", room));
}

void refuse_what_tiles_do_not_do(const Case& what, const PotentialTables& potential) {
  if (what.dynamics.relax.box.on())
    throw InputError("relax.box: the box of the wafer target is fixed, expected \"fixed\"");
  if (what.dynamics.barostat.on())
    throw InputError("barostat.kind: the box of the wafer target is fixed, expected \"none\"");
  if (what.dynamics.electrons.on())
    throw InputError("electrons.model: the wafer target has stopping only, expected \"none\"");
  if (what.dynamics.swaps.on())
    throw InputError("swaps.every_steps: atoms keep their elements on the wafer target, expected 0");
  if (what.dynamics.thermostat.kind == ThermostatSettings::Kind::nose_hoover)
    throw InputError("thermostat.kind: the wafer target has no Nose-Hoover chains, expected \"langevin\"");
  if (potential.lennard_jones)
    throw InputError(
        "potential.model: found lj/cut, expected tables: the wafer target has no closed forms "
        "(`tungsten_md potential generate --model lj/cut` writes tables)");
  if (potential.uf3) refuse_triplets(*potential.uf3, machine_of(what.wafer));
  if (potential.least_density)
    throw InputError(
        fmt::format("potential.format: found eam/he, whose densities begin at {:.6g}, expected a table that "
                    "begins at 0 with "
                    "--target wafer",
                    *potential.least_density));
  if (potential.elements.size() > most_elements)
    throw InputError(
        fmt::format("potential.elements: found {} elements, expected at most {} with --target wafer",
                    potential.elements.size(), most_elements));
}

/// The tiles that the program gets, as places for atoms.
wse::Machine room_on(const wse::Machine& machine, const WaferSettings& w) {
  wse::Machine room = machine;
  const auto part = [&](int& tiles, int given, const char* across) {
    if (given > tiles)
      throw InputError(fmt::format("wafer.tiles: found {} tiles {}, expected at most the {} x {} of {}",
                                   given, across, machine.width, machine.height, machine.name));
    if (given > 0) tiles = given;
  };
  part(room.width, w.max_width, "across");
  part(room.height, w.max_height, "down");
  // Four tiles an atom are two by two: the atoms are laid out on a machine of half the width and height.
  if (w.tiles_per_atom == 4) room.width /= 2, room.height /= 2;
  return room;
}

void require_traced_tiles(const TileLayout& layout, const WaferSettings& w) {
  for (const auto& [x, y] : w.traced_tiles)
    if (x >= layout.grid.width || y >= layout.grid.height * layout.layers())
      throw InputError(
          fmt::format("wafer.trace: found no tile {},{}, expected one of {} x {}, counted from 0", x, y,
                      layout.grid.width, layout.grid.height * layout.layers()));
}

/// What a tile's memory holds.
struct TileContents {
  int batches;
  wse::TileMemory memory;
  PotentialTables tables;
  std::vector<SquaredTables> squares;
  std::int64_t table_words;
};

/// As few batches of candidates as leave room for the tables.
TileContents fit_into_tile(const wse::Machine& machine, const TileLayout& layout,
                           const PotentialTables& potential, const WaferSettings& w, int list_capacity) {
  const int elements = static_cast<int>(potential.elements.size());
  const bool alloy = elements > 1;
  const TableShape shape{w.squared_tables, elements, !by_source_alone(potential)};
  const int wanted = std::max(potential.nr, potential.nrho);
  const int target = std::min(wanted, w.table_points > 0 ? w.table_points
                                      : alloy            ? fewest_alloy_points
                                                         : fewest_table_points);
  for (int batches = 1;; ++batches) {
    const bool smallest = batches == 2 * layout.reach + 1;
    wse::TileMemory memory(machine);
    try {
      allocate_buffers(memory, layout, list_capacity, batches, w, alloy);
    } catch (const InputError&) {
      if (smallest) throw;
      continue;
    }
    int points =
        shape.points_that_fit(memory.free(), w.table_points > 0 ? std::min(w.table_points, wanted) : wanted);
    if (points < target && !smallest) continue;
    if (points < 50) points = target;  // the allocation below says what does not fit
    const int radial_points = std::min(potential.nr, points);
    PotentialTables tables = resample(potential, radial_points, std::min(potential.nrho, points));
    std::vector<SquaredTables> squares;
    for (int pair = 0; pair < elements * elements && w.squared_tables; ++pair)
      squares.push_back(over_squares(potential, pair / elements, pair % elements, radial_points));
    const std::int64_t table_words = shape.words(radial_points, tables.nrho);
    memory.allocate("potential tables", word * table_words);
    return {batches, std::move(memory), std::move(tables), std::move(squares), table_words};
  }
}

/// The machine's tiles: as the layout's, or a patch of two by two for each of its tiles.
wse::TileGrid grid_of(const TileLayout& layout, const WaferSettings& w) {
  const int patch = w.tiles_per_atom == 4 ? 2 : 1;
  return {patch * layout.grid.width,
          patch * layout.grid.height * layout.layers(),
          layout.grid.ring,
          patch,
          layout.panels,
          layout.ring_of_layers};
}

}  // namespace

wse::Machine machine_of(const WaferSettings& w) {
  return wse::Machine::read(wse::Machine::find(w.machine, w.deck_folder), w.changes);
}

TilePlan TilePlan::make(const Communicator& comm, const Case& what, const PotentialTables& potential,
                        const Configuration* structure) {
  refuse_what_tiles_do_not_do(what, potential);
  const auto with_layers = [&](int cells) { return of_layers(comm, what, potential, cells, structure); };
  if (what.wafer.layer_cells) return with_layers(*what.wafer.layer_cells);
  return fastest_plan(what, potential, with_layers);
}

TilePlan TilePlan::of_layers(const Communicator& comm, const Case& what, const PotentialTables& potential,
                             int layer_cells, const Configuration* structure) {
  WaferSettings w = what.wafer;
  w.layer_cells = layer_cells;
  wse::Machine machine = machine_of(w);
  TileLayout layout =
      lay_out(comm, what, room_on(machine, w), layer_cells, potential.cutoff_angstrom, structure);
  require_traced_tiles(layout, w);
  const bool alloy = potential.elements.size() > 1;
  if (alloy && layout.layers() > 1)
    throw InputError(
        fmt::format("wafer.layer_cells: found {}, expected 0: layers are of one element", layer_cells));
  const int n = neighbours_of(what, potential, layout), b = layout.reach, records = layout.records();
  const double reach = w.list_reuse > 1 ? 1.0 + w.list_skin_angstrom / potential.cutoff_angstrom : 1.0;
  const int capacity = static_cast<int>(std::max(n + 16, n * 8 / 5) * reach * reach * reach);
  TileContents in_tile = fit_into_tile(machine, layout, potential, w, capacity);
  const SectionCounts counts = count_sections(
      what.structure.periodic[2], w.squared_tables ? RadialTable::over_squares : RadialTable::over_r,
      alloy ? Composition::alloy : Composition::one_element);
  const wse::TileGrid grid = grid_of(layout, w);
  const int farthest = grid.patch * b * (grid.hops(0) + grid.hops(1));
  const auto words_of_tables = static_cast<int>(in_tile.table_words);
  TilePlan plan{.machine = machine,
                .layout = std::move(layout),
                .grid = grid,
                .tables = std::move(in_tile.tables),
                .squares = std::move(in_tile.squares),
                .memory = std::move(in_tile.memory),
                .neighbours = n,
                .list_capacity = capacity,
                .settings = w,
                .tried = {},
                .adaptive = what.dynamics.adaptive.on(),
                .stopping = what.dynamics.stopping.kind != StoppingSettings::Kind::none,
                .heat_bath = what.dynamics.thermostat.on(),
                .batches = in_tile.batches,
                .counts = counts,
                .code = StepCode(machine, counts, in_tile.batches),
                .positions = std::make_shared<wse::MarchingMulticast>(b, position_words * records),
                .slopes = std::make_shared<wse::MarchingMulticast>(b, slope_words * records),
                .choices = std::make_shared<wse::MarchingMulticast>(b, choice_words),
                .types = std::make_shared<wse::MarchingMulticast>(b, type_words),
                .layers_positions = std::make_shared<wse::LayerShift>(grid, position_words),
                .layers_slopes = std::make_shared<wse::LayerShift>(grid, slope_words),
                .partners_forces = std::make_shared<wse::ReverseMulticast>(b, force_words),
                .joined_densities = std::make_shared<wse::PatchSum>(1, slope_words),
                .joined_forces = std::make_shared<wse::PatchSum>(force_words, position_words),
                .swapped_atoms = std::make_shared<wse::Messages>(state_words, farthest),
                .swapped_tables = std::make_shared<wse::Messages>(words_of_tables, farthest),
                .least_time_step = std::make_shared<wse::AllReduce>(1)};
  const TileItems none(1);
  wse::reject_collisions(plan.machine.fabric, tile_step(plan, none, nullptr).patterns(grid));
  return plan;
}

std::vector<wse::Program::Line> TilePlan::predicted_on(const wse::Machine& on) const {
  const int shares = settings.tiles_per_atom, own = (neighbours + shares - 1) / shares;
  TileItems items(1);
  items.working = items.atoms = {1};
  items.candidates = {(layout.candidates() + shares - 1) / shares};
  items.neighbours = items.entered = items.listed = items.pairs = {own};
  if (settings.force_symmetry) items.pairs = {(neighbours + 1) / 2};
  items.partners = {neighbours};
  items.slow = items.bathed = {1};
  TilePlan usual = *this;
  usual.settings.swap_every = 0;  // swaps come now and then
  usual.code = StepCode(on, counts, batches);
  return tile_step(usual, items, nullptr).predicted(on, grid);
}

double TilePlan::predicted_cycles(const wse::Machine& on) const {
  double cycles = 0.0;
  for (const auto& part : predicted_on(on)) {
    const bool of_lists = part.phase == "distances" || part.phase == "neighbour_list",
               of_limit = part.phase == "time_step" || part.phase == "time_step_reduction";
    cycles += part.cycles / (of_lists ? settings.list_reuse : of_limit ? settings.time_step_every : 1);
  }
  return cycles;
}

std::string TilePlan::describe() const {
  const auto& g = layout.grid;
  const auto parts = predicted_on(machine);
  double cycles = 0.0;
  for (const auto& part : parts) cycles += part.cycles;
  std::string text = fmt::format(
      "machine           {} ({}): {} x {} tiles at {:.4g} MHz\n"
      "tiles             {} x {}{}{}, {}, {} axis across\n"
      "atoms             {} on {} tiles, {:.1f} % of them\n"
      "neighbourhood     b = {}{}: {} candidates, {} neighbours {}\n"
      "tables            {} radial points over {} and {} embedding points{}\n"
      "candidates        in {} batch{}\n"
      "memory of a tile\n{}\n"
      "predicted step    {:.0f} cycles, {:.4g} us, {:.6g} steps/s (before waiting for slower neighbours)\n",
      machine.name, machine.file, machine.width, machine.height, 1e-6 * machine.clock_hz, g.width, g.height,
      g.ring[0] || g.ring[1] ? " (periodic axes folded)" : "",
      settings.tiles_per_atom == 4 ? " patches of four" : "",
      layout.structure
          ? std::string("atom by atom")
          : fmt::format("columns of {} x {}", layout.tiles_per_column[0], layout.tiles_per_column[1]),
      layout.axis[0] == 0 ? "x" : "y", layout.atoms(), layout.tiles(),
      100.0 * static_cast<double>(layout.atoms()) / static_cast<double>(layout.tiles()), layout.reach,
      layout.layers() == 1 ? ""
                           : fmt::format(" in {} layers, {} of them on each side seen", layout.layers(),
                                         layout.layers_each_side),
      layout.candidates(), neighbours, layout.structure ? "at most" : "in the perfect crystal", tables.nr,
      squares.empty() ? "r" : "r^2", tables.nrho,
      tables.elements.size() > 1 ? fmt::format(", of {} elements", tables.elements.size()) : "", batches,
      batches == 1 ? "" : "es", memory.ledger(), cycles, 1e6 * cycles / machine.clock_hz,
      machine.clock_hz / cycles);
  for (const auto& part : parts)
    text += fmt::format("  {:<28} {:>7.0f} cycles  {}\n", part.phase, part.cycles, part.text);
  if (layout.structure)
    text += fmt::format(
        "  placed atom by atom: neighbours are {:.2f} tiles apart in the mean, {} pairs are b apart\n",
        layout.structure->mean_distance, layout.structure->pairs_at_b);
  if (settings.list_reuse > 1)
    text +=
        fmt::format("  new lists every {} steps only; between them neither distances nor neighbour_list\n",
                    settings.list_reuse);
  if (!tried.empty()) text += mappings_text(tried, machine);
  return text;
}

}  // namespace wafermark::tungsten

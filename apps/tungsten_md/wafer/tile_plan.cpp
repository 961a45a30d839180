#include "tungsten_md/wafer/tile_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/errors.hpp"
#include "tungsten_md/model/perfect_crystal.hpp"
#include "tungsten_md/model/potential_grid.hpp"
#include "tungsten_md/wafer/tile_block.hpp"
#include "tungsten_md/wafer/tile_step.hpp"

namespace wafermark::tungsten {
namespace {

constexpr int word = 4;                   // bytes
constexpr int fewest_table_points = 500;  // where the file has as many: as the SC24 runs
constexpr int position_words = 3, slope_words = 1, choice_words = 1, force_words = 3;
constexpr int state_words =
    11;  // of an atom on its way to another tile: position, velocity, force, id of two words

/// Neighbours in the perfect crystal, the densest thing that a deck begins with.
int neighbours_of(const Case& what, const PotentialTables& t) {
  if (!what.structure.lattice) return 60;
  return PerfectCrystal(t, 0, what.structure.lattice->kind).atom(what.structure.lattice->a).neighbours;
}

/// Everything but the tables.
void allocate_buffers(wse::TileMemory& memory, const TileLayout& layout, int list_capacity, int batches,
                      const WaferSettings& settings) {
  const int span = 2 * layout.reach + 1;
  const int candidates = layout.candidates() / settings.tiles_per_atom;
  memory.allocate("atom", 14 * word);
  memory.allocate("row of positions", position_words * span * word);
  memory.allocate("corner differences", 2 * span * word);
  // Separations take the place of the positions; F' that of r^2.
  const int held = (candidates + batches - 1) / batches;
  memory.allocate("separations, r2, a square", 5 * held * word);
  // Number, 1/r, piece, place in it; what the next batch would overwrite: separation and F'.
  if (settings.force_symmetry) memory.allocate("partners' forces", 3 * (candidates / 2) * word);
  memory.allocate("neighbour list", (batches == 1 ? 4 : 8) * list_capacity * word);
}

/// Words of a tile's radial tables: density and r phi, or density, rho'/r and phi'/r; of those over r one
/// piece more, which is zero.
std::int64_t radial_words(const WaferSettings& w, std::int64_t points) {
  return w.squared_tables ? 12 * points : 8 * (points + 1);
}

/// The most points, at most `wanted`, that all tables may have to fit `bytes`.
int table_points_that_fit(const WaferSettings& w, std::int64_t bytes, int wanted) {
  const std::int64_t words_of_point = radial_words(w, 1) - radial_words(w, 0) + 4;
  return static_cast<int>(std::min<std::int64_t>(wanted, bytes / (word * words_of_point) - 1));
}

}  // namespace

wse::Machine machine_of(const WaferSettings& w) {
  return wse::Machine::read(wse::Machine::find(w.machine, w.deck_folder), w.changes);
}

TilePlan TilePlan::make(const Communicator& comm, const Case& what, const PotentialTables& potential) {
  if (what.dynamics.relax.max_steps > 0)
    throw InputError("relax.max_steps: the wafer target does not relax, expected 0");
  if (potential.lennard_jones)
    throw InputError(
        "potential.model: found lj/cut, expected tables: the wafer target has no closed forms "
        "(`tungsten_md potential generate --model lj/cut` writes tables)");
  if (potential.elements.size() != 1)
    throw InputError(
        fmt::format("potential.elements: found {} elements, expected one: the wafer target has no alloys",
                    potential.elements.size()));
  const WaferSettings& w = what.wafer;
  wse::Machine machine = machine_of(w);
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
  TileLayout layout = lay_out(comm, what, room, potential.cutoff_angstrom);
  for (const auto& [x, y] : w.traced_tiles)
    if (x >= layout.grid.width || y >= layout.grid.height)
      throw InputError(
          fmt::format("wafer.trace: found no tile {},{}, expected one of {} x {}, counted from 0", x, y,
                      layout.grid.width, layout.grid.height));
  const int n = neighbours_of(what, potential);
  const double reach = w.list_reuse > 1 ? 1.0 + w.list_skin_angstrom / potential.cutoff_angstrom : 1.0;
  const int capacity = static_cast<int>(std::max(n + 16, n * 8 / 5) * reach * reach * reach);
  const int wanted = std::max(potential.nr, potential.nrho);
  const int target = std::min(wanted, w.table_points > 0 ? w.table_points : fewest_table_points);
  // As few batches as leave room for the tables.
  for (int batches = 1;; ++batches) {
    const bool smallest = batches == 2 * layout.reach + 1;
    wse::TileMemory memory(machine);
    try {
      allocate_buffers(memory, layout, capacity, batches, w);
    } catch (const InputError&) {
      if (smallest) throw;
      continue;
    }
    int points = table_points_that_fit(w, memory.free(),
                                       w.table_points > 0 ? std::min(w.table_points, wanted) : wanted);
    if (points < target && !smallest) continue;
    if (points < 50) points = target;  // the allocation below says what does not fit
    const int radial_points = std::min(potential.nr, points);
    PotentialTables tables = resample(potential, radial_points, std::min(potential.nrho, points));
    std::optional<SquaredTables> squares;
    if (w.squared_tables) squares = over_squares(potential, 0, 0, radial_points);
    memory.allocate("potential tables",
                    word * (radial_words(w, radial_points) + 4 * std::int64_t{tables.nrho}));
    const SectionCounts counts = count_sections(
        what.structure.periodic[2], w.squared_tables ? RadialTable::over_squares : RadialTable::over_r);
    const int patch = w.tiles_per_atom == 4 ? 2 : 1, b = layout.reach;
    const wse::TileGrid grid{patch * layout.grid.width, patch * layout.grid.height, layout.grid.ring, patch};
    const int farthest = patch * b * (grid.hops(0) + grid.hops(1));
    TilePlan plan{.machine = machine,
                  .layout = std::move(layout),
                  .grid = grid,
                  .tables = std::move(tables),
                  .squares = std::move(squares),
                  .memory = std::move(memory),
                  .neighbours = n,
                  .list_capacity = capacity,
                  .settings = w,
                  .adaptive = what.dynamics.adaptive.on(),
                  .stopping = what.dynamics.stopping.kind != StoppingSettings::Kind::none,
                  .heat_bath = what.dynamics.thermostat.on,
                  .batches = batches,
                  .counts = counts,
                  .code = StepCode(machine, counts, batches),
                  .positions = std::make_shared<wse::MarchingMulticast>(b, position_words),
                  .slopes = std::make_shared<wse::MarchingMulticast>(b, slope_words),
                  .choices = std::make_shared<wse::MarchingMulticast>(b, choice_words),
                  .partners_forces = std::make_shared<wse::ReverseMulticast>(b, force_words),
                  .joined_densities = std::make_shared<wse::PatchSum>(1, slope_words),
                  .joined_forces = std::make_shared<wse::PatchSum>(force_words, position_words),
                  .swapped_atoms = std::make_shared<wse::Messages>(state_words, farthest),
                  .least_time_step = std::make_shared<wse::AllReduce>(1)};
    const TileItems none(1);
    wse::reject_collisions(plan.machine.fabric, tile_step(plan, none, nullptr).patterns(grid));
    return plan;
  }
}

std::string TilePlan::describe() const {
  const auto& g = layout.grid;
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
  const auto parts = tile_step(usual, items, nullptr).predicted(machine, grid);
  double cycles = 0.0;
  for (const auto& part : parts) cycles += part.cycles;
  std::string text = fmt::format(
      "machine           {} ({}): {} x {} tiles at {:.4g} MHz\n"
      "tiles             {} x {}{}{}, columns of {} x {}, {} axis across\n"
      "neighbourhood     b = {}: {} candidates, {} neighbours in the perfect crystal\n"
      "tables            {} radial points over {} and {} embedding points\n"
      "candidates        in {} batch{}\n"
      "memory of a tile\n{}\n"
      "predicted step    {:.0f} cycles, {:.4g} us, {:.6g} steps/s (before waiting for slower neighbours)\n",
      machine.name, machine.file, machine.width, machine.height, 1e-6 * machine.clock_hz, g.width, g.height,
      g.ring[0] || g.ring[1] ? " (periodic axes folded)" : "",
      settings.tiles_per_atom == 4 ? " patches of four" : "", layout.tiles_per_column[0],
      layout.tiles_per_column[1], layout.axis[0] == 0 ? "x" : "y", layout.reach, layout.candidates(),
      neighbours, tables.nr, squares ? "r^2" : "r", tables.nrho, batches, batches == 1 ? "" : "es",
      memory.ledger(), cycles, 1e6 * cycles / machine.clock_hz, machine.clock_hz / cycles);
  for (const auto& part : parts)
    text += fmt::format("  {:<28} {:>7.0f} cycles  {}\n", part.phase, part.cycles, part.text);
  if (settings.list_reuse > 1)
    text +=
        fmt::format("  new lists every {} steps only; between them neither distances nor neighbour_list\n",
                    settings.list_reuse);
  return text;
}

}  // namespace wafermark::tungsten

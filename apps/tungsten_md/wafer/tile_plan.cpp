#include "tungsten_md/wafer/tile_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/errors.hpp"
#include "tungsten_md/model/perfect_crystal.hpp"
#include "tungsten_md/model/potential_grid.hpp"
#include "tungsten_md/wafer/tile_block.hpp"
#include "wse_emulator/fabric/marching_multicast.hpp"
#include "wse_emulator/fabric/reduction.hpp"
#include "wse_emulator/whole_cycles.hpp"

namespace wafermark::tungsten {
namespace {

constexpr int word = 4;                   // bytes
constexpr int fewest_table_points = 500;  // where the file has as many: as the SC24 runs
// Wavelets wake the core after each stage of both multicasts.
constexpr int tasks_per_step = 4;

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
  memory.allocate("row of positions", TilePlan::position_words * span * word);
  memory.allocate("corner differences", 2 * span * word);
  // Separations take the place of the positions; F' that of r^2.
  const int held = (candidates + batches - 1) / batches;
  memory.allocate("separations, r2, a square", 5 * held * word);
  // Number, 1/r, piece, place in it; what the next batch would overwrite: separation and F'.
  if (settings.force_symmetry) memory.allocate("partners' forces", 3 * (candidates / 2) * word);
  memory.allocate("neighbour list", (batches == 1 ? 4 : 8) * list_capacity * word);
}

}  // namespace

wse::Machine machine_of(const WaferSettings& w) {
  return wse::Machine::read(wse::Machine::find(w.machine, w.deck_folder), w.changes);
}

TilePlan TilePlan::make(const Communicator& comm, const Case& what, const Configuration& start,
                        const PotentialTables& potential) {
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
  TileLayout layout = lay_out(comm, what, start, room, potential.cutoff_angstrom);
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
    int points =
        table_points_that_fit(memory.free(), w.table_points > 0 ? std::min(w.table_points, wanted) : wanted);
    if (points < target && !smallest) continue;
    if (points < 50) points = target;  // the allocation below says what does not fit
    PotentialTables tables =
        resample(potential, std::min(potential.nr, points), std::min(potential.nrho, points));
    memory.allocate("potential tables", table_bytes(tables));
    StepCost cost(machine, count_sections(start.box.periodic[2]), batches);
    TilePlan plan{
        std::move(machine), std::move(layout), std::move(tables), std::move(memory), n, capacity, w, batches,
        std::move(cost)};
    wse::reject_collisions(plan.machine.fabric, plan.patterns(what.dynamics.adaptive.on()));
    return plan;
  }
}

std::int64_t TilePlan::multicast_cycles(int words) const {
  const int b = layout.reach;
  const auto& fabric = machine.fabric;
  if (settings.tiles_per_atom == 1)
    return wse::marching_multicast_cycles(fabric, b, words, layout.grid.hops(0), layout.grid.hops(1));
  // A quarter hears one stream of its row, and of its column what b + 1 tiles of the rows heard; the next
  // atom is two tiles away.
  return wse::marching_stage_cycles(fabric, b, words, 2 * layout.grid.hops(0), 1) +
         wse::marching_stage_cycles(fabric, b, (b + 1) * words, 2 * layout.grid.hops(1), 1);
}

std::int64_t TilePlan::position_cycles() const { return multicast_cycles(position_words); }
std::int64_t TilePlan::slope_cycles() const { return multicast_cycles(slope_words); }

std::int64_t TilePlan::reverse_cycles() const {
  const int b = layout.reach;
  return wse::marching_stage_cycles(machine.fabric, b, (2 * b + 1) * position_words, layout.grid.hops(1), 1) +
         wse::marching_stage_cycles(machine.fabric, b, position_words, layout.grid.hops(0));
}

std::int64_t TilePlan::join_cycles(int words_in, int words_out) const {
  const auto& fabric = machine.fabric;
  const double tasks =
      3.0 * machine.task_start_cycles;  // after each pairwise sum, and when the result comes back
  return 2 * wse::point_to_point_cycles(fabric, 1, words_in) +
         wse::point_to_point_cycles(fabric, 2, words_out) + wse::cycles_begun(tasks);
}

std::vector<wse::PatternUse> TilePlan::patterns(bool adaptive_time_step) const {
  const wse::Block all{0, 0, layout.grid.width, layout.grid.height};
  std::vector<wse::PatternUse> program;
  if (settings.swap_every > 0) {
    program.push_back(wse::marching_multicast_use("choice of a partner", all, 16));
    program.push_back(wse::point_to_point_use("swapped atoms", all, 4));
  }
  if (adaptive_time_step) program.push_back(wse::all_reduce_use("time step", all, 12));
  program.push_back(wse::marching_multicast_use("positions", all, 8));
  if (settings.tiles_per_atom > 1)
    program.push_back(wse::point_to_point_use("densities of four tiles", all, 4));
  program.push_back(wse::marching_multicast_use("F'", all, 0));
  if (settings.tiles_per_atom > 1) program.push_back(wse::point_to_point_use("forces of four tiles", all, 4));
  if (settings.force_symmetry) program.push_back(wse::marching_multicast_use("partners' forces", all, 4));
  return program;
}

double TilePlan::control_cycles() const {
  return tasks_per_step * machine.task_start_cycles + machine.step_overhead_cycles;
}

std::string TilePlan::describe() const {
  const auto& g = layout.grid;
  const std::int64_t c = layout.candidates();
  const std::pair<const char*, double> parts[] = {
      {"multicast of positions", static_cast<double>(position_cycles())},
      {"distances", cost.distance(c)},
      {"neighbour list", cost.list(c, neighbours)},
      {"densities", cost.density(neighbours)},
      {"embedding", cost.embedding()},
      {"multicast of F'", static_cast<double>(slope_cycles())},
      {"forces", cost.force(neighbours)},
      {"integration", cost.integration()},
      {"starting tasks, overhead", control_cycles()},
  };
  double cycles = 0.0;
  for (const auto& [name, part] : parts) cycles += part;
  std::string text = fmt::format(
      "machine           {} ({}): {} x {} tiles at {:.4g} MHz\n"
      "tiles             {} x {}{}, columns of {} x {}, {} axis across\n"
      "neighbourhood     b = {}: {} candidates, {} neighbours in the perfect crystal\n"
      "tables            {} radial and {} embedding points\n"
      "candidates        in {} batch{}\n"
      "memory of a tile\n{}\n"
      "predicted step    {:.0f} cycles, {:.4g} us, {:.6g} steps/s (before waiting for slower neighbours)\n",
      machine.name, machine.file, machine.width, machine.height, 1e-6 * machine.clock_hz, g.width, g.height,
      g.ring[0] || g.ring[1] ? " (periodic axes folded)" : "", layout.tiles_per_column[0],
      layout.tiles_per_column[1], layout.axis[0] == 0 ? "x" : "y", layout.reach, layout.candidates(),
      neighbours, tables.nr, tables.nrho, batches, batches == 1 ? "" : "es", memory.ledger(), cycles,
      1e6 * cycles / machine.clock_hz, machine.clock_hz / cycles);
  for (const auto& [name, part] : parts) text += fmt::format("  {:<28} {:>7.0f} cycles\n", name, part);
  if (settings.list_reuse > 1 || settings.force_symmetry || settings.tiles_per_atom > 1)
    text +=
        "  not in it: what wafer.list_reuse_steps, force_symmetry and tiles_per_atom change; a run counts "
        "them\n";
  return text;
}

}  // namespace wafermark::tungsten

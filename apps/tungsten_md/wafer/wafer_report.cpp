// What a run on the emulated wafer has to say: WaferSimulation's figures, checks and files.
#include <fmt/format.h>

#include "common/errors.hpp"
#include "common/hdf5_file.hpp"
#include "common/results/result.hpp"
#include "tungsten_md/wafer/interaction_audit.hpp"
#include "tungsten_md/wafer/wafer_simulation.hpp"

namespace wafermark::tungsten {
namespace {

// Rounding decides whether a pair at the cut-off counts: it carries no force.
constexpr double cutoff_rounding_angstrom = 1e-4;

}  // namespace

std::int64_t WaferSimulation::missed_interactions() const {
  const AllAtoms all = all_atoms();
  const std::size_t n = all.energy_ev.size(), ranks = static_cast<std::size_t>(comm_.size()),
                    rank = static_cast<std::size_t>(comm_.rank());
  const std::size_t first = n * rank / ranks, last = n * (rank + 1) / ranks;
  const auto within = count_neighbours(all.configuration,
                                       plan_.tables.cutoff_angstrom - cutoff_rounding_angstrom, first, last);
  std::int64_t missed = 0;
  for (std::size_t k = first; k < last; ++k) missed += std::max(0, within[k - first] - all.neighbours[k]);
  return comm_.sum(missed);
}

double WaferSimulation::dynamic_joules() const {
  const auto counts =
      other_operations_ + plan_.cost.operations(candidates_tested_, neighbours_found_, atom_steps_);
  return comm_.sum(wse::operation_joules(plan_.machine, counts) +
                   1e-12 * plan_.machine.hop_pj * static_cast<double>(word_hops_));
}

void WaferSimulation::report(Result& result, const RunLoop& loop) const {
  const wse::Machine& m = plan_.machine;
  const auto& grid = plan_.layout.grid;
  const double steps = static_cast<double>(loop.steps), tiles = static_cast<double>(grid.tiles());
  const auto atom_steps = comm_.sum(atom_steps_);
  const auto hops = comm_.sum(word_hops_);
  std::int64_t busy = 0;
  for (const auto cycles : record_.busy()) busy += cycles;
  busy = comm_.sum(busy);
  const double cycles = static_cast<double>(clocks_.latest() - first_cycle_), seconds = cycles / m.clock_hz;
  const double idle = m.idle_watts_per_tile * m.width * m.height * seconds, dynamic = dynamic_joules();
  const bool ran = loop.steps > 0 && cycles > 0.0;
  const auto emulated = [&](const char* name, double value, const char* unit, const std::string& note = "") {
    result.add_figure(name, ran ? std::optional(value) : std::nullopt, unit, Kind::emulated,
                      note.empty() ? m.name : m.name + ": " + note);
  };
  emulated("steps_per_second", steps / seconds, "1/s");
  emulated("atom_steps_per_second", static_cast<double>(atom_steps) / seconds, "1/s");
  emulated("cycles_per_step", cycles / steps, "");
  emulated("joules_per_step", (idle + dynamic) / steps, "J",
           "counted operations, words and hops, and idle power of all tiles");
  emulated("joules_per_atom_step", (idle + dynamic) / static_cast<double>(atom_steps), "J");
  emulated("idle_energy_share", idle / (idle + dynamic), "");
  emulated("watts", (idle + dynamic) / seconds, "W");
  emulated("utilisation", static_cast<double>(busy) / (tiles * cycles), "",
           "cycles of computing, over all tiles in use");
  emulated("link_load", static_cast<double>(hops) / (4.0 * tiles * cycles * m.fabric.words_per_cycle), "",
           "words per link and cycle");
  emulated("candidates_per_atom",
           static_cast<double>(comm_.sum(candidates_tested_)) / static_cast<double>(atom_steps), "");
  emulated("neighbours_per_atom",
           static_cast<double>(comm_.sum(neighbours_found_)) / static_cast<double>(atom_steps), "");
  const int widest = block_->widest_pair();
  result.add_figure("neighbourhood_b", plan_.layout.reach, "", Kind::emulated, "of the multicasts");
  result.add_figure("widest_interaction_tiles", widest, "", Kind::emulated,
                    "Chebyshev distance of two interacting atoms' tiles, at the end");
  result.add_figure("sram_high_water", static_cast<double>(plan_.memory.high_water()), "B", Kind::emulated,
                    m.name);
  if (case_.wafer.swap_every > 0) emulated("swapped_atoms", static_cast<double>(comm_.sum(swaps_)), "");
  const auto measured = [&](const char* name, double value, const char* unit) {
    result.add_figure(name, loop.seconds > 0.0 ? std::optional(value) : std::nullopt, unit);
  };
  measured("emulator_steps_per_second", steps / loop.seconds, "1/s");
  measured("emulator_tile_steps_per_second", tiles * steps / loop.seconds, "1/s");
  measured("emulator_tile_cycles_per_second", tiles * cycles / loop.seconds, "1/s");
  result.add_check("missed_interactions", static_cast<double>(missed_interactions()), 0.0, 0.0, "");

  nlohmann::json memory = nlohmann::json::object(), numbers = nlohmann::json::object();
  for (const auto& b : plan_.memory.buffers()) memory[b.name] = b.bytes;
  for (const auto& [key, q] : m.quantities)
    numbers[key] = {{"value", q.value}, {"kind", q.kind}, {"source", q.source}};
  nlohmann::json counts = nlohmann::json::object();
  const auto& c = plan_.cost.counts();
  const auto add = [&](const char* name, const wse::OperationCounts& of) {
    for (std::size_t k = 0; k < wse::operation_classes; ++k)
      if (of.n[k] != 0) counts[name][wse::operation_names[k]] = of.n[k];
  };
  add("distance", c.distance);
  add("test", c.test);
  add("enter", c.enter);
  add("density", c.density);
  add("force", c.force);
  add("embedding", c.embedding);
  add("integration", c.integration);
  result.set_section("wafer", {{"machine", m.name},
                               {"machine_file", m.file},
                               {"tiles", {grid.width, grid.height}},
                               {"folded", {grid.ring[0], grid.ring[1]}},
                               {"column", plan_.layout.tiles_per_column},
                               {"batches", plan_.batches},
                               {"phases_cycles_per_step", record_.summary_json()},
                               {"tile_memory_bytes", memory},
                               {"operations_per_item", counts},
                               {"numbers", numbers}});
}

void WaferSimulation::write_files(const std::string& out) const {
  record_.write_heat_map(out + "/wafer.h5");
  record_.write_trace(out + "/trace.json");
}

void WaferSimulation::save(const std::string& path, const std::string& deck) const {
  std::vector<std::int64_t> tiles;
  std::vector<float> state;
  const wse::Block& b = blocks_.mine();
  for (std::size_t i = 0; i < block_->tiles(); ++i) {
    const TileAtom& a = block_->atom(i);
    const auto width = static_cast<std::size_t>(b.width);
    tiles.insert(tiles.end(),
                 {plan_.layout.tile(b.x0 + static_cast<int>(i % width), b.y0 + static_cast<int>(i / width)),
                  a.id, clocks_[i]});
    state.insert(state.end(), {a.x.x, a.x.y, a.x.z, a.v.x, a.v.y, a.v.z, a.f.x, a.f.y, a.f.z});
  }
  Hdf5File file = Hdf5File::create(comm_, path);
  const Rows rows = Rows::of(comm_, block_->tiles());
  file.write("/wafer/tile_id_clock", tiles, rows, 3, true);
  file.write("/wafer/state", state, rows, 9, true);
  const char* at = "/wafer";
  file.set_attribute(at, "deck", deck);
  file.set_attribute(at, "width", plan_.layout.grid.width);
  file.set_attribute(at, "height", plan_.layout.grid.height);
  file.set_attribute(at, "step", step_);
  file.set_attribute(at, "pkas_fired", static_cast<std::int64_t>(pkas_fired_));
  file.set_attribute(at, "numbers",
                     std::vector<double>{time_ps_, time_step_.current(), ledger_.initial_ev, ledger_.pka_ev,
                                         ledger_.stopping_ev, ledger_.thermostat_ev});
  file.commit();
}

void WaferSimulation::resume(const std::string& path) {
  const Hdf5File file = Hdf5File::open(comm_, path);
  const char* at = "/wafer";
  if (!file.exists(at))
    throw InputError(fmt::format("{}: found no wafer in it, expected a checkpoint of --target wafer", path));
  const auto width = file.attribute<int>(at, "width"), height = file.attribute<int>(at, "height");
  const auto& grid = plan_.layout.grid;
  const auto total = static_cast<std::uint64_t>(grid.tiles());
  if (width != grid.width || height != grid.height || file.shape("/wafer/state").at(0) != total)
    throw InputError(fmt::format("{}: found {} x {} tiles, expected the {} x {} of this deck", path, width,
                                 height, grid.width, grid.height));
  const Rows all{total, 0, total};
  const auto tiles = file.read<std::int64_t>("/wafer/tile_id_clock", all, 3);
  const auto state = file.read<float>("/wafer/state", all, 9);
  const wse::Block& b = blocks_.mine();
  for (std::size_t k = 0; k < total; ++k) {
    const int x = static_cast<int>(tiles[3 * k] % width) - b.x0,
              y = static_cast<int>(tiles[3 * k] / width) - b.y0;
    if (x < 0 || x >= b.width || y < 0 || y >= b.height) continue;
    const auto i =
        static_cast<std::size_t>(y) * static_cast<std::size_t>(b.width) + static_cast<std::size_t>(x);
    const float* s = &state[9 * k];
    block_->atom(i) = {tiles[3 * k + 1], {s[0], s[1], s[2]}, {s[3], s[4], s[5]}, {s[6], s[7], s[8]}};
    clocks_[i] = tiles[3 * k + 2];
  }
  block_->atoms_changed();
  step_ = file.attribute<std::int64_t>(at, "step");
  pkas_fired_ = static_cast<std::size_t>(file.attribute<std::int64_t>(at, "pkas_fired"));
  const auto numbers = file.attribute_list<double>(at, "numbers");
  first_cycle_ = clocks_.latest();
  time_ps_ = numbers.at(0);
  time_step_.resume(numbers.at(1));
  // Energies of these positions; the run goes on with the stored forces, whose bits these have too.
  evaluate_energy();
  ledger_ = {numbers.at(2), numbers.at(3), numbers.at(4), numbers.at(5)};
}

}  // namespace wafermark::tungsten

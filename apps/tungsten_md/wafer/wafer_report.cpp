// What a run on the emulated wafer has to say: WaferSimulation's figures, checks and pictures.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "common/results/result.hpp"
#include "tungsten_md/dynamics/lost_atoms.hpp"
#include "tungsten_md/wafer/interaction_audit.hpp"
#include "tungsten_md/wafer/wafer_simulation.hpp"

namespace wafermark::tungsten {
namespace {

// Rounding decides whether a pair at the cut-off counts: it carries no force.
constexpr double cutoff_rounding_angstrom = 1e-4;

}  // namespace

std::int64_t WaferSimulation::missed_now() const {
  const AllAtoms all = all_atoms();
  const std::size_t n = all.energy_ev.size(), ranks = static_cast<std::size_t>(comm_.size()),
                    rank = static_cast<std::size_t>(comm_.rank());
  const std::size_t first = n * rank / ranks, last = n * (rank + 1) / ranks;
  std::vector<std::size_t> mine(last - first);
  std::iota(mine.begin(), mine.end(), first);
  const auto within =
      count_neighbours(all.configuration, plan_.tables.cutoff_angstrom - cutoff_rounding_angstrom, mine);
  std::int64_t missed = 0;
  for (const std::size_t k : mine) missed += std::max(0, within[k - first] - all.neighbours[k]);
  return comm_.sum(missed);
}

wse::Band WaferSimulation::time_band() const {
  return wse::band_of(plan_.machine, [&](const wse::Machine& machine) {
    return executor_.cycles_on(machine, first_cycle_) / machine.clock_hz;
  });
}

void WaferSimulation::report(Result& result, const RunLoop& loop) const {
  const wse::Machine& m = plan_.machine;
  const wse::TileGrid& grid = plan_.grid;
  const double steps = static_cast<double>(loop.steps), tiles = static_cast<double>(grid.tiles());
  const auto count = [&](const char* phase) { return static_cast<double>(executor_.items(phase)); };
  const double atom_steps = count("integration");
  const auto words = executor_.link_words().summarize();
  const double cycles = static_cast<double>(clock_cycles() - first_cycle_), seconds = cycles / m.clock_hz;
  const wse::OperationCounts operations = executor_.operations();
  const std::int64_t hops = comm_.sum(executor_.link_words().word_hops());
  const double idle = m.idle_watts * seconds, dynamic = wse::dynamic_joules(m, operations, hops);
  const bool ran = loop.steps > 0 && cycles > 0.0;
  const auto emulated = [&](const char* name, double value, const char* unit, const std::string& note = "",
                            const wse::Band& band = {}) {
    result.add_figure(name, ran ? std::optional(value) : std::nullopt, unit, Kind::emulated,
                      note.empty() ? m.name : m.name + ": " + note, band.quoted(value));
  };
  const wse::Band time = ran ? time_band() : wse::Band{}, rate = time.inverse();
  const wse::Band energy = !ran ? wse::Band{} : wse::band_of(m, [&](const wse::Machine& machine) {
    return wse::run_joules(machine, executor_.cycles_on(machine, first_cycle_) / machine.clock_hz, operations,
                           hops);
  });
  emulated("steps_per_second", steps / seconds, "1/s", "", rate);
  emulated("atom_steps_per_second", atom_steps / seconds, "1/s", "", rate);
  emulated("cycles_per_step", cycles / steps, "", "", time);
  emulated("joules_per_step", (idle + dynamic) / steps, "J",
           "counted operations, words and hops, and idle power of the whole wafer", energy);
  emulated("joules_per_atom_step", (idle + dynamic) / atom_steps, "J", "", energy);
  emulated("idle_energy_share", idle / (idle + dynamic), "");
  emulated("watts", (idle + dynamic) / seconds, "W");
  emulated("utilisation", executor_.utilisation(first_cycle_), "",
           "cycles of computing, over all tiles in use");
  emulated("words_per_link_mean", words.mean / steps, "", "words and commands per link and step");
  emulated("words_per_link_max", words.max / steps, "", "of the busiest link");
  emulated("link_load", words.mean * m.fabric.cycles_per_word / cycles, "",
           "words per link and cycle, in parts of what a link carries");
  emulated("candidates_per_atom", count("distances") / atom_steps, "");
  emulated("neighbours_per_atom", count("densities") / atom_steps, "");
  const int widest = block_->widest_pair();
  result.add_figure("neighbourhood_b", plan_.layout.reach, "", Kind::emulated, "of the multicasts");
  result.add_figure("occupied_tiles",
                    static_cast<double>(atoms()) / static_cast<double>(plan_.layout.grid.tiles()), "",
                    Kind::emulated, "share of the program's places that hold an atom");
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
  if (relaxation_) {
    result.add_figure("relaxation_steps", static_cast<double>(relaxation_->result.steps), "", Kind::emulated);
    result.add_figure("relaxation_cycles_per_step", relaxation_->cycles_of_step, "", Kind::emulated, m.name);
    result.add_check("relaxed_max_force", relaxation_->result.max_force, 0.0,
                     case_.dynamics.relax.force_tolerance_ev_per_angstrom, "eV/Angstrom");
  }
  if (has_open_axis(start_.box)) {
    result.add_figure("lost_atoms", static_cast<double>(lost_atoms_), "", Kind::emulated);
    result.add_figure("lost_energy_ev", ledger_.lost_ev, "eV", Kind::emulated);
  }
  if (plan_.settings.time_step_every > 1) {
    emulated("time_step_reductions", static_cast<double>(time_step_limits_), "", "of the whole wafer");
    result.add_check("steps_longer_than_allowed", static_cast<double>(steps_too_long_), 0.0, 0.0, "");
  }
  const Missed missed = this->missed();
  result.add_figure(
      "first_step_with_missed_interactions",
      missed.first_step < 0 ? std::nullopt : std::optional(static_cast<double>(missed.first_step)), "",
      Kind::emulated, "atoms within the cut-off whose tiles did not know of each other");
  result.add_check("missed_interactions", static_cast<double>(missed.interactions), 0.0, 0.0, "");
  result.add_check("missed_interactions_at_the_end", static_cast<double>(missed_now()), 0.0, 0.0, "");

  nlohmann::json memory = nlohmann::json::object();
  for (const auto& b : plan_.memory.buffers()) memory[b.name] = b.bytes;
  nlohmann::json counts = nlohmann::json::object();
  const SectionCounts& c = plan_.counts;
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
  nlohmann::json section = {{"tiles", {grid.width, grid.height}},
                            {"folded", {grid.ring[0], grid.ring[1]}},
                            {"column", plan_.layout.tiles_per_column},
                            {"layer_cells", plan_.settings.layer_cells.value_or(0)},
                            {"layers", plan_.layout.layers()},
                            {"batches", plan_.batches},
                            {"phases_cycles_per_step", record().summary_json()},
                            {"tile_memory_bytes", memory},
                            {"operations_per_item", counts},
                            {"sensitivity", rate.sensitivity()},
                            {"numbers", m.numbers()}};
  if (!plan_.tried.empty()) section["mappings"] = to_json(plan_.tried);
  section.update(m.record());
  result.set_section("wafer", section);
}

void WaferSimulation::write_files(const std::string& out) const {
  record().write_heat_map(out + "/wafer.h5", executor_.link_words().by_name());
  record().write_trace(out + "/trace.json");
}

}  // namespace wafermark::tungsten

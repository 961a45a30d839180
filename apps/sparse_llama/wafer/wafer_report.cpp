// What a run on the emulated wafer has to say.
#include <fmt/format.h>

#include "sparse_llama/wafer/wafer_decoder.hpp"

namespace wafermark::llama {

double WaferDecoder::seconds_on(const wse::Machine& machine) const {
  const ProgramCost there(machine, placement_.settings.value_type);
  return double(finished_cycle()) * placement_.predict(there).token / placement_.predicted_token_cycles /
         machine.clock_hz;
}

wse::Band WaferDecoder::time_band() const {
  return wse::band_of(cost_.machine(), [&](const wse::Machine& machine) { return seconds_on(machine); });
}

void WaferDecoder::report(Result& result, std::int64_t tokens) const {
  const wse::Machine& m = cost_.machine();
  const WaferSettings& s = placement_.settings;
  const auto& grid = placement_.grid;
  const double cycles = double(finished_cycle()), time = cycles / m.clock_hz, tiles = double(grid.tiles());
  const wse::OperationCounts operations = executor_.operations();
  const std::int64_t hops = executor_.word_hops();
  const double idle = m.idle_watts * time, dynamic = wse::dynamic_joules(m, operations, hops);
  const auto emulated = [&](const char* name, double value, const char* unit, const std::string& note = "",
                            const wse::Band& band = {}) {
    result.add_figure(name, tokens > 0 ? std::optional(value) : std::nullopt, unit, Kind::emulated,
                      note.empty() ? m.name : m.name + ": " + note, band.quoted(value));
  };
  const bool ran = tokens > 0 && cycles > 0;
  const wse::Band of_time = ran ? time_band() : wse::Band{};
  const wse::Band of_energy = !ran ? wse::Band{} : wse::band_of(m, [&](const wse::Machine& machine) {
    return wse::run_joules(machine, seconds_on(machine), operations, hops);
  });
  emulated("joules_per_token", (idle + dynamic) / double(tokens), "J",
           "counted operations, words and hops, and idle power of all tiles; prompt included", of_energy);
  emulated("dynamic_joules_per_token", dynamic / double(tokens), "J");
  emulated("idle_energy_share", idle / (idle + dynamic), "");
  emulated("watts", (idle + dynamic) / time, "W");
  emulated("cycles_per_token", cycles / double(tokens), "", "of the whole run, prompt included", of_time);
  emulated("utilisation", executor_.utilisation(), "", "cycles of computing, over all tiles in use");
  emulated("link_load", double(hops) * m.fabric.cycles_per_word / (4.0 * tiles * cycles), "",
           "words per link and cycle");
  result.add_figure("sparsity", sparsity(), "", Kind::measured);
  result.add_figure("bits_per_weight", bits_per_weight(), "bits", Kind::measured,
                    "as tiles hold the layers' matrices");
  if (row_of(s.format).layout != Layout::whole) {
    result.add_figure("balance", balance_.dealt, "", Kind::emulated,
                      s.balance_rows ? "gate and up weights of a tile, mean over largest; hidden units dealt"
                                     : "gate and up weights of a tile, mean over largest");
    result.add_figure("balance_even", balance_.even, "", Kind::emulated,
                      "the same with hidden units in their order");
  }
  const wse::TileMemory memory = placement_.tile_memory(m, most_weight_bytes_);
  result.add_figure("sram_high_water", double(memory.high_water()), "B", Kind::emulated, m.name);
  result.add_figure("cache_capacity", double(placement_.cache_capacity(m, most_weight_bytes_)), "tokens",
                    Kind::emulated, "of all sequences together");
  result.add_figure("predicted_token_cycles", placement_.predicted_token_cycles, "", Kind::modelled,
                    "layers and head, tiles that hold the mean");

  nlohmann::json ledger = nlohmann::json::object();
  for (const auto& b : memory.buffers()) ledger[b.name] = b.bytes;
  const wse::Block& area = placement_.layers.front().area;
  nlohmann::json section = {{"tiles", {grid.width, grid.height}},
                            {"strips", placement_.strips},
                            {"layers_per_region", placement_.layers_per_region},
                            {"region", {area.width, area.height}},
                            {"rows_together", s.rows_together},
                            {"stored_weights", s.stored_weights == StoredWeights::sent ? "sent" : "found"},
                            {"phases_cycles_per_step", executor_.record().summary_json()},
                            {"tile_memory_bytes", ledger},
                            {"operations_per_item", cost_.json()},
                            {"sensitivity", of_time.inverse().sensitivity()},
                            {"energy_sensitivity", of_energy.sensitivity()},
                            {"numbers", m.numbers()}};
  section.update(m.record());
  result.set_section("wafer", section);
  result.set_section("floor_plan", placement_.floor_plan());
}

}  // namespace wafermark::llama

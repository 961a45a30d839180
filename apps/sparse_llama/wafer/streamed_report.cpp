// What a run with streamed weights has to say.
#include "sparse_llama/wafer/streamed_pass.hpp"

namespace wafermark::llama {

void StreamedPass::report(Result& result, std::int64_t tokens) const {
  const Configuration& c = source_.configuration;
  const double cycles = double(executor_.reached()), time = seconds(), of_tokens = double(tokens);
  const wse::OperationCounts operations = executor_.operations();
  const std::int64_t hops = executor_.word_hops();
  const double idle = machine_.idle_watts * time, dynamic = wse::dynamic_joules(machine_, operations, hops);
  const wse::Band of_time = time_band();
  const wse::Band of_energy = wse::band_of(machine_, [&](const wse::Machine& machine) {
    return wse::run_joules(machine, seconds_on(machine), operations, hops);
  });
  const auto emulated = [&](const char* name, double value, const char* unit, const std::string& note = "",
                            const wse::Band& band = {}) {
    result.add_figure(name, value, unit, Kind::emulated,
                      note.empty() ? machine_.name : machine_.name + ": " + note, band.quoted(value));
  };
  emulated("joules_per_token", (idle + dynamic) / of_tokens, "J",
           "counted operations, words and hops, and idle power of all tiles; without what brings the weights "
           "to the edge",
           of_energy);
  emulated("dynamic_joules_per_token", dynamic / of_tokens, "J");
  emulated("idle_energy_share", idle / (idle + dynamic), "");
  emulated("watts", (idle + dynamic) / time, "W");
  emulated("cycles_per_token", cycles / of_tokens, "", "of the whole run", of_time);
  emulated("utilisation", executor_.utilisation(), "", "cycles of computing, over all tiles of the grid");
  emulated("edge_load", edge_.bits() / edge_.bits_per_cycle() / cycles, "",
           "of the time, weights and embeddings enter");
  result.add_figure("sparsity", sparsity(), "", Kind::measured);
  const wse::TileMemory memory = streamed_memory(c, settings_, machine_, place_);
  result.add_figure("sram_high_water", double(memory.high_water()), "B", Kind::emulated, machine_.name);
  const StreamedPrediction predicted = predict_streamed(c, settings_, machine_, place_);
  result.add_figure("predicted_pass_cycles", predicted.pass(c.layers), "", Kind::modelled,
                    "of settings' tokens, weights spread evenly, nobody waiting");

  nlohmann::json ledger = nlohmann::json::object();
  for (const auto& b : memory.buffers()) ledger[b.name] = b.bytes;
  nlohmann::json section = {{"tiles", {place_.grid.width, place_.grid.height}},
                            {"weights", "streamed"},
                            {"groups", place_.groups},
                            {"columns_of_group", place_.width},
                            {"rows_that_bring_weights", place_.feed},
                            {"queries_together", place_.queries},
                            {"sums_together", place_.sums_together},
                            {"tokens_of_pass", settings_.tokens},
                            {"tokens_of_tile", place_.tokens_of_tile(settings_.tokens)},
                            {"tile_sums", settings_.tile_sums == TileSums::half ? "fp16" : "fp32"},
                            {"phases_cycles_per_step", executor_.record().summary_json()},
                            {"tile_memory_bytes", ledger},
                            {"sensitivity", of_time.inverse().sensitivity()},
                            {"energy_sensitivity", of_energy.sensitivity()},
                            {"numbers", machine_.numbers()}};
  section.update(machine_.record());
  result.set_section("wafer", section);
}

}  // namespace wafermark::llama

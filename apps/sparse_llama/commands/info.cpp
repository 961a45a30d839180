#include "sparse_llama/commands/info.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>

#include "common/communicator.hpp"
#include "common/errors.hpp"
#include "common/option_checks.hpp"
#include "common/results/result.hpp"
#include "sparse_llama/cluster/decoder.hpp"
#include "sparse_llama/commands/product_info.hpp"
#include "sparse_llama/commands/result_folder.hpp"
#include "sparse_llama/commands/wafer_options.hpp"
#include "sparse_llama/model/configuration_file.hpp"
#include "sparse_llama/model/memory_need.hpp"
#include "sparse_llama/wafer/layer_run.hpp"
#include "sparse_llama/wafer/prediction.hpp"
#include "sparse_llama/wafer/streamed_run.hpp"
#include "sparse_llama/wafer/tile_weights.hpp"
#include "wse_emulator/band.hpp"

namespace wafermark::llama {
namespace {

struct InfoOptions {
  ModelOptions model;
  WaferOptions wafer;
  ProductOptions product;
  OutputOptions output;
  std::string target = "cluster";
};

/// What a layer takes with streamed weights in passes of so many tokens, a line for each number of tokens.
void info_streamed(const InfoOptions& o, const WeightSource& source) {
  expect_llama(source.configuration, source.name, "--target wafer");
  const Communicator self(MPI_COMM_SELF);
  const ResultFolder out(self, o.output, "info", Writes::figures);
  out.expect_free();
  const wse::Machine machine = o.wafer.read();
  const wse::TileGrid grid = o.wafer.grid(machine);
  const Configuration& c = source.configuration;
  StreamedSettings settings = o.wafer.streamed_settings(o.model, 1.0 - estimated_sparsity(source));
  expect_on_tiles(settings.format, settings.value_type);
  fmt::print(
      "\n{} x {} tiles of {}, weights streamed, drawn with the mean density; a layer among others, emulated "
      "(products, attention, edge: modelled):\n{:>9} {:>7} {:>8} {:>6} {:>13} {:>15} {:>10} {:>10} {:>10}\n",
      grid.width, grid.height, machine.name, "tokens", "groups", "of tile", "sums", "cycles/layer",
      "mJ/token, layer", "products", "attention", "edge");
  auto rows = nlohmann::json::array();
  for (std::int64_t sequences = 1; sequences <= 1024; sequences *= 2) {
    settings.sequences = sequences;
    settings.tokens = sequences * c.context;
    try {
      const StreamedRun run = run_layer(c, settings, machine, grid);
      const StreamedPrediction p = predict_streamed(c, settings, machine, run.place);
      const double joules = run.joules(machine) / double(settings.tokens);
      fmt::print("{:>9} {:>7} {:>8} {:>6} {:>13.4g} {:>15.4g} {:>10.4g} {:>10.4g} {:>10.4g}\n",
                 settings.tokens, run.place.groups, run.place.tokens_of_tile(settings.tokens),
                 run.place.sums_together, run.cycles, 1e3 * joules, p.products, p.attention, p.edge);
      rows.push_back({{"tokens", settings.tokens},
                      {"groups", run.place.groups},
                      {"tokens_of_tile", run.place.tokens_of_tile(settings.tokens)},
                      {"sums_together", run.place.sums_together},
                      {"cycles", run.cycles},
                      {"cycles_band", run.band.of(run.cycles)},
                      {"seconds", run.seconds(machine)},
                      {"joules_per_token", joules},
                      {"time_sensitivity", run.band.sensitivity()},
                      {"energy_sensitivity", run.energy_band.sensitivity()}});
    } catch (const InputError&) {
      if (sequences == 1) throw;
      fmt::print("{:>9} do not fit into the tiles' memory\n", settings.tokens);
      break;
    }
  }
  if (!out.given()) return;
  Result result(self, "sparse_llama", "info", "wafer");
  out.begin(result);
  result.set_section("wafer", wafer_section(machine, grid));
  result.set_section("layer", {{"model", source.name}, {"density", settings.density}, {"rows", rows}});
  out.write(result);
  fmt::print("result: {}/result.json\n", out.path());
}

/// Passes in all regions at once, on the clocks of all tiles of one region; the output head as it is
/// modelled.
struct FullPipeline {
  LayerRun layer;
  std::int64_t layers = 0, tokens = 0;  ///< of the model; of a pass
  double stage = 0;                     ///< cycles from pass to pass, of the slowest region

  /// Of a pass, when the next is so far behind: idle power of the wafer and what the layers add; without the
  /// head's.
  double joules(const wse::Machine& m, double seconds) const {
    return m.idle_watts * seconds +
           double(layers) * wse::dynamic_joules(m, layer.operations, layer.word_hops);
  }
  double joules_per_token(const wse::Machine& m) const {
    return joules(m, stage / m.clock_hz) / double(tokens);
  }
};

FullPipeline run_full_pipeline(const Placement& p, const ProgramCost& cost, std::int64_t seen) {
  const wse::Block& area = p.layers.front().area;
  FullPipeline full;
  full.layer = run_layer(p.model, cost, p.settings, area.width, area.height, seen);
  full.stage = std::max(p.layers_per_region * full.layer.interval,
                        predict_head(p.model, cost, p.settings, area.width, p.head.area.height));
  full.layers = p.model.layers;
  full.tokens = p.settings.rows_together;
  return full;
}

/// Tokens/s of a pass that takes so many cycles.
double rate_of(const Placement& p, const wse::Machine& machine, double cycles) {
  return double(p.settings.rows_together) * machine.clock_hz / cycles;
}

/// What is predicted and emulated, and what both hang on, to result.json.
void write_pipeline(const Communicator& comm, const ResultFolder& out, const Placement& p,
                    const ProgramCost& cost, const FullPipeline& full) {
  const wse::Machine& machine = cost.machine();
  const auto predicted_on = [&](const wse::Machine& m) {
    return p.predict(ProgramCost(m, p.settings.value_type));
  };
  const wse::Band token =
      wse::band_of(machine, [&](const wse::Machine& m) { return predicted_on(m).token / m.clock_hz; });
  const wse::Band stage =
      wse::band_of(machine, [&](const wse::Machine& m) { return predicted_on(m).stage / m.clock_hz; });
  const wse::Band energy = wse::band_of(
      machine, [&](const wse::Machine& m) { return full.joules(m, predicted_on(m).stage / m.clock_hz); });
  const double alone_rate = rate_of(p, machine, p.predicted_token_cycles),
               full_rate = rate_of(p, machine, p.predicted_stage_cycles),
               emulated_rate = rate_of(p, machine, full.stage), joules = full.joules_per_token(machine);
  Result result(comm, "sparse_llama", "info", "wafer");
  result.add_figure("predicted_token_cycles", p.predicted_token_cycles, "", Kind::modelled, machine.name,
                    token.of(p.predicted_token_cycles));
  result.add_figure("predicted_stage_cycles", p.predicted_stage_cycles, "", Kind::modelled, machine.name,
                    stage.of(p.predicted_stage_cycles));
  result.add_figure("cache_capacity", double(p.cache_capacity(machine, p.expected_weight_bytes())), "tokens",
                    Kind::modelled, machine.name);
  result.add_figure("predicted_tokens_per_second", alone_rate, "tokens/s", Kind::modelled,
                    fmt::format("{} sequences, one pass under way", p.settings.rows_together),
                    token.inverse().of(alone_rate));
  result.add_figure("predicted_tokens_per_second_of_all", full_rate, "tokens/s", Kind::modelled,
                    "a pass in every region", stage.inverse().of(full_rate));
  result.add_figure("emulated_layer_cycles", full.layer.alone, "", Kind::emulated, machine.name,
                    token.of(full.layer.alone));
  result.add_figure("emulated_stage_cycles", full.stage, "", Kind::emulated, machine.name,
                    stage.of(full.stage));
  result.add_figure("emulated_tokens_per_second_of_all", emulated_rate, "tokens/s", Kind::emulated,
                    "a pass in every region; weights drawn with the mean density",
                    stage.inverse().of(emulated_rate));
  result.add_figure("emulated_joules_per_token_of_all", joules, "J", Kind::emulated,
                    "idle power of the wafer, operations, words and hops of the layers", energy.of(joules));
  result.set_section(
      "pipeline", {{"time_sensitivity", stage.sensitivity()}, {"energy_sensitivity", energy.sensitivity()}});
  auto section = wafer_section(machine, p.grid);
  section["sensitivity"] = token.inverse().sensitivity();
  result.set_section("wafer", section);
  result.set_section("floor_plan", p.floor_plan());
  out.begin(result);
  out.write(result);
  fmt::print("floor plan: {}/result.json, which wafermark-report draws\n", out.path());
}

/// Where the model would lie, what a tile holds, and what a token would take, before a run.
void info_on_wafer(const InfoOptions& o, const Communicator& comm, const WeightSource& source) {
  const ResultFolder out(comm, o.output, "info", Writes::figures);
  out.expect_free();
  expect_llama(source.configuration, source.name, "--target wafer");
  const wse::Machine machine = o.wafer.read();
  WaferSettings settings = o.wafer.settings(o.model, source);
  if (settings.context == 0) settings.context = std::min<std::int64_t>(source.configuration.context, 1024);
  settings.sequences = settings.rows_together;  // each token is of another
  const ProgramCost cost(machine, settings.value_type);
  const Placement p = Placement::search(source.configuration, machine, cost, o.wafer.grid(machine), settings);
  const wse::TileRegion& r = p.layers.front();
  const std::int64_t weights = p.expected_weight_bytes();
  fmt::print("\n{} x {} tiles of {}: {} strips of width {}, regions of {} x {} tiles for {} layers each\n",
             p.grid.width, p.grid.height, machine.name, p.strips, r.area.width, r.area.width, r.area.height,
             p.layers_per_region);
  fmt::print("embedding on {} x {} tiles, head on {} x {}{}\n", p.embedding.area.width,
             p.embedding.area.height, p.head.area.width, p.head.area.height,
             source.configuration.tied_embeddings ? " (the same)" : "");
  fmt::print("\nmemory of the fullest tile of a layer, weights as chance spreads them:\n{}\n",
             p.tile_memory(machine, weights).ledger());
  fmt::print("tokens of cache: {} asked for, room for {} in all\n", settings.context,
             p.cache_capacity(machine, weights));
  const std::int64_t seen = settings.context / 2;
  const LayerPrediction l = predict_layer(p.model, cost, settings, r.area.width, r.area.height, seen);
  fmt::print(
      "\nmodelled cycles of a layer behind {} tokens: {:.0f} = multiply {:.0f} + attention {:.0f} + sums "
      "{:.0f} + "
      "broadcasts {:.0f} + other {:.0f}\n",
      seen, l.sum(), l.multiply, l.attention, l.reduce, l.broadcast, l.other);
  fmt::print(
      "of a pass of {} token{}: {:.0f}, that is {:.4g} tokens/s of {} sequence{} at {:.0f} MHz; of the "
      "slowest "
      "region: {:.0f}, {:.4g} tokens/s of all sequences\n",
      settings.rows_together, settings.rows_together == 1 ? "" : "s", p.predicted_token_cycles,
      rate_of(p, machine, p.predicted_token_cycles), settings.rows_together,
      settings.rows_together == 1 ? "" : "s", 1e-6 * machine.clock_hz, p.predicted_stage_cycles,
      rate_of(p, machine, p.predicted_stage_cycles));
  const FullPipeline full = run_full_pipeline(p, cost, seen);
  fmt::print(
      "emulated, weights drawn with the mean density: a layer {:.0f} cycles, the next pass {:.0f} behind; "
      "a pass in every region: {:.4g} tokens/s of all sequences, {:.4g} J a token\n",
      full.layer.alone, full.layer.interval, rate_of(p, machine, full.stage), full.joules_per_token(machine));
  if (row_of(settings.format).layout != Layout::whole) {
    WaferSettings dense = settings;
    dense.format = Format::dense;
    dense.density = 1;
    try {
      const Placement d =
          Placement::search(source.configuration, machine, cost, o.wafer.grid(machine), dense);
      fmt::print("dense weights in {} fit too, with room for {} tokens of cache\n",
                 name_of(settings.value_type), d.cache_capacity(machine, d.expected_weight_bytes()));
    } catch (const InputError&) {
      fmt::print("dense weights in {} do not fit\n", name_of(settings.value_type));
    }
  }
  if (out.given()) write_pipeline(comm, out, p, cost, full);
}

/// MB for 1,000 tokens, of each type that a cache may have.
std::string cache_sizes(const Configuration& c) {
  std::vector<std::string> sizes;
  for (const ValueRow& row : value_rows)
    if (row.in_cache)
      sizes.push_back(fmt::format(
          "{:.4g} ({})", 1e-6 * 1000 * double(c.layers * c.kv_heads * cached_bytes(row.type, c.head_dim)),
          row.name));
  return fmt::format("{}", fmt::join(sizes, ", "));
}

int info(const InfoOptions& o) {
  const Communicator comm;
  o.wafer.check_target(o.target);
  o.wafer.check_weights();
  o.product.expect_product();
  if (o.product.given()) {
    if (comm.is_root()) product_info(o.product, o.wafer, o.model, o.output);
    return 0;
  }
  const WeightSource source = o.model.source();
  if (!comm.is_root()) return 0;  // nothing here takes more than one
  const Configuration& c = source.configuration;
  const double weights = layer_weight_count(c), ends = double(c.vocabulary) * double(c.dim);
  const double sparsity = estimated_sparsity(source);
  fmt::print(
      "{}: {} layers, dim {}, hidden {}, {} heads of {} on {} key/value heads, vocabulary {}{}, context {}\n",
      source.name, c.layers, c.dim, c.hidden, c.heads, c.head_dim, c.kv_heads, c.vocabulary,
      c.tied_embeddings ? " (tied)" : "", c.context);
  fmt::print(
      "{:.4g} weights in the layers, {:.1f} % of them zero (first layer), {:.4g} in embedding and head\n",
      weights, 100 * sparsity, ends * (c.tied_embeddings ? 1 : 2));
  fmt::print("cache: {} MB for each 1,000 tokens of a sequence{}; at most {} ranks\n\n", cache_sizes(c),
             c.sliding_window > 0 ? fmt::format(", of {:.0f} tokens at most",
                                                cached_positions(c, double(c.context), Decoder::chunk_rows))
                                  : "",
             c.kv_heads);
  fmt::print("{:<10} {:<6} {:>12} {:>12} {:>22}\n", "format", "value", "bits/weight", "memory, GB",
             "read for a token, GB");
  for (const FormatRow& format : format_rows)
    for (const ValueRow& value : value_rows) {
      if (!holds(format.format, value.type)) continue;
      const double b = bits_per_weight_of(format.format, value.type, 1 - sparsity),
                   end = ends * bits_per_weight_of(Format::dense, value.type, 1) / 8;
      fmt::print("{:<10} {:<6} {:>12.2f} {:>12.3f} {:>22.3f}\n", format.name, value.name, b,
                 1e-9 * (weights * b / 8 + end * (c.tied_embeddings ? 1 : 2)),
                 1e-9 * (weights * b / 8 + end));
    }
  if (o.target == "wafer" && o.wafer.streamed())
    info_streamed(o, source);
  else if (o.target == "wafer")
    info_on_wafer(o, Communicator(MPI_COMM_SELF), source);
  return 0;
}

}  // namespace

void add_info_command(CLI::App& app, std::function<int()>& action) {
  auto* command =
      app.add_subcommand("info", "What a model takes: shapes, bits per weight and memory by format");
  auto o = std::make_shared<InfoOptions>();
  o->model.add_model_to(*command);
  o->model.add_storage_to(*command);
  command->add_option("--target", o->target, "wafer: also where the model lies on the emulated machine")
      ->check(one_of({"cluster", "wafer"}))
      ->capture_default_str();
  o->wafer.add_to(*command);
  o->product.add_to(*command, o->wafer);
  o->wafer.of_wafer(o->output.add_to(*command, "folder for the floor plan on the wafer"));
  command->callback([o, &action] { action = [o] { return info(*o); }; });
}

}  // namespace wafermark::llama

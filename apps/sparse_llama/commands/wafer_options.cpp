#include "sparse_llama/commands/wafer_options.hpp"

#include <fmt/format.h>

#include "common/errors.hpp"
#include "common/option_checks.hpp"

namespace wafermark::llama {

nlohmann::json wafer_section(const wse::Machine& machine, const wse::TileGrid& grid) {
  auto section = machine.record();
  section["tiles"] = {grid.width, grid.height};
  return section;
}

double estimated_sparsity(const WeightSource& source) {
  double zeros = 0, all = 0;
  for (const Matrix m : {Matrix::query, Matrix::key, Matrix::value, Matrix::attention_output, Matrix::gate,
                         Matrix::up, Matrix::down}) {
    const MatrixShape shape = shape_of(source.configuration, m);
    std::vector<float> row(std::size_t(shape.columns));
    source.open(m, 0);
    const std::int64_t step = shape.rows * shape.columns > (1 << 20) ? 16 : 1;
    for (std::int64_t r = 0; r < shape.rows; r += step) {
      source.row(m, 0, r, 0, shape.columns, row.data());
      for (const float value : row) zeros += value == 0;
      all += double(shape.columns);
    }
    source.close(m, 0);
  }
  return zeros / all;
}

void WaferOptions::add_to(CLI::App& command) {
  add_machine_to(command);
  add_tiles_to(command);
  of_wafer(command.add_option("--weights", weights,
                              "resident: in the tiles' memory; streamed: from outside, row by row"))
      ->check(one_of({"resident", "streamed"}))
      ->capture_default_str();
  const auto resident = [&](CLI::Option* option) {
    of_resident_.push_back(option);
    return of_wafer(option);
  };
  resident(command.add_option("--cache-tokens", context,
                              "room for so many tokens a sequence; default: what the run needs"))
      ->transform(whole_number_in({1, 1e9}));
  resident(
      command.add_option("--rows-together", rows_together,
                         "tokens that go through the layers as one batch; others follow as tiles are free"))
      ->transform(whole_number_in({1, 1e6}))
      ->capture_default_str();
  resident(command.add_option("--layers-per-region", layers_per_region,
                              "layers on the same tiles; 0: whatever takes a token through soonest"))
      ->transform(whole_number_in({0, 1e6}))
      ->capture_default_str();
  resident(
      command.add_option("--strips", strips, "strips of regions; 0: whatever takes a token through soonest"))
      ->transform(whole_number_in({0, 1e6}))
      ->capture_default_str();
  resident(
      command.add_option(
          "--stored-weights", stored_weights,
          "how a tile comes by weights among zeros: found by scalar code in a bit mask, or sent by the tile "
          "to itself, so that each starts its multiply-adds as it arrives"))
      ->check(one_of({"found", "sent"}))
      ->capture_default_str();
  resident(command.add_flag("--for-throughput", for_throughput,
                            "place layers so that tokens of many sequences follow each other soonest"));
  resident(command.add_flag("--rows-in-order", rows_in_order,
                            "do not deal hidden units so that tiles hold equally many weights"));
  add_streamed_to(command);
}

void WaferOptions::add_streamed_to(CLI::App& command) {
  const auto streamed = [&](CLI::Option* option) {
    of_streamed_.push_back(option);
    return of_wafer(option);
  };
  streamed(command.add_option("--tile-sums", tile_sums,
                              "streamed: fp16 or fp32 sums within a tile (from tile to tile they are fp32)"))
      ->check(one_of({"fp16", "fp32"}))
      ->capture_default_str();
  streamed(command.add_option("--edge-code", edge_code,
                              "streamed: how stored weights are told from zeros on their way in, by a 16-bit "
                              "number each or by a bit for every weight"))
      ->check(one_of({"index", "mask"}))
      ->capture_default_str();
  streamed(command.add_option(
               "--groups", groups,
               "streamed: groups of columns that hold a token's numbers each; 0: whatever is fastest"))
      ->transform(whole_number_in({0, 1e4}))
      ->capture_default_str();
  streamed(command.add_option("--outputs-ahead", ahead,
                              "streamed: outputs that a tile may be ahead of the sums that it passes on"))
      ->transform(whole_number_in({0, 1e3}))
      ->capture_default_str();
  streamed(
      command.add_option("--sums-together", sums_together,
                         "streamed: outputs whose sums an instruction passes on; 0: whatever is fastest"))
      ->transform(whole_number_in({0, 1e3}))
      ->capture_default_str();
}

void WaferOptions::check_weights() const {
  for (const auto& [options, other] :
       {std::pair(&of_resident_, "streamed"), std::pair(&of_streamed_, "resident")})
    for (const CLI::Option* option : *options)
      if (weights == other && option->count() > 0)
        throw InputError(fmt::format("{}: found --weights {}, expected --weights {}", option->get_name(),
                                     weights, streamed() ? "resident" : "streamed"));
}

void WaferOptions::add_trace_to(CLI::App& command) {
  repeated(of_wafer(command.add_option(
      "--trace", traced, "X,Y: what this tile does in the first ten passes, to OUT/trace.json")));
  of_streamed_.push_back(
      of_wafer(command.add_option("--worked-out", worked_out,
                                  "streamed: numbers of so many of the prompts' first tokens only, time and "
                                  "energy of all; makes no tokens")));
  command.get_option("--worked-out")->transform(whole_number_in({0, 1e9}));
}

wse::TileGrid WaferOptions::grid(const wse::Machine& m) const {
  const auto given = tiles_given();
  if (!given) return {m.width, m.height};
  const auto [width, height] = *given;
  if (width > m.width || height > m.height)
    throw InputError(fmt::format("--tiles {}: expected at most the {} x {} tiles of {}", tiles, m.width,
                                 m.height, m.name));
  return {width, height};
}

WaferSettings WaferOptions::settings(const ModelOptions& model, const WeightSource& source) const {
  WaferSettings s;
  s.format = format_named(model.format, "--format");
  s.value_type = value_type_named(model.value, "--value");
  s.density = 1.0 - estimated_sparsity(source);
  s.context = context;
  s.rows_together = rows_together;
  s.layers_per_region = layers_per_region;
  s.strips = strips;
  s.balance_rows = !rows_in_order;
  s.for_throughput = for_throughput;
  s.stored_weights = stored_weights == "sent" ? StoredWeights::sent : StoredWeights::found;
  return s;
}

StreamedSettings WaferOptions::streamed_settings(const ModelOptions& model, double density) const {
  StreamedSettings s;
  s.format = format_named(model.format, "--format");
  s.value_type = value_type_named(model.value, "--value");
  s.tile_sums = tile_sums == "fp16" ? TileSums::half : TileSums::single;
  s.edge_code = edge_code == "index" ? EdgeCode::index : EdgeCode::mask;
  s.density = density;
  s.groups = groups;
  s.ahead = ahead;
  s.sums_together = sums_together;
  return s;
}

std::vector<std::array<int, 2>> WaferOptions::traced_tiles(const wse::TileGrid& grid) const {
  std::vector<std::array<int, 2>> chosen;
  for (const std::string& tile : traced) {
    chosen.push_back(number_pair(tile, "--trace", ',', 0));
    if (chosen.back()[0] >= grid.width || chosen.back()[1] >= grid.height)
      throw InputError(fmt::format("--trace {}: found no such tile, expected one of {} x {}, counted from 0",
                                   tile, grid.width, grid.height));
  }
  return chosen;
}

}  // namespace wafermark::llama

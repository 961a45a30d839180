#include "sparse_llama/commands/product_info.hpp"

#include <fmt/format.h>

#include "common/communicator.hpp"
#include "common/errors.hpp"
#include "common/option_checks.hpp"
#include "sparse_llama/wafer/streamed_run.hpp"
#include "sparse_llama/wafer/tile_weights.hpp"

namespace wafermark::llama {
namespace {

StreamedShape shape_of_product(const ProductOptions& o) {
  const auto [outputs, inputs] = number_pair(o.product, "--product", 'x', 1);
  constexpr int most = 65536;  // counts of weights that come to a column are kept in 16 bits
  if (outputs > most || inputs >= most)
    throw InputError(
        fmt::format("--product {}: expected at most {} outputs and {} inputs", o.product, most, most - 1));
  return {inputs, {outputs}, false};
}

nlohmann::json record_of(const StreamedRun& run, const StreamedRun& dense, const wse::Machine& machine,
                         std::int64_t tokens, double sparsity) {
  return {{"tokens", tokens},
          {"sparsity", sparsity},
          {"groups", run.place.groups},
          {"tokens_of_tile", run.place.tokens_of_tile(tokens)},
          {"sums_together", run.place.sums_together},
          {"cycles", run.cycles},
          {"seconds_band", run.band.of(run.seconds(machine))},
          {"joules", run.joules(machine)},
          {"time_sensitivity", run.band.sensitivity()},
          {"energy_sensitivity", run.energy_band.sensitivity()},
          {"edge_load", run.edge_bits / (machine.edge_bits_per_second / machine.clock_hz) / run.cycles},
          {"time_over_dense", dense.cycles / run.cycles},
          {"energy_over_dense", dense.joules(machine) / run.joules(machine)}};
}

void print_row(const nlohmann::json& row) {
  fmt::print("{:>9} {:>5.0f} % {:>7} {:>8} {:>6} {:>11.4g} {:>9.3g} {:>5.0f} % {:>7.2f} {:>8.2f}\n",
             row["tokens"].get<std::int64_t>(), 100 * row["sparsity"].get<double>(), row["groups"].get<int>(),
             row["tokens_of_tile"].get<std::int64_t>(), row["sums_together"].get<int>(),
             row["cycles"].get<double>(), row["joules"].get<double>(), 100 * row["edge_load"].get<double>(),
             row["time_over_dense"].get<double>(), row["energy_over_dense"].get<double>());
}

}  // namespace

void ProductOptions::add_to(CLI::App& command, WaferOptions& wafer) {
  const auto of_product = [&](CLI::Option* option) {
    of_product_.push_back(option);
    return wafer.of_wafer(option);
  };
  wafer
      .of_wafer(command.add_option("--product", product,
                                   "OUTPUTSxINPUTS: one product with streamed weights instead of a model, "
                                   "dense and sparse, on the clocks of all tiles"))
      ->check(not_empty("OUTPUTSxINPUTS, as 4096x11008"));
  of_product(command.add_option("--sparsity", sparsities, "of --product: shares of zeros, as 0.5,0.7"))
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(number_in({0, 0.999}))
      ->capture_default_str();
  of_product(command.add_option("--product-tokens", tokens, "of --product: numbers of tokens together"))
      ->delimiter(',')
      ->allow_extra_args(false)
      ->transform(whole_number_in({1, 1e9}))
      ->capture_default_str();
}

void ProductOptions::expect_product() const {
  for (const CLI::Option* option : of_product_)
    if (option->count() > 0 && !given())
      throw InputError(fmt::format("{}: found no --product, expected one", option->get_name()));
}

void product_info(const ProductOptions& o, const WaferOptions& wafer, const ModelOptions& storage,
                  const OutputOptions& output) {
  if (!storage.model.empty() || !storage.synthetic.empty())
    throw InputError("--product: found a model beside it, expected one of the two");
  if (!wafer.streamed()) throw InputError("--product: found --weights resident, expected streamed");
  if (storage.format_option != nullptr && storage.format_option->count() > 0)
    throw InputError("--format: found --product, which takes dense and unstructured, expected none");
  const Communicator self(MPI_COMM_SELF);
  const ResultFolder out(self, output, "info", Writes::figures);
  out.expect_free();
  const StreamedShape shape = shape_of_product(o);
  const wse::Machine machine = wafer.read();
  const wse::TileGrid grid = wafer.grid(machine);
  StreamedSettings settings = wafer.streamed_settings(storage, 0.0);
  expect_on_tiles(settings.format, settings.value_type);
  fmt::print(
      "{} outputs of {} inputs on {} x {} tiles of {}, weights streamed; emulated:\n{:>9} {:>7} {:>7} {:>8} "
      "{:>6} {:>11} {:>9} {:>7} {:>7} {:>8}\n",
      shape.outputs(), shape.inputs, grid.width, grid.height, machine.name, "tokens", "zeros", "groups",
      "of tile", "sums", "cycles", "J", "edge", "faster", "less J");
  auto rows = nlohmann::json::array();
  for (const std::int64_t tokens : o.tokens) {
    settings.tokens = tokens;
    settings.format = Format::dense;
    settings.density = 1;
    const StreamedRun dense = run_product(shape, settings, machine, grid);
    rows.push_back(record_of(dense, dense, machine, tokens, 0));
    print_row(rows.back());
    settings.format = Format::bit_mask;
    for (const double sparsity : o.sparsities) {
      settings.density = 1 - sparsity;
      rows.push_back(
          record_of(run_product(shape, settings, machine, grid), dense, machine, tokens, sparsity));
      print_row(rows.back());
    }
  }
  if (!out.given()) return;
  Result result(self, "sparse_llama", "info", "wafer");
  out.begin(result);
  result.set_section("wafer", wafer_section(machine, grid));
  result.set_section("products", {{"outputs", shape.outputs()}, {"inputs", shape.inputs}, {"rows", rows}});
  out.write(result);
  fmt::print("result: {}/result.json\n", out.path());
}

}  // namespace wafermark::llama

#include "sparse_llama/wafer/layer_run.hpp"

#include <random>

#include "sparse_llama/wafer/tile_weights.hpp"
#include "wse_emulator/region_executor.hpp"

namespace wafermark::llama {
namespace {

/// Of a matrix: how many weights of every input a tile stores.
class DrawnMatrix {
 public:
  DrawnMatrix(const WaferSettings& settings, std::uint32_t seed)
      : settings_(settings),
        dense_(row_of(settings.format).layout == Layout::whole),
        stored_below_(std::uint64_t(settings.density * double(std::uint64_t{1} << 32))),
        engine_(seed) {}

  /// Appends a tile's steps.
  void add_tile(wse::Steps& steps, std::int64_t inputs, std::int64_t outputs) {
    for (std::int64_t k = 0; k < inputs; ++k) steps.items.push_back(int(dense_ ? outputs : drawn(outputs)));
    steps.first.push_back(std::int64_t(steps.items.size()));
    steps.always.push_back(
        int(TileWeights::beside_weights(settings_.format, settings_.stored_weights, outputs)));
  }

 private:
  std::int64_t drawn(std::int64_t outputs) {
    std::int64_t stored = 0;
    for (std::int64_t k = 0; k < outputs; ++k) stored += engine_() < stored_below_;
    return stored;
  }
  const WaferSettings& settings_;
  bool dense_;
  std::uint64_t stored_below_;
  std::mt19937 engine_;
};

/// `inputs`, `outputs`: of a tile at (x, y).
template <class Inputs, class Outputs>
wse::Steps drawn_steps(const WaferSettings& settings, const wse::Block& area, std::uint32_t seed,
                       const Inputs& inputs, const Outputs& outputs) {
  DrawnMatrix matrix(settings, seed);
  wse::Steps steps;
  steps.words = int(settings.rows_together);
  for (int y = 0; y < area.height; ++y)
    for (int x = 0; x < area.width; ++x)
      matrix.add_tile(steps, inputs(std::size_t(x), std::size_t(y)), outputs(std::size_t(x), std::size_t(y)));
  return steps;
}

LayerItems drawn_items(const Configuration& c, const WaferSettings& settings, const LayerShares& shares,
                       const wse::Block& area, std::int64_t seen) {
  const std::int64_t n = settings.rows_together;
  std::vector<std::int64_t> positions;
  for (int x = 0; x < area.width; ++x) positions.push_back(n * positions_owned(seen, x, area.width));
  LayerItems items;
  set_items(items, shares, n, positions);
  const std::vector<std::int64_t> query_key_value = query_key_value_cut(c, shares.heads).counts(),
                                  attended = attended_cut(c, shares.heads).counts();
  const auto dims = [&](std::size_t x, std::size_t) { return shares.dims[x]; };
  items.steps(Product::query_key_value) =
      drawn_steps(settings, area, 1, dims, [&](std::size_t, std::size_t y) { return query_key_value[y]; });
  items.steps(Product::attention_output) = drawn_steps(
      settings, area, 2, [&](std::size_t, std::size_t y) { return attended[y]; }, dims);
  items.steps(Product::gate_up) =
      drawn_steps(settings, area, 3, dims, [&](std::size_t, std::size_t y) { return 2 * shares.hidden[y]; });
  items.steps(Product::down) = drawn_steps(
      settings, area, 4, [&](std::size_t, std::size_t y) { return shares.hidden[y]; }, dims);
  return items;
}

}  // namespace

LayerRun run_layer(const Configuration& c, const ProgramCost& cost, const WaferSettings& settings, int width,
                   int height, std::int64_t seen) {
  const wse::TileRegion region{{0, 0, width, height}};
  const LayerShares shares = shares_of(c, region);
  LayerCode code(cost, settings, shares.heads, shares.group);
  code.set_tokens(cost, settings.rows_together);
  const LayerItems items = drawn_items(c, settings, shares, region.area, seen);
  const LayerPlan plan(region, shares.heads, code, items);
  const Communicator self(MPI_COMM_SELF);
  RegionTimes times;
  wse::RegionExecutor executor(self, wse::Blocks(self, {width, height}), cost.machine(), times);
  const std::size_t layer = executor.load(layer_program(plan, 0, nullptr, nullptr));
  // What a pass leaves goes on from the root row; tiles that are done before begin with the next one.
  const auto left = [&] { return double(executor.clocks().latest(region.root_row_tiles())); };
  LayerRun run;
  executor.run(layer);
  run.alone = left();
  run.operations = executor.operations();
  run.word_hops = executor.word_hops();
  constexpr int more = 3;
  for (int k = 0; k < more; ++k) executor.run(layer);
  run.interval = (left() - run.alone) / more;
  return run;
}

double run_vector_product(const ProgramCost& cost, std::int64_t n, int tiles) {
  const wse::TileRegion region{{0, 0, tiles, tiles}};
  const std::vector<std::int64_t> share = even_cut(n, tiles).counts();
  const wse::Section weights = cost.dense_weights(1);
  // The inputs of a tile, each a vector instruction over its outputs.
  std::vector<wse::Section> of_rows;
  for (const std::int64_t outputs : share) of_rows.push_back(weights.run_of(int(outputs)));
  std::vector<int> ones(std::size_t(tiles), 1), inputs(share.begin(), share.end()), words;
  for (const std::int64_t outputs : share) words.push_back(int(divided_up(outputs, 2)));
  wse::Program product;
  product.compute("multiply", region.area, {{of_rows, {ones, inputs}}});
  const wse::Lines rows = wse::Lines::rows(region);
  product.pattern("sums", std::make_shared<wse::LineReduce>(rows, words), color::row_sums);
  product.pattern("sums back", std::make_shared<wse::LineBroadcast>(rows, words), color::along_rows);
  const Communicator self(MPI_COMM_SELF);
  RegionTimes times;
  wse::RegionExecutor executor(self, wse::Blocks(self, {tiles, tiles}), cost.machine(), times);
  executor.run(executor.load(std::move(product)));
  return double(executor.clocks().latest(region.area));
}

}  // namespace wafermark::llama

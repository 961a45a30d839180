#include "sparse_llama/wafer/prediction.hpp"

#include <cmath>

#include "sparse_llama/wafer/ends_program.hpp"
#include "sparse_llama/wafer/tile_weights.hpp"

namespace wafermark::llama {
namespace {

/// Of a mean tile that multiplies `inputs` columns of `outputs` weights each.
wse::Steps mean_steps(const WaferSettings& settings, std::int64_t tokens, std::int64_t inputs,
                      std::int64_t outputs) {
  const bool dense = row_of(settings.format).layout == Layout::whole;
  const auto stored = dense ? outputs : std::llround(double(outputs) * settings.density);
  return {int(tokens),
          {int(stored)},
          {0, inputs},
          {int(TileWeights::beside_weights(settings.format, settings.stored_weights, outputs))}};
}

/// What a mean tile of a region has, behind `seen` tokens of each sequence.
LayerItems mean_items(const Configuration& c, const WaferSettings& settings, const RowHeads& heads, int width,
                      int height, std::int64_t seen) {
  const std::int64_t n = settings.rows_together, columns = divided_up(c.dim, width),
                     hidden = divided_up(c.hidden, height), group = c.heads / c.kv_heads,
                     queries = heads.count * group;
  LayerItems items;
  set_items(items, {{heads}, {columns}, {hidden}, group}, n, {n * divided_up(seen, width)});
  items.steps(Product::query_key_value) =
      mean_steps(settings, n, columns, (queries + 2 * heads.count) * heads.dims());
  items.steps(Product::attention_output) = mean_steps(settings, n, queries * heads.dims(), columns);
  items.steps(Product::gate_up) = mean_steps(settings, n, columns, 2 * hidden);
  items.steps(Product::down) = mean_steps(settings, n, hidden, columns);
  return items;
}

}  // namespace

LayerPrediction predict_layer(const Configuration& c, const ProgramCost& cost, const WaferSettings& settings,
                              int width, int height, std::int64_t seen) {
  const std::vector<RowHeads> heads = row_heads(c, height);
  LayerCode code(cost, settings, {heads.front()}, c.heads / c.kv_heads);
  code.set_tokens(cost, settings.rows_together);
  const LayerItems items = mean_items(c, settings, heads.front(), width, height, seen);
  const LayerPlan plan({{0, 0, width, height}}, heads, code, items);
  const wse::Program program = layer_program(plan, 0, nullptr, nullptr);
  LayerPrediction p;
  for (const auto& line : program.predicted(cost.machine(), {width, height})) {
    const bool of_attention = line.phase == "rotate" || line.phase == "scores" || line.phase == "softmax";
    double& part = dynamic_cast<const wse::LineReduce*>(line.pattern) != nullptr      ? p.reduce
                   : dynamic_cast<const wse::LineBroadcast*>(line.pattern) != nullptr ? p.broadcast
                   : line.phase == "multiply"                                         ? p.multiply
                   : of_attention                                                     ? p.attention
                                                                                      : p.other;
    part += line.cycles;
  }
  return p;
}

double predict_head(const Configuration& c, const ProgramCost& cost, const WaferSettings& settings, int width,
                    int height) {
  const int n = int(settings.rows_together), columns = int(divided_up(c.dim, width)),
            rows = int(divided_up(c.vocabulary, height));
  HeadCode code(cost);
  code.weights = cost.dense_weights(n);
  WaferSettings whole = settings;
  whole.format = Format::dense;
  const HeadItems items{{n}, {n * columns}, {n * rows}, {2 * n}, {}, mean_steps(whole, n, columns, rows)};
  const wse::TileRegion region{{0, 0, width, height}};
  const HeadPlan plan(region, region, code, items);
  double sum = 0;
  for (const auto& line : head_program(plan, nullptr, nullptr).predicted(cost.machine(), {width, height}))
    sum += line.cycles;
  return sum;
}

}  // namespace wafermark::llama

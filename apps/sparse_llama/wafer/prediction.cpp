#include "sparse_llama/wafer/prediction.hpp"

#include <algorithm>
#include <cmath>

#include "wse_emulator/fabric/line_reduction.hpp"
#include "wse_emulator/fabric/reduction.hpp"

namespace wafermark::llama {

std::int64_t sum_cycles(const wse::FabricTiming& fabric, int tiles, std::int64_t words) {
  std::vector<std::int64_t> clocks(std::size_t(tiles), 0);
  wse::advance_clocks(fabric, wse::LineReduction::best(fabric, tiles, tiles / 2, int(words)), clocks.data(),
                      1);
  return clocks[std::size_t(tiles / 2)];
}

LayerPrediction predict_layer(const Configuration& c, const ProgramCost& cost, const WaferSettings& settings,
                              int width, int height, std::int64_t seen) {
  const wse::FabricTiming& f = cost.machine().fabric;
  const SectionCounts& s = cost.counts();
  const std::int64_t n = settings.rows_together, columns = divided_up(c.dim, width);
  LayerPrediction p;
  const auto broadcast = [&](int tiles, std::int64_t words) {
    p.broadcast += double(wse::broadcast_cycles(f, tiles / 2 + 1, int(words)));
  };
  const auto product = [&](std::int64_t inputs, std::int64_t outputs, int from, int to) {
    broadcast(from, 1);
    const double column = settings.format == Format::dense
                              ? cost.dense_column(outputs, n)
                              : cost.masked_column(divided_up(outputs, 32),
                                                   std::llround(double(outputs) * settings.density), n);
    p.multiply += double(inputs) * (cost.receive(n) + column);
    p.reduce += double(sum_cycles(f, to, n * outputs));
  };
  const auto norm = [&] {
    p.other += cost.products(s.square, n * columns) + double(n) * cost.once(s.root) +
               cost.loop(s.scaled, n * columns);
    p.reduce += double(sum_cycles(f, width, n));
    broadcast(width, n);
  };

  const std::vector<RowHeads> heads = row_heads(c, height);
  const RowHeads& r = heads.front();
  const std::int64_t group = c.heads / c.kv_heads, queries = r.count * group, dims = r.dims(),
                     positions = divided_up(seen, width), hidden = divided_up(c.hidden, height);
  norm();
  product(columns, (queries + 2 * r.count) * dims, height, width);
  p.attention += cost.products(s.rotary_pair, n * (queries + r.count) * r.pairs);
  broadcast(width, n * (queries + 2 * r.count) * dims);
  p.attention += double(n * queries * positions) *
                 (cost.products(s.score, dims) + cost.once(s.position) + cost.loop(s.position_value, dims));
  if (r.band_rows > 1) {
    p.reduce += double(sum_cycles(f, r.band_rows, n * queries * positions));
    broadcast(r.band_rows, n * queries * positions);
  }
  p.reduce += double(sum_cycles(f, width, n * queries) + sum_cycles(f, width, n * queries * (dims + 1)));
  broadcast(width, n * queries);
  p.attention += double(n * queries) * (cost.once(s.divided) + cost.loop(s.divided_value, dims));
  product(queries * dims, columns, width, height);
  p.other += cost.loop(s.added, n * columns);

  norm();
  product(columns, 2 * hidden, height, width);
  p.other += double(wse::best_shared_work(f, width / 2, n * hidden, 2, 1, cost.once(s.gated)).cycles);
  product(hidden, columns, width, height);
  p.other += cost.loop(s.added, n * columns);
  return p;
}

double predict_head(const Configuration& c, const ProgramCost& cost, const WaferSettings& settings, int width,
                    int height) {
  const std::int64_t n = settings.rows_together, rows = divided_up(c.vocabulary, height);
  return double(divided_up(c.dim, width)) * (cost.receive(n) + cost.dense_column(rows, n)) +
         double(wse::broadcast_cycles(cost.machine().fabric, height / 2 + 1, 1) +
                sum_cycles(cost.machine().fabric, width, n * rows)) +
         cost.loop(cost.counts().compared, n * rows);
}

}  // namespace wafermark::llama

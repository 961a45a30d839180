#include "sparse_llama/wafer/streamed_run.hpp"

#include <algorithm>
#include <random>

#include "wse_emulator/region_executor.hpp"

namespace wafermark::llama {
namespace {

/// An executor of one rank, and how far its tiles are.
struct AloneOnTiles {
  Communicator comm{MPI_COMM_SELF};
  RegionTimes times;
  wse::RegionExecutor executor;

  AloneOnTiles(const wse::Machine& machine, const wse::TileGrid& grid)
      : executor(comm, wse::Blocks(comm, grid), machine, times) {}
  std::int64_t latest(const StreamedPlace& place) const { return executor.clocks().latest(place.area()); }
};

void draw(StreamedItems& items, const StreamedPlace& place, const StreamedSettings& settings,
          StreamedMatrix matrix, const StreamedShape& shape) {
  auto& weights = items.weights[std::size_t(matrix)];
  weights = drawn_weights(shape, settings, place.width, std::uint32_t(matrix));
  set_totals(items, place, matrix, wse::StreamTotals::of(weights));
}

/// What becomes of time and energy when the machine's numbers move; `seconds(machine)`: of the whole run,
/// nobody waiting.
template <class Seconds>
void add_bands(StreamedRun& run, const wse::Machine& machine, const Seconds& seconds) {
  run.band = wse::band_of(machine, seconds);
  run.energy_band = wse::band_of(machine, [&](const wse::Machine& m) {
    return wse::run_joules(m, seconds(m), run.operations, run.word_hops);
  });
}

}  // namespace

wse::StreamedWeights drawn_weights(const StreamedShape& shape, const StreamedSettings& s, int columns,
                                   std::uint32_t seed) {
  const Cut inputs = even_cut(shape.inputs, columns);
  std::mt19937 engine(seed);
  const auto stored_below = std::uint64_t(s.density * double(std::uint64_t{1} << 32));
  wse::StreamedWeights w;
  w.columns = columns;
  for (const StreamedOutput& output : shape.order(columns)) {
    w.keepers.push_back(std::uint16_t(output.keeper));
    double stored = 0;
    for (int x = 0; x < columns; ++x) {
      std::int64_t count = inputs.count(x);
      if (!s.dense()) {
        count = 0;
        for (std::int64_t k = 0; k < inputs.count(x); ++k) count += engine() < stored_below;
      }
      w.counts.push_back(std::uint16_t(count));
      stored += double(count);
    }
    w.bits.push_back(float(s.bits(shape.inputs, stored)));
  }
  return w;
}

StreamedRun run_product(const StreamedShape& shape, const StreamedSettings& s, const wse::Machine& machine,
                        const wse::TileGrid& grid) {
  StreamedRun run;
  run.place = streamed_place(shape, s, machine, grid);
  StreamedItems items = streamed_product_items(shape, s, run.place);
  draw(items, run.place, s, product_alone, shape);
  const StreamedCode code(machine, s, 1, items.tokens, 1, run.place.sums_together);
  wse::EdgeStream edge(machine.edge_bits_per_second / machine.clock_hz,
                       early_bits(streamed_memory(shape, s, machine, run.place), run.place));
  AloneOnTiles tiles(machine, grid);
  tiles.executor.run(
      tiles.executor.load(streamed_product_program(run.place, s, code, items, product_alone, edge)));
  run.cycles = double(tiles.latest(run.place));
  run.operations = tiles.executor.operations();
  run.word_hops = tiles.executor.word_hops();
  run.edge_bits = edge.bits();
  add_bands(run, machine,
            [&](const wse::Machine& m) { return predict_streamed(shape, s, m, run.place) / m.clock_hz; });
  return run;
}

StreamedRun run_layer(const Configuration& c, const StreamedSettings& s, const wse::Machine& machine,
                      const wse::TileGrid& grid) {
  StreamedRun run;
  run.place = streamed_place(c, s, machine, grid);
  const std::int64_t together = queries_together(s, run.place, s.tokens),
                     longest = divided_up(s.tokens, std::max<std::int64_t>(s.sequences, 1));
  StreamedItems items = streamed_items(c, s, run.place, s.tokens,
                                       double(s.tokens) * (double(longest) + 1) / 2, longest, together);
  for (std::size_t m = 0; m < std::size_t(StreamedMatrix::head); ++m)
    draw(items, run.place, s, StreamedMatrix(m), StreamedShape::of(c, StreamedMatrix(m)));
  const StreamedCode code(machine, s, c.head_dim, items.tokens, together, run.place.sums_together);
  wse::EdgeStream edge(machine.edge_bits_per_second / machine.clock_hz,
                       early_bits(streamed_memory(c, s, machine, run.place), run.place));
  AloneOnTiles tiles(machine, grid);
  const std::size_t layer = tiles.executor.load(streamed_layer_program(run.place, s, code, items, edge, {}));
  tiles.executor.run(layer);
  const std::int64_t first = tiles.latest(run.place), hops = tiles.executor.word_hops();
  run.operations = tiles.executor.operations();
  tiles.executor.run(layer);
  run.cycles = double(tiles.latest(run.place) - first);
  run.word_hops = tiles.executor.word_hops() - hops;
  run.edge_bits = edge.bits() / 2;
  add_bands(run, machine,
            [&](const wse::Machine& m) { return predict_streamed(c, s, m, run.place).layer / m.clock_hz; });
  return run;
}

}  // namespace wafermark::llama

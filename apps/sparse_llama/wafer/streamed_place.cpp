#include "sparse_llama/wafer/streamed_place.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "common/errors.hpp"

namespace wafermark::llama {
namespace {

/// The place of the fewest cycles among those whose memory(place) does not throw.
template <class Memory, class Cycles>
StreamedPlace fastest_place(const StreamedSettings& s, const wse::Machine& machine, const wse::TileGrid& grid,
                            const Memory& memory, const Cycles& cycles) {
  if (s.groups > grid.width)
    throw InputError(
        fmt::format("--groups {}: expected at most {}, the columns of tiles", s.groups, grid.width));
  std::optional<StreamedPlace> best;
  double least = 0;
  std::string ledger;
  const int most = s.groups > 0 ? s.groups : std::min(grid.width, 64);
  const std::vector<int> bundles =
      s.sums_together > 0 ? std::vector{s.sums_together} : std::vector{1, 2, 4, 8, 16};
  for (int groups = std::max(s.groups, 1); groups <= most; ++groups)
    for (const int sums : bundles)
      for (const std::int64_t queries : {32, 16, 8, 4}) {
        const StreamedPlace place = StreamedPlace::of(grid, machine, groups, queries, sums);
        try {
          memory(place);
        } catch (const InputError& e) {
          ledger = e.what();
          continue;
        }
        const double taken = cycles(place);
        if (!best || taken < least) {
          best = place;
          least = taken;
        }
        break;  // fewer queries take longer
      }
  if (!best) throw InputError(ledger);
  return *best;
}

std::int64_t bytes_of_sums_under_way(const StreamedSettings& s, const StreamedPlace& place) {
  return 2 * 4 * place.tokens_of_tile(s.tokens) * (s.ahead + place.sums_together);
}
constexpr const char* sums_under_way = "sums of outputs under way, in two banks";

}  // namespace

StreamedPlace StreamedPlace::of(const wse::TileGrid& grid, const wse::Machine& machine, int groups,
                                std::int64_t queries, int sums_together) {
  StreamedPlace place{grid, groups, grid.width / groups, 0, queries, sums_together};
  // With few rows of tiles no more than a quarter of them bring weights: then they, not the edge, are the
  // limit.
  if (groups > 1)
    place.feed =
        int(std::min(std::ceil(machine.edge_bits_per_second / machine.clock_hz / 32), grid.height / 4.0));
  return place;
}

std::int64_t queries_together(const StreamedSettings& s, const StreamedPlace& place, std::int64_t tokens) {
  return std::clamp<std::int64_t>(tokens / std::max<std::int64_t>(s.sequences, 1), 1, place.queries);
}

wse::TileMemory streamed_memory(const Configuration& c, const StreamedSettings& s,
                                const wse::Machine& machine, const StreamedPlace& place) {
  wse::TileMemory memory(machine);
  const std::int64_t tokens = place.tokens_of_tile(s.tokens), value = bytes_of(s.value_type);
  const auto of = [&](std::int64_t elements) { return tokens * divided_up(elements, place.width); };
  const std::int64_t together = queries_together(s, place, s.tokens),
                     attending = together * ((value + 4) * c.head_dim + 8);
  memory.allocate("stream", 4 * of(c.dim));
  // What comes one after the other shares its room; attention takes the place of its queries.
  memory.allocate("inputs of a product, or queries that wait for keys",
                  std::max(value * of(c.dim), attending));
  memory.allocate("hidden units, or query, key, value",
                  value * std::max(of(c.hidden), of(c.query_dim()) + 2 * of(c.kv_dim())));
  memory.allocate(sums_under_way, bytes_of_sums_under_way(s, place));
  memory.allocate("keys and values",
                  divided_up(s.kept * c.layers * 2 * c.kv_dim() * value, place.area().tiles()));
  return memory;
}

wse::TileMemory streamed_memory(const StreamedShape& shape, const StreamedSettings& s,
                                const wse::Machine& machine, const StreamedPlace& place) {
  wse::TileMemory memory(machine);
  const std::int64_t value = place.tokens_of_tile(s.tokens) * bytes_of(s.value_type);
  memory.allocate("inputs of the product", value * divided_up(shape.inputs, place.width));
  memory.allocate("its outputs", value * divided_up(shape.outputs(), place.width));
  memory.allocate(sums_under_way, bytes_of_sums_under_way(s, place));
  return memory;
}

double early_bits(const wse::TileMemory& memory, const StreamedPlace& place) {
  return 8.0 * double(memory.free()) * double(place.area().tiles());
}

StreamedPrediction predict_streamed(const Configuration& c, const StreamedSettings& s,
                                    const wse::Machine& machine, const StreamedPlace& place) {
  const std::int64_t together = queries_together(s, place, s.tokens),
                     longest = divided_up(s.tokens, std::max<std::int64_t>(s.sequences, 1));
  const double seen = double(s.tokens) * (double(longest) + 1) / 2;
  wse::EdgeStream edge(machine.edge_bits_per_second / machine.clock_hz, 0);
  const StreamedItems items = streamed_items(c, s, place, s.tokens, seen, longest, together),
                      last = streamed_items(c, s, place, s.sequences, double(s.sequences), 1, together);
  const StreamedCode code(machine, s, c.head_dim, items.tokens, together, place.sums_together),
      head_code(machine, s, c.head_dim, last.tokens, together, place.sums_together);
  StreamedPrediction p;
  const auto sum = [&](const wse::Program& program, double& all) {
    for (const auto& line : program.predicted(machine, place.grid)) {
      all += line.cycles;
      if (dynamic_cast<const wse::StreamedProduct*>(line.pattern) != nullptr) p.products += line.cycles;
      if (dynamic_cast<const wse::RingStream*>(line.pattern) != nullptr) p.attention += line.cycles;
    }
  };
  const std::vector<int> finished;
  sum(streamed_head_program(place, s, head_code, last, edge, {}, finished), p.head);
  p.products = p.attention = 0;
  sum(streamed_layer_program(place, s, code, items, edge, {}), p.layer);
  for (std::size_t m = 0; m < std::size_t(StreamedMatrix::head); ++m)
    p.edge += items.totals[m].bits / edge.bits_per_cycle();
  p.layer = std::max(p.layer, p.edge);  // the edge runs ahead while tiles do something else
  return p;
}

StreamedItems streamed_product_items(const StreamedShape& shape, const StreamedSettings& s,
                                     const StreamedPlace& place) {
  StreamedItems n;
  n.tokens = int(place.tokens_of_tile(s.tokens));
  n.rows.assign(std::size_t(place.area().height), 1);
  set_totals(n, place, product_alone, expected_totals(shape, s, place.width));
  return n;
}

double predict_streamed(const StreamedShape& shape, const StreamedSettings& s, const wse::Machine& machine,
                        const StreamedPlace& place) {
  wse::EdgeStream edge(machine.edge_bits_per_second / machine.clock_hz, 0);
  const StreamedItems items = streamed_product_items(shape, s, place);
  const StreamedCode code(machine, s, 1, items.tokens, 1, place.sums_together);
  double cycles = 0;
  for (const auto& line :
       streamed_product_program(place, s, code, items, product_alone, edge).predicted(machine, place.grid))
    cycles += line.cycles;
  return cycles;
}

StreamedPlace streamed_place(const Configuration& c, const StreamedSettings& s, const wse::Machine& machine,
                             const wse::TileGrid& grid) {
  return fastest_place(
      s, machine, grid, [&](const StreamedPlace& place) { streamed_memory(c, s, machine, place); },
      [&](const StreamedPlace& place) { return predict_streamed(c, s, machine, place).pass(c.layers); });
}
StreamedPlace streamed_place(const StreamedShape& shape, const StreamedSettings& s,
                             const wse::Machine& machine, const wse::TileGrid& grid) {
  return fastest_place(
      s, machine, grid, [&](const StreamedPlace& place) { streamed_memory(shape, s, machine, place); },
      [&](const StreamedPlace& place) { return predict_streamed(shape, s, machine, place); });
}

}  // namespace wafermark::llama

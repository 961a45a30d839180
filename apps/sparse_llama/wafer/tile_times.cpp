#include "sparse_llama/wafer/tile_times.hpp"

#include <algorithm>
#include <cmath>

#include "wse_emulator/fabric/line_reduction.hpp"
#include "wse_emulator/fabric/reduction.hpp"
#include "wse_emulator/whole_cycles.hpp"

namespace wafermark::llama {

TileTimes::TileTimes(const Communicator& comm, const wse::Blocks& blocks, const wse::Machine& machine)
    : comm_(comm),
      blocks_(blocks),
      machine_(machine),
      record_(comm, blocks, machine),
      wait_(record_.phase("wait", wse::PhaseKind::wait)),
      reduce_(record_.phase("reduce", wse::PhaseKind::fabric)),
      clocks_(std::size_t(blocks.grid().tiles()), 0) {}

std::int64_t TileTimes::latest() const { return *std::max_element(clocks_.begin(), clocks_.end()); }

std::int64_t TileTimes::own(const Region& r, int x, int y) const {
  const wse::Block& b = blocks_.mine();
  const int bx = r.area.x0 + x - b.x0, by = r.area.y0 + y - b.y0;
  return bx < 0 || by < 0 || bx >= b.width || by >= b.height ? -1 : std::int64_t(by) * b.width + bx;
}

void TileTimes::compute(const Region& r, int x, int y, std::size_t phase, double cycles,
                        const wse::OperationCounts& counts, std::int64_t times) {
  std::int64_t& clock = at(r, x, y);
  const std::int64_t whole = wse::whole_cycles(cycles);
  clock += whole;
  const std::int64_t tile = own(r, x, y);
  if (tile < 0) return;
  record_.add(phase, std::size_t(tile), whole, clock);
  count(counts, times);
}

void TileTimes::wait_until(const Region& r, int x, int y, std::int64_t until) {
  std::int64_t& clock = at(r, x, y);
  if (until <= clock) return;
  const std::int64_t tile = own(r, x, y);
  if (tile >= 0) record_.add(wait_, std::size_t(tile), until - clock, until);
  clock = until;
}

void TileTimes::record(const Region& r, int x, int y, std::size_t phase, std::int64_t begin,
                       std::int64_t computed) {
  const std::int64_t tile = own(r, x, y), end = at(r, x, y);
  if (tile < 0) return;
  record_.add(wait_, std::size_t(tile), end - begin - computed, end - computed);
  record_.add(phase, std::size_t(tile), computed, end);
}

void TileTimes::reduce(const Region& r, Line line, std::int64_t words) {
  const int tiles = line.row ? r.area.width : r.area.height, root = line.row ? r.root_column() : r.root_row();
  if (words == 0 || tiles == 1) return;
  const wse::LineReduction plan = wse::LineReduction::best(machine_.fabric, tiles, root, int(words));
  std::vector<std::int64_t> before(static_cast<std::size_t>(tiles));
  const auto tile = [&](int t) { return line.row ? std::pair(t, line.number) : std::pair(line.number, t); };
  for (int t = 0; t < tiles; ++t) before[std::size_t(t)] = at(r, tile(t).first, tile(t).second);
  wse::advance_clocks(machine_.fabric, plan, &at(r, tile(0).first, tile(0).second),
                      line.row ? 1 : blocks_.grid().width);
  // A tile passes its words on, the root takes up to four streams; the rest of the time it waits.
  for (int t = 0; t < tiles; ++t) {
    const auto [x, y] = tile(t);
    const std::int64_t streams = t == root ? std::int64_t(root > 0) + (root + 1 < tiles) : 1,
                       took = at(r, x, y) - before[std::size_t(t)];
    record(r, x, y, reduce_, before[std::size_t(t)], std::min(took, streams * words));
  }
  count_hops(wse::line_reduction_hops(plan));
}

std::int64_t TileTimes::arrival(std::int64_t start, int distance) const {
  return distance == 0 ? start : start + wse::broadcast_cycles(machine_.fabric, distance + 1, 1);
}

void TileTimes::broadcast(const Region& r, Line line, std::int64_t words) {
  const int tiles = line.row ? r.area.width : r.area.height, root = line.row ? r.root_column() : r.root_row();
  if (words == 0) return;
  const std::int64_t start = line.row ? at(r, root, line.number) : at(r, line.number, root);
  for (int t = 0; t < tiles; ++t)
    if (t != root)
      wait_until(r, line.row ? t : line.number, line.row ? line.number : t,
                 arrival(start, std::abs(t - root)) + words - 1);
  count_hops(words * (tiles - 1));
}

void TileTimes::join(const Region& r) {
  if (comm_.size() == 1) return;
  std::vector<std::int64_t> part;
  part.reserve(std::size_t(r.area.tiles()));
  for (int y = 0; y < r.area.height; ++y)
    for (int x = 0; x < r.area.width; ++x) part.push_back(at(r, x, y));
  comm_.max_in_place(part.data(), std::int64_t(part.size()));
  std::size_t k = 0;
  for (int y = 0; y < r.area.height; ++y)
    for (int x = 0; x < r.area.width; ++x) at(r, x, y) = part[k++];
}

void TileTimes::join(std::vector<float>& parts) const {
  if (comm_.size() == 1 || parts.empty()) return;
  comm_.or_bits_in_place(parts.data(), std::int64_t(parts.size()));
}

double TileTimes::dynamic_joules() const {
  return comm_.sum(wse::operation_joules(machine_, operations_) +
                   1e-12 * machine_.hop_pj * static_cast<double>(word_hops_));
}

}  // namespace wafermark::llama

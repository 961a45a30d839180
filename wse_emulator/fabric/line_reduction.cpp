#include "wse_emulator/fabric/line_reduction.hpp"

#include <algorithm>
#include <cmath>

#include "wse_emulator/fabric/reduction.hpp"
#include "wse_emulator/whole_cycles.hpp"

namespace wafermark::wse {
namespace {

/// One side of the root: tile d of it is d hops away, d = 0 the root itself.
struct Side {
  int root, direction, length;  ///< tiles beyond the root
  std::ptrdiff_t at(int d) const { return root + direction * d; }
};

struct Sides {
  Side side[2];
  explicit Sides(const LineReduction& line)
      : side{{line.root, 1, line.tiles - 1 - line.root}, {line.root, -1, line.root}} {}
};

/// Last tile of the group whose head is d.
int group_end(const LineReduction& line, const Side& side, int d) {
  return std::min(d + line.group - 1, side.length);
}
/// The farthest head, 0 where the root's group is the only one.
int last_head(const LineReduction& line, const Side& side) { return side.length / line.group * line.group; }

}  // namespace

LineReduction LineReduction::best(const FabricTiming& fabric, int tiles, int root, int words) {
  const int longer = std::max(root, tiles - 1 - root) + 1;
  const int group = best_group(fabric, longer, words);
  return {tiles, root, words, group <= 1 || group >= longer ? tiles : group};
}

void line_sums(const LineReduction& line, const float* values, std::ptrdiff_t stride, float* sums) {
  const auto n = static_cast<std::size_t>(line.words);
  const Sides sides(line);
  std::vector<float> chain(n), heads(n);
  const auto value = [&](const Side& s, int d) { return values + s.at(d) * stride; };
  // chain = the sum of tiles first ... last, from the last on.
  const auto add_chain = [&](const Side& s, int first, int last) {
    std::copy_n(value(s, last), n, chain.begin());
    for (int d = last - 1; d >= first; --d)
      for (std::size_t w = 0; w < n; ++w) chain[w] = value(s, d)[w] + chain[w];
  };
  std::copy_n(values + line.root * stride, n, sums);
  for (const Side& s : sides.side) {
    if (s.length == 0) continue;
    const int end = group_end(line, s, 0);
    if (end < 1) continue;
    add_chain(s, 1, end);
    for (std::size_t w = 0; w < n; ++w) sums[w] = sums[w] + chain[w];
  }
  for (const Side& s : sides.side) {
    const int last = last_head(line, s);
    if (last == 0) continue;
    for (int h = last; h > 0; h -= line.group) {
      add_chain(s, h, group_end(line, s, h));
      if (h == last)
        heads = chain;
      else
        for (std::size_t w = 0; w < n; ++w) heads[w] = chain[w] + heads[w];
    }
    for (std::size_t w = 0; w < n; ++w) sums[w] = sums[w] + heads[w];
  }
}

void advance_clocks(const FabricTiming& f, const LineReduction& line, std::int64_t* clocks,
                    std::ptrdiff_t stride) {
  const std::int64_t b = f.cycles_of(line.words), hop = f.hop_cycles, ramps = 2 * f.ramp_cycles + 1;
  const Sides sides(line);
  std::int64_t root = clocks[line.root * stride];
  const auto take = [&](std::int64_t first_sent, int distance) {
    root = std::max(root, first_sent + distance * hop + ramps) + b;
  };
  // The chain of tiles first ... last: when `first` begins to send. The others' clocks move on.
  const auto run_chain = [&](const Side& s, int first, int last) {
    std::int64_t begin = 0;
    for (int d = last; d >= first; --d) {
      std::int64_t& clock = clocks[s.at(d) * stride];
      begin = d == last ? clock : std::max(clock, begin + hop + ramps);
      if (d > first) clock = begin + b;
    }
    return begin;
  };
  for (const Side& s : sides.side) {
    const int end = group_end(line, s, 0);
    if (s.length == 0 || end < 1) continue;
    const std::int64_t begin = run_chain(s, 1, end);
    clocks[s.at(1) * stride] = begin + b;
    take(begin, 1);
  }
  for (const Side& s : sides.side) {
    const int last = last_head(line, s);
    if (last == 0) continue;
    std::int64_t begin = 0;
    for (int h = last; h > 0; h -= line.group) {
      const int end = group_end(line, s, h);
      const std::int64_t done = run_chain(s, h, end) + (end > h ? b : 0);  // the group's sums, at its head
      begin = h == last ? done : std::max(done, begin + line.group * hop + ramps);
      clocks[s.at(h) * stride] = begin + b;
    }
    take(begin, line.group);
  }
  clocks[line.root * stride] = root;
}

std::int64_t line_reduction_hops(const LineReduction& line) {
  const Sides sides(line);
  std::int64_t hops = 0;
  for (const Side& s : sides.side) {
    const int last = last_head(line, s);
    // Every tile that is not a head sends to its neighbour, every head over its group.
    hops += s.length - last / line.group + last;
  }
  return hops * line.words;
}

SharedWork shared_work(const FabricTiming& f, int helpers, std::int64_t items, int words_in, int words_out,
                       double cycles_per_item) {
  const std::int64_t each = (items + helpers) / (helpers + 1);
  const auto work = whole_cycles(cycles_per_item * static_cast<double>(each));
  if (helpers == 0) return {0, work, 0};
  const std::int64_t sent = items - each;  // the tile keeps its own share
  const std::int64_t words = sent * (words_in + words_out) + 2 * std::int64_t{helpers};
  const std::int64_t travel = 2 * (std::int64_t{helpers} * f.hop_cycles + 2 * f.ramp_cycles + 1);
  return {helpers, f.cycles_of(words) + work + travel,
          (sent * (words_in + words_out)) * (helpers + 1) / 2 + std::int64_t{helpers} * (helpers + 1)};
}

SharedWork best_shared_work(const FabricTiming& f, int most, std::int64_t items, int words_in, int words_out,
                            double cycles_per_item) {
  SharedWork best = shared_work(f, 0, items, words_in, words_out, cycles_per_item);
  for (int h = 1; h <= std::min<std::int64_t>(most, items - 1); ++h) {
    const SharedWork with = shared_work(f, h, items, words_in, words_out, cycles_per_item);
    if (with.cycles < best.cycles) best = with;
  }
  return best;
}

}  // namespace wafermark::wse

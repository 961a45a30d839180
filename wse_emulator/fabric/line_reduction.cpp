#include "wse_emulator/fabric/line_reduction.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wse_emulator/fabric/reduction.hpp"
#include "wse_emulator/link_words.hpp"

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

const LineReduction& LineReduce::plan(const FabricTiming& fabric, int words) const {
  if (plan_.tiles != lines().length || plan_.words != words || !(of_ == fabric)) {
    plan_ = LineReduction::best(fabric, lines().length, lines().root, words);
    of_ = fabric;
  }
  return plan_;
}

void LineReduce::sum(const Communicator& comm, const FabricTiming& fabric, std::vector<float>& parts,
                     std::vector<float>& sums) const {
  if (comm.size() > 1 && !parts.empty())
    comm.or_bits_in_place(parts.data(), static_cast<std::int64_t>(parts.size()));
  sum(fabric, parts, sums);
}

void LineReduce::sum(const FabricTiming& fabric, const std::vector<float>& parts,
                     std::vector<float>& sums) const {
  std::int64_t at = 0;
  for (int line = 0; line < lines().number(); ++line) {
    if (words(line) == 0) continue;
    line_sums(plan(fabric, words(line)), parts.data() + at * lines().length, words(line), sums.data() + at);
    at += words(line);
  }
}

std::string LineReduce::text() const {
  return fmt::format("sum of {} words over {} tiles", words(0), lines().length);
}

std::vector<ColorUse> LineReduce::colors(const TileGrid&, int first) const {
  std::vector<ColorUse> uses;
  for (int k = 0; k < 4; ++k) uses.push_back({first + k, {lines().towards_beginning()}});
  for (int k = 4; k < 8; ++k) uses.push_back({first + k, {lines().towards_end()}});
  return uses;
}

void LineReduce::advance_line(const FabricTiming& fabric, int words, std::int64_t* clocks,
                              std::ptrdiff_t stride, std::int64_t* moving) const {
  advance_clocks(fabric, plan(fabric, words), clocks, stride);
  const int tiles = lines().length, root = lines().root;
  // A tile passes its words on, the root takes up to four streams; the rest of the time it waits.
  const std::int64_t cycles = fabric.cycles_of(words);
  std::fill_n(moving, tiles, cycles);
  moving[root] = cycles * ((root > 0 ? 1 : 0) + (root + 1 < tiles ? 1 : 0));
}

void LineReduce::add_line_words(const FabricTiming& fabric, int line, std::int64_t times,
                                LinkWords& words) const {
  const LineReduction& p = plan(fabric, this->words(line));
  const std::int64_t count = times * p.words;
  for (const Side& s : Sides(p).side) {
    const Link inwards = s.direction > 0 ? lines().towards_beginning() : lines().towards_end();
    const auto run = [&](int first, int last) {  // tiles so far from the root, both included
      if (last < first) return;
      const int from = static_cast<int>(s.at(s.direction > 0 ? first : last));
      add_run(line, from, from + last - first + 1, inwards, count, words);
    };
    // The chains of the groups, and the chain of heads from the last one on.
    for (int head = 0; head <= s.length; head += p.group) run(head + 1, group_end(p, s, head));
    run(1, last_head(p, s));
  }
}

}  // namespace wafermark::wse

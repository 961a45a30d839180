// Sums to a tile in the middle of a line, whose tiles are ready at different times, against the word-level
// simulator; and work shared along a line.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "line_programs.hpp"
#include "wse_emulator/fabric/line_reduction.hpp"
#include "wse_emulator/fabric/line_share.hpp"
#include "wse_emulator/fabric/reduction.hpp"

using namespace wafermark::wse;

namespace {

const FabricTiming fabric;

/// The reduction as a program of the simulator: colors 0 and 1 alternate along the chains of a side, 2 and 3
/// along its heads; the western side uses 4 to 7.
void program_line(RouterReference& r, const LineReduction& line, const std::vector<std::int64_t>& ready) {
  struct Stream {
    int color;
    Port from;
  };
  std::vector<Stream> at_root[2];  // first the groups' chains, then the heads'
  for (const int direction : {1, -1}) {
    const int length = direction == 1 ? line.tiles - 1 - line.root : line.root, base = direction == 1 ? 0 : 4;
    const Port inwards = direction == 1 ? Port::west : Port::east,
               outwards = direction == 1 ? Port::east : Port::west;
    const int last_head = length / line.group * line.group;
    for (int d = 1; d <= length; ++d) {
      const int x = line.root + direction * d, head = d / line.group * line.group;
      const int end = std::min(head + line.group - 1, length);
      const bool is_head = d == head, has_next = d < end;
      const int out = base + d % 2, in = base + (d + 1) % 2;
      auto& t = r.thread(x, 0);
      t.wait_until(ready[std::size_t(x)]).hold(values_of(x, line.words));
      if (has_next) r.route(x, 0, in, {{outwards, {Port::ramp}}});
      if (!is_head) {
        r.route(x, 0, out, {{Port::ramp, {inwards}}});
        if (has_next)
          t.receive_add_send(in, line.words, out);
        else
          t.send_last(out, line.words);
        // Words between heads pass by; behind the last head there are none.
        if (d < last_head) r.route(x, 0, base + 2 + (head / line.group + 1) % 2, {{outwards, {inwards}}});
        continue;
      }
      const int number = head / line.group, to = base + 2 + number % 2, from = base + 2 + (number + 1) % 2;
      if (has_next) t.receive_add(in, line.words);
      r.route(x, 0, to, {{Port::ramp, {inwards}}});
      if (d == last_head) {
        t.send_last(to, line.words);
      } else {
        r.route(x, 0, from, {{outwards, {Port::ramp}}});
        t.receive_add_send(from, line.words, to);
      }
    }
    if (length > 0 && line.group > 1) {
      r.route(line.root, 0, base + 1, {{outwards, {Port::ramp}}});
      at_root[0].push_back({base + 1, outwards});
    }
    if (last_head > 0) {
      r.route(line.root, 0, base + 3, {{outwards, {Port::ramp}}});
      at_root[1].push_back({base + 3, outwards});
    }
  }
  auto& root = r.thread(line.root, 0);
  root.wait_until(ready[std::size_t(line.root)]).hold(values_of(line.root, line.words));
  for (const auto& phase : at_root)
    for (const Stream& s : phase) root.receive_add(s.color, line.words);
}

std::int64_t rule(const LineReduction& line, std::vector<std::int64_t> clocks) {
  advance_clocks(fabric, line, clocks.data(), 1);
  return clocks[std::size_t(line.root)];
}

TEST(LineReduction, OfTilesReadyTogetherToOneEndIsTheChain) {
  for (const int tiles : {2, 5, 16})
    for (const int words : {1, 9, 64})
      EXPECT_EQ(rule({tiles, 0, words, tiles}, std::vector<std::int64_t>(std::size_t(tiles), 0)),
                chain_reduce_cycles(fabric, tiles, words));
}

TEST(LineReduction, IsWithinAnEighthAndTwelveCyclesOfTheSimulatorForAnyReadyTimes) {
  std::mt19937 random(11);
  for (const int tiles : {3, 8, 21, 32})
    for (const int root : {0, tiles / 2})
      for (const int words : {1, 12, 64})
        for (const int group : {2, 4, tiles})
          for (const int latest : {0, 40, 400}) {
            std::vector<std::int64_t> ready(static_cast<std::size_t>(tiles));
            for (auto& t : ready) t = std::uniform_int_distribution<int>(0, latest)(random);
            const LineReduction line{tiles, root, words, group};
            RouterReference r(fabric, tiles, 1);
            program_line(r, line, ready);
            r.run();
            const auto simulated = double(r.finished(root, 0));
            std::vector<float> values, sums(std::size_t(words), 0.0f);
            for (int t = 0; t < tiles; ++t)
              for (const float v : values_of(t, words)) values.push_back(v);
            line_sums(line, values.data(), words, sums.data());
            EXPECT_EQ(last_words(r, root, 0, words), sums);  // the same bits: the order is the simulator's
            EXPECT_NEAR(double(rule(line, ready)), simulated, simulated / 8 + 12)
                << tiles << " tiles, root " << root << ", " << words << " words, groups of " << group
                << ", ready by " << latest;
          }
}

TEST(LineReduction, ALateTileDelaysOnlyWhatDependsOnIt) {
  // The far end of the eastern side is late: the west has finished long before, the root waits.
  const LineReduction line{9, 4, 5, 9};
  std::vector<std::int64_t> clocks(9, 0), even = clocks;
  clocks[8] = 1000;
  advance_clocks(fabric, line, clocks.data(), 1);
  advance_clocks(fabric, line, even.data(), 1);
  for (int x = 0; x < 4; ++x) EXPECT_EQ(clocks[std::size_t(x)], even[std::size_t(x)]);
  EXPECT_GT(clocks[4], 1000);
  EXPECT_GT(clocks[5], 1000);
}

TEST(LineReduction, SumsEveryTileOnce) {
  for (const int tiles : {1, 2, 7, 16})
    for (const int root : {0, tiles / 2, tiles - 1})
      for (const int group : {2, 3, tiles}) {
        const LineReduction line{tiles, root, 3, group};
        std::vector<float> values, sums(3), exact(3, 0.0f);
        for (int t = 0; t < tiles; ++t)
          for (int w = 0; w < 3; ++w) {
            values.push_back(float(1 << t % 16) + float(w));  // exact in any order
            exact[std::size_t(w)] += values.back();
          }
        line_sums(line, values.data(), 3, sums.data());
        EXPECT_EQ(sums, exact) << tiles << " " << root << " " << group;
      }
}

TEST(LineReduction, WordsThatCrossLinksAreThoseOfTheSimulator) {
  for (const int of_line : {1, 4, 60}) {  // few in groups, many in chains
    const LineReduction line = LineReduction::best(fabric, 20, 10, of_line);
    RouterReference r(fabric, 20, 1);
    program_line(r, line, std::vector<std::int64_t>(20, 0));
    r.run();
    const std::vector<int> words{of_line};
    LinkWords counted(alone(), one_block(20, 1));
    const LineReduce pattern({{0, 0, 20, 1}, true, 20, 10, 1}, words);
    pattern.add_words(fabric, 1, counted);
    expect_words(r, 20, 1, counted);
  }
}

TEST(SharedWork, IsAsFastAsTheSimulatorSaysAndNeverSlowerThanAlone) {
  // Out: the root sends every helper its words, farthest first; each works; back: nearest first.
  for (const int helpers : {1, 3, 7})
    for (const int per_tile : {1, 4}) {
      const int words_in = 2, work = 115;
      const std::int64_t items = std::int64_t(per_tile) * (helpers + 1);
      RouterReference r(fabric, helpers + 1, 1);
      // A color each way and helper stands for one color whose switch is moved by control wavelets.
      auto& root = r.thread(0, 0);
      for (int h = helpers; h >= 1; --h) {
        for (int x = 0; x <= h; ++x) {
          r.route(x, 0, h, {{x == 0 ? Port::ramp : Port::west, {x == h ? Port::ramp : Port::east}}});
          r.route(x, 0, 8 + h, {{x == h ? Port::ramp : Port::east, {x == 0 ? Port::ramp : Port::west}}});
        }
        root.send(h, std::vector<float>(std::size_t(words_in * per_tile), 1.0f));
        auto& t = r.thread(h, 0);
        t.receive(h, words_in * per_tile);
      }
      r.run();
      RouterReference back(fabric, helpers + 1, 1);
      for (int h = 1; h <= helpers; ++h) {
        for (int x = 0; x <= h; ++x)
          back.route(x, 0, 8 + h, {{x == h ? Port::ramp : Port::east, {x == 0 ? Port::ramp : Port::west}}});
        back.thread(h, 0)
            .wait_until(r.finished(h, 0) + work * per_tile)
            .send(8 + h, std::vector<float>(std::size_t(per_tile), 1.0f));
      }
      auto& collects = back.thread(0, 0);
      for (int h = 1; h <= helpers; ++h) collects.receive(8 + h, per_tile);
      const auto simulated = double(back.run());
      const SharedWork shared = shared_work(fabric, helpers, items, words_in, 1, work);
      EXPECT_GE(double(shared.cycles) + 1, simulated);
      EXPECT_LE(double(shared.cycles), simulated + 2 * helpers + per_tile * helpers + 10);
    }
  const SharedWork best = best_shared_work(fabric, 40, 60, 2, 1, 115);
  EXPECT_GT(best.helpers, 5);
  for (const int helpers : {0, 1, 10, 39})
    EXPECT_LE(best.cycles, shared_work(fabric, helpers, 60, 2, 1, 115).cycles);
}

}  // namespace

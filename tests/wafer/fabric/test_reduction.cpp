// The timing rules of broadcasts and reductions against the word-level simulator and against measurements.
#include <gtest/gtest.h>

#include <random>

#include "line_programs.hpp"
#include "wse_emulator/fabric/reduction.hpp"
#include "wse_emulator/machine.hpp"
#include "wse_emulator/published.hpp"

using namespace wafermark::wse;

namespace {

const FabricTiming fabric;

TEST(Broadcast, TakesTheFormulasCycles) {
  for (const int tiles : {2, 3, 8, 32})
    for (const int words : {1, 7, 64}) {
      RouterReference r(fabric, tiles, 1);
      program_broadcast(r, tiles, words);
      EXPECT_EQ(r.run(), broadcast_cycles(fabric, tiles, words)) << tiles << " tiles, " << words << " words";
      expect_uses(r, broadcast_use("broadcast", {0, 0, tiles, 1}, 0), false);
      EXPECT_EQ(r.received(tiles - 1, 0), values_of(0, words));
    }
}

TEST(Broadcast, AgreesWithTheMeasurementOnACs3) {
  const FabricTiming cs3 = Machine::read(WAFERMARK_SOURCE_DIR "/inputs/wafers/wse3.toml").fabric;
  EXPECT_NEAR(static_cast<double>(
                  broadcast_cycles(cs3, published::row_multicast_tiles, published::row_multicast_words)),
              published::row_multicast_cycles, 0.01 * published::row_multicast_cycles);
}

TEST(FabricTiming, AWordMayTakeAFractionOfACycleMore) {
  FabricTiming f;
  EXPECT_EQ(f.cycles_of(1000000007), 1000000007);
  f.cycles_per_word = 9.0 / 8.0;
  EXPECT_EQ(f.cycles_of(0), 0);
  EXPECT_EQ(f.cycles_of(8), 9);
  EXPECT_EQ(f.cycles_of(9), 11);
  f.cycles_per_word = 0.5;
  EXPECT_EQ(f.cycles_of(3), 2);
}

TEST(Broadcast, OverARectangleTakesTheFormulasCycles) {
  for (const auto& [w, h] : {std::pair{2, 2}, {5, 3}, {32, 32}}) {
    RouterReference r(fabric, w, h);
    program_broadcast_2d(r, w, h, 20, 0, [&](int x, int y) -> RouterReference::Thread& {
      auto& t = r.thread(x, y);
      return x == 0 && y == 0 ? t.hold(values_of(0, 20)) : t;
    });
    EXPECT_EQ(r.run(), broadcast_2d_cycles(fabric, w, h, 20));
    EXPECT_EQ(r.received(w - 1, h - 1), values_of(0, 20));
    expect_uses(r, broadcast_use("broadcast", {0, 0, w, h}, 0));
  }
}

TEST(ChainReduce, TakesTheFormulasCyclesAndAddsInItsOrder) {
  for (const int tiles : {2, 5, 16, 32})
    for (const int words : {1, 9, 64}) {
      RouterReference r(fabric, tiles, 1);
      program_chain({r, tiles}, words);
      EXPECT_EQ(r.run(), chain_reduce_cycles(fabric, tiles, words));
      for (int w = 0; w < words; ++w) {
        std::vector<float> line;
        for (int x = 0; x < tiles; ++x) line.push_back(values_of(x, words)[static_cast<std::size_t>(w)]);
        EXPECT_EQ(last_words(r, 0, 0, words)[static_cast<std::size_t>(w)], chain_sum(line));
      }
      expect_uses(r, chain_reduce_use("chain", {0, 0, tiles, 1}, 0), tiles > 2);
    }
}

TEST(ChainReduce, WithRandomStartsFinishesNoLaterThanTheLatestStartAllows) {
  std::mt19937 random(5);
  for (int trial = 0; trial < 20; ++trial) {
    const int tiles = 12, words = 10;
    std::vector<std::int64_t> starts(tiles);
    for (auto& s : starts) s = std::uniform_int_distribution<int>(0, 300)(random);
    RouterReference r(fabric, tiles, 1);
    program_chain({r, tiles}, words, starts);
    const std::int64_t last = *std::max_element(starts.begin(), starts.end());
    const std::int64_t cycles = r.run();
    EXPECT_GE(cycles, last);
    EXPECT_LE(cycles, last + chain_reduce_cycles(fabric, tiles, words));
  }
}

TEST(TwoPhaseReduce, IsWithinSixPercentAndTwelveCyclesOfTheSimulator) {
  for (const int tiles : {8, 16, 32})
    for (const int group : {2, 4, 8})
      for (const int words : {16, 64, 256}) {
        RouterReference r(fabric, tiles, 1);
        program_two_phase({r, tiles}, words, group, 0, [&](int x) -> RouterReference::Thread& {
          return r.thread(x, 0).hold(values_of(x, words));
        });
        const double simulated = static_cast<double>(r.run());
        const double rule = static_cast<double>(two_phase_reduce_cycles(fabric, tiles, words, group));
        EXPECT_NEAR(rule, simulated, 0.06 * simulated + 12.0)
            << tiles << " tiles, groups of " << group << ", " << words;
        std::vector<float> line;
        for (int x = 0; x < tiles; ++x) line.push_back(values_of(x, words)[0]);
        EXPECT_EQ(last_words(r, 0, 0, words)[0], two_phase_sum(line, group));
        expect_uses(r, two_phase_reduce_use("two-phase", {0, 0, tiles, 1}, 0),
                    group > 2 && tiles > 2 * group);
      }
}

TEST(TwoPhaseReduce, AgreesWithTheMeasurementsOnTheRealWafer) {
  for (const auto& [group, cycles] : published::two_phase_reductions)
    EXPECT_NEAR(static_cast<double>(two_phase_reduce_cycles(fabric, published::reduction_tiles,
                                                            published::reduction_words, group)),
                cycles, 0.04 * cycles);
}

TEST(ReductionRules, AreInstancesOfTheGeneralModel) {
  const double p = 64, b = 256;
  // A chain: every link carries B words, the root takes B, P - 1 cores pass them on one after the other.
  EXPECT_NEAR(general_model_cycles(fabric, b, b * (p - 1), p - 1, p - 1, p - 1),
              static_cast<double>(chain_reduce_cycles(fabric, 64, 256)), 1.0);
  // A star: the root takes (P - 1) B words.
  EXPECT_NEAR(general_model_cycles(fabric, b * (p - 1), b * p * (p - 1) / 2, p - 1, p - 1, 1),
              static_cast<double>(star_reduce_cycles(fabric, 64, 256)), 1.0);
}

TEST(ReductionRules, TreesWinForFewWordsAndChainsForMany) {
  EXPECT_LT(tree_reduce_cycles(fabric, 512, 1), chain_reduce_cycles(fabric, 512, 1));
  EXPECT_GT(tree_reduce_cycles(fabric, 512, 4096), chain_reduce_cycles(fabric, 512, 4096));
  const int best = best_group(fabric, 512, 16);
  for (int s = 1; s <= 512; ++s)
    EXPECT_LE(two_phase_reduce_cycles(fabric, 512, 16, best), two_phase_reduce_cycles(fabric, 512, 16, s));
}

TEST(PointToPoint, TakesTheDistanceAndTwoRamps) {
  for (const int distance : {1, 5, 31}) {
    RouterReference r(fabric, distance + 1, 1);
    for (int x = 0; x <= distance; ++x)
      r.route(x, 0, 3, {{x == 0 ? Port::ramp : Port::west, {x == distance ? Port::ramp : Port::east}}});
    r.thread(0, 0).send(3, values_of(0, 11));
    r.thread(distance, 0).receive(3, 11);
    EXPECT_EQ(r.run(), point_to_point_cycles(fabric, distance, 11));
    expect_uses(r, point_to_point_use("message", {0, 0, distance + 1, 1}, 2), false);
  }
}

TEST(Shift, SharesLinksAmongTheWordsOfSoManyTilesAsItIsFar) {
  // A tile gives on the color of its place among 2 `distance`; the color's next user begins where it ends.
  for (const int distance : {1, 2, 3, 5}) {
    const int tiles = 24, words = 24;
    RouterReference r(fabric, tiles, 1);
    std::vector<int> threads(tiles, 0), receives_with(tiles, -1);
    for (int from = 0; from + distance < tiles; ++from) {
      const int color = from % (2 * distance), to = from + distance;
      for (int x = from; x <= to; ++x)
        r.route(x, 0, color, {{x == from ? Port::ramp : Port::west, {x == to ? Port::ramp : Port::east}}});
      r.thread(from, 0).send(color, values_of(from, words));
      ++threads[static_cast<std::size_t>(from)];
      r.thread(to, 0).receive(color, words);
      receives_with[static_cast<std::size_t>(to)] = threads[static_cast<std::size_t>(to)]++;
    }
    const double simulated = static_cast<double>(r.run()),
                 rule = static_cast<double>(shift_cycles(fabric, distance, words));
    EXPECT_NEAR(rule, simulated, 0.1 * simulated + 2) << distance;
    expect_uses(r, shift_use("shift", {0, 0, tiles, 1}, 0, distance));
    for (int x = distance; x < tiles; ++x)
      EXPECT_EQ(r.received(x, 0, receives_with[static_cast<std::size_t>(x)]), values_of(x - distance, words));
  }
}

TEST(TreeReduce, IsWithinAQuarterAndTwelveCyclesOfTheSimulator) {
  for (const int tiles : {4, 8, 16, 32})
    for (const int words : {1, 16, 64}) {
      RouterReference r(fabric, tiles, 1);
      for (int x = 0; x < tiles; ++x) {
        auto& t = r.thread(x, 0).hold(values_of(x, words));
        int color = 0;
        for (int stride = 1; stride < tiles; stride *= 2, ++color) {
          const int place = x % (2 * stride);
          if (place == stride) r.route(x, 0, color, {{Port::ramp, {Port::west}}});
          if (place == 0) r.route(x, 0, color, {{Port::east, {Port::ramp}}});
          if (place > 0 && place < stride) r.route(x, 0, color, {{Port::east, {Port::west}}});
          if (x % stride != 0) continue;
          if (place == stride) t.send_last(color, words);
          if (place == 0) t.receive_add(color, words);
        }
      }
      const double simulated = static_cast<double>(r.run()),
                   rule = static_cast<double>(tree_reduce_cycles(fabric, tiles, words));
      EXPECT_NEAR(rule, simulated, 0.25 * simulated + 12) << tiles << " tiles, " << words << " words";
      for (int w = 0; w < words; ++w) {
        std::vector<float> line;
        for (int x = 0; x < tiles; ++x) line.push_back(values_of(x, words)[static_cast<std::size_t>(w)]);
        EXPECT_EQ(last_words(r, 0, 0, words)[static_cast<std::size_t>(w)], tree_sum(line));
      }
      expect_uses(r, tree_reduce_use("tree", {0, 0, tiles, 1}, 0));
    }
}

}  // namespace

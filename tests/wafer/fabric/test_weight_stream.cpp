// Products with streamed weights: how long the tiles of a row take.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "wse_emulator/fabric/weight_stream.hpp"
#include "wse_emulator/router_reference/router_reference.hpp"

namespace wafermark::wse {
namespace {

struct StreamOutcome {
  std::vector<std::int64_t> clocks, busy;
  std::int64_t last() const { return *std::max_element(clocks.begin(), clocks.end()); }
};

/// weights(output, column).
template <class Weights>
StreamOutcome streamed(int columns, int outputs, int ahead, const StreamCycles& cycles,
                       const Weights& weights, double bits_per_cycle = 1e9) {
  StreamedWeights w;
  w.columns = columns;
  for (int o = 0; o < outputs; ++o) {
    for (int x = 0; x < columns; ++x) w.counts.push_back(std::uint16_t(weights(o, x)));
    w.keepers.push_back(std::uint16_t(o % columns));
    w.bits.push_back(1000.0f);
  }
  EdgeStream edge(bits_per_cycle, 1e12);
  StreamOutcome out{std::vector<std::int64_t>(std::size_t(columns), 0),
                    std::vector<std::int64_t>(std::size_t(columns), 0)};
  advance_row({}, w, cycles, ahead, edge, out.clocks, out.busy);
  return out;
}

const StreamCycles usual{10, 16, 48, 64};

TEST(WeightStream, AColumnAloneMultipliesAndKeeps) {
  const StreamOutcome o = streamed(1, 7, 3, usual, [](int, int) { return 2; });
  EXPECT_EQ(o.last(), 7 * (2 * 10 + 64) + 1);  // a cycle begun until the first weights are inside
}

TEST(WeightStream, ASumTakesAHopAndTwoRampsFromTileToTile) {
  // One output without weights: every tile passes on at once; the keeper is the first tile.
  const StreamOutcome o = streamed(5, 1, 0, usual, [](int, int) { return 0; });
  for (int x = 1; x < 5; ++x) EXPECT_EQ(o.clocks[std::size_t(x)], 1 + 16 + 48 + 6 * x) << x;
}

TEST(WeightStream, EvenWeightsKeepTilesBusy) {
  const StreamOutcome o = streamed(64, 2000, 8, usual, [](int, int) { return 5; });
  const std::int64_t busiest = *std::max_element(o.busy.begin(), o.busy.end());
  EXPECT_EQ(busiest, 2000 * (5 * 10 + 16 + 48) + 32 * 64);
  EXPECT_LT(double(o.last()), 1.1 * double(busiest));  // keepers hold up those to their east a little
}

TEST(WeightStream, SumsThatPassTogetherShareAnInstruction) {
  const auto five = [](int, int) { return 5; };
  StreamCycles four = usual;
  four.together = 4;
  const StreamOutcome o = streamed(64, 2002, 8, four, five);  // the last two pass as they are
  EXPECT_EQ(*std::max_element(o.busy.begin(), o.busy.end()), 2002 * (5 * 10 + 48) + 501 * 16 + 32 * 64);
  EXPECT_LT(o.last(), streamed(64, 2002, 8, usual, five).last());
}

TEST(WeightStream, BuffersAbsorbUnevenWeights) {
  const auto uneven = [](int o, int x) { return (o * 7919 + x * 104729) % 11; };
  const StreamOutcome at_once = streamed(64, 2000, 0, usual, uneven),
                      ahead = streamed(64, 2000, 8, usual, uneven);
  EXPECT_EQ(at_once.busy, ahead.busy);
  EXPECT_LT(ahead.last(), at_once.last());
}

TEST(WeightStream, TheEdgeIsTheLimitOfLightWork) {
  const StreamOutcome slow = streamed(
      16, 500, 8, usual, [](int, int) { return 1; }, 1.0);
  EXPECT_NEAR(double(slow.last()), 500 * 1000.0, 1000.0);
}

/// A product on a few tiles, word by word: what every core adds and when it is done with its last sum.
struct SimulatedProduct {
  static constexpr int tokens = 6, start = 40;  // the first weights wait in the queues by then
  int columns, rows, outputs, together;
  std::vector<int> counts;  ///< [output][column]
  StreamCycles cycles{9, 16, tokens, 0, 1};
  RouterReference fabric;

  template <class Counts>
  SimulatedProduct(int columns_, int rows_, int outputs_, int together_, const Counts& count)
      : columns(columns_),
        rows(rows_),
        outputs(outputs_),
        together(together_),
        fabric({}, columns_, rows_ + 1) {
    cycles.together = together;
    for (int o = 0; o < outputs; ++o)
      for (int x = 0; x < columns; ++x) counts.push_back(count(o, x));
    for (int x = 0; x < columns; ++x) program_column(x);
  }
  int count(int o, int x) const { return counts[std::size_t(o * columns + x)]; }
  static float weight(int o, int x, int k) { return 0.1f * float((3 * o + 5 * x + k) % 13 - 6); }
  /// Of a token of row y, the number that meets weight k.
  static float factor(int y, int x, int k, int v) {
    return 0.01f * float((7 * y + 3 * x + k + 11 * v) % 17 - 8);
  }

  /// Weights go down from the row above; sums go east by two colors in turn, and back from the end.
  void program_column(int x) {
    std::vector<float> weights;
    for (int o = 0; o < outputs; ++o)
      for (int k = 0; k < count(o, x); ++k) weights.push_back(weight(o, x, k));
    fabric.route(x, 0, 0, {{Port::ramp, {Port::south}}});
    fabric.thread(x, 0).send(0, weights);
    const int out = 1 + x % 2, in = 2 - x % 2;
    const bool first = x == 0, last = x + 1 == columns;
    for (int y = 1; y <= rows; ++y) {
      fabric.route(
          x, y, 0,
          {{Port::north, y < rows ? std::vector{Port::ramp, Port::south} : std::vector{Port::ramp}}});
      if (!first) fabric.route(x, y, in, {{Port::west, {Port::ramp}}});
      if (!last) fabric.route(x, y, out, {{Port::ramp, {Port::east}}});
      auto& t = fabric.thread(x, y).wait_until(start + y - 1);
      for (int o = 0; o < outputs; o += together) {
        const int bundle = std::min(together, outputs - o), words = bundle * tokens;
        for (int k = o; k < o + bundle; ++k) multiply(t, y, x, k);
        t.work(16);
        if (last)
          t.receive_add(in, words);
        else if (first)
          t.send_last(out, words);
        else
          t.receive_add_send(in, words, out);
      }
    }
  }
  void multiply(RouterReference::Thread& t, int y, int x, int o) const {
    if (count(o, x) == 0) {
      t.hold(std::vector<float>(tokens, 0.0f));
      return;
    }
    std::vector<float> factors;
    for (int k = 0; k < count(o, x); ++k)
      for (int v = 0; v < tokens; ++v) factors.push_back(factor(y, x, k, v));
    t.multiply_add(0, count(o, x), 9, factors);
  }
  /// What the eastern tile of row y has of all outputs, [output][token], worked out by loops.
  std::vector<float> sums(int y) const {
    std::vector<float> all;
    for (int o = 0; o < outputs; ++o)
      for (int v = 0; v < tokens; ++v) {
        float sum = 0;
        for (int x = 0; x < columns; ++x) {
          float own = 0;
          for (int k = 0; k < count(o, x); ++k) own = std::fma(weight(o, x, k), factor(y, x, k, v), own);
          sum = x == 0 ? own : own + sum;
        }
        all.push_back(sum);
      }
    return all;
  }
  /// By the rule, of the first row.
  std::vector<std::int64_t> counted() const {
    StreamedWeights w;
    w.columns = columns;
    w.counts.assign(counts.begin(), counts.end());
    w.keepers.assign(std::size_t(outputs), 0);
    w.bits.assign(std::size_t(outputs), 1.0f);
    EdgeStream edge(1e9, 1e12);
    std::vector<std::int64_t> clocks(std::size_t(columns), start), busy(clocks.size(), 0);
    advance_row({}, w, cycles, 0, edge, clocks, busy);
    return clocks;
  }
};

/// The eastern tile's sums: the last of each bundle's words that its thread holds, receives or makes.
std::vector<float> sums_at_the_end(const SimulatedProduct& p, int y) {
  const std::vector<float>& all = p.fabric.received(p.columns - 1, y);
  std::vector<float> sums;
  std::size_t at = 0;
  for (int o = 0; o < p.outputs; o += p.together) {
    const auto words = std::size_t(std::min(p.together, p.outputs - o) * SimulatedProduct::tokens);
    at += words;  // its own
    sums.insert(sums.end(), all.begin() + std::ptrdiff_t(at), all.begin() + std::ptrdiff_t(at + words));
    at += words;
  }
  return sums;
}

class WordLevel : public testing::TestWithParam<std::array<int, 4>> {};

TEST_P(WordLevel, ADenseProductTakesTheCountedCyclesWithTheRightSums) {
  const auto [columns, rows, outputs, together] = GetParam();
  SimulatedProduct p(columns, rows, outputs, together, [](int, int) { return 3; });
  p.fabric.run();
  const std::vector<std::int64_t> counted = p.counted();
  for (int y = 1; y <= rows; ++y) {
    EXPECT_EQ(sums_at_the_end(p, y), p.sums(y));
    for (int x = 0; x < columns; ++x)
      EXPECT_EQ(p.fabric.finished(x, y), counted[std::size_t(x)] + y - 1) << "tile " << x << ", " << y;
    for (int x = 0; x + 1 < columns; ++x)
      EXPECT_EQ(p.fabric.words(x, y, 1 + x % 2, Port::east), outputs * SimulatedProduct::tokens);
  }
  for (int x = 0; x < columns; ++x) EXPECT_EQ(p.fabric.words(x, 0, 0, Port::south), 3 * outputs);
}

TEST_P(WordLevel, ASparseProductTakesAboutTheCountedCyclesWithTheRightSums) {
  const auto [columns, rows, outputs, together] = GetParam();
  SimulatedProduct p(columns, rows, outputs, together,
                     [](int o, int x) { return (o * 7919 + x * 104729) % 5; });
  p.fabric.run();
  const std::vector<std::int64_t> counted = p.counted();
  for (int y = 1; y <= rows; ++y) {
    EXPECT_EQ(sums_at_the_end(p, y), p.sums(y));
    // Queues hold up a tile whose neighbour still multiplies; the rule lets its words go.
    const double last = double(p.fabric.finished(columns - 1, y));
    EXPECT_NEAR(last, double(counted.back() + y - 1), 0.05 * last);
  }
}

INSTANTIATE_TEST_SUITE_P(Products, WordLevel,
                         testing::Values(std::array{2, 1, 5, 1}, std::array{7, 2, 20, 1},
                                         std::array{8, 2, 21, 4}, std::array{16, 1, 40, 8}));

TEST(EdgeStream, RunsAheadAsFarAsThereIsRoom) {
  EdgeStream edge(2.0, 100.0);
  EXPECT_DOUBLE_EQ(edge.enter(50), 25);
  edge.used(1000);
  EXPECT_DOUBLE_EQ(edge.enter(50), 1000 - 50 + 25);
  EXPECT_DOUBLE_EQ(edge.bits(), 100);
}

}  // namespace
}  // namespace wafermark::wse

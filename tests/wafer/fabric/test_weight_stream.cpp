// Products with streamed weights: how long the tiles of a row take.
#include <gtest/gtest.h>

#include <algorithm>

#include "wse_emulator/fabric/weight_stream.hpp"

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

TEST(EdgeStream, RunsAheadAsFarAsThereIsRoom) {
  EdgeStream edge(2.0, 100.0);
  EXPECT_DOUBLE_EQ(edge.enter(50), 25);
  edge.used(1000);
  EXPECT_DOUBLE_EQ(edge.enter(50), 1000 - 50 + 25);
  EXPECT_DOUBLE_EQ(edge.bits(), 100);
}

}  // namespace
}  // namespace wafermark::wse

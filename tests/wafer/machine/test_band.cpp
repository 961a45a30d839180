// How sure predictions are: bands, influences, and runs priced for another machine.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "wse_emulator/band.hpp"
#include "wse_emulator/executor.hpp"
#include "wse_emulator/fabric/all_reduce.hpp"

using namespace wafermark;
using namespace wafermark::wse;

namespace {

const std::string wse2 = WAFERMARK_SOURCE_DIR "/inputs/wafers/wse2.toml";

/// wse2 with all numbers known, but these.
Machine known_but(const std::vector<std::string>& ranges) {
  std::vector<std::string> changes = ranges;
  for (const auto& [key, q] : Machine::read(wse2).quantities)
    if (std::none_of(ranges.begin(), ranges.end(),
                     [&](const std::string& r) { return r.starts_with(key + "."); }))
      changes.push_back(key + ".value=" + std::to_string(q.value));
  for (std::string& change : changes)
    if (change.ends_with(".000000")) change.resize(change.size() - 7);
  return Machine::read(wse2, changes);
}

TEST(Band, OfKnownNumbersIsAPoint) {
  const Band band =
      band_of(known_but({}), [](const Machine& m) { return m.cycles[0] + m.task_start_cycles; });
  EXPECT_EQ(band.low, 1.0);
  EXPECT_EQ(band.high, 1.0);
  EXPECT_TRUE(band.influences.empty());
}

TEST(Band, OfOneNumberIsItsRangesPercentiles) {
  // 10 + x, x evenly in [0.5, 1.5]: between 10.55 and 11.45 lie nine tenths.
  const Machine m = known_but(
      {"core.vector_cycles_per_element.value=1", "core.vector_cycles_per_element.range=[0.5, 1.5]"});
  const auto predict = [](const Machine& x) { return 10.0 + x.vector_cycles_per_element; };
  const Band band = band_of(m, predict);
  EXPECT_NEAR(band.low, 10.55 / 11.0, 0.003);
  EXPECT_NEAR(band.high, 11.45 / 11.0, 0.003);
  ASSERT_EQ(band.influences.size(), 1u);
  EXPECT_NEAR(band.influences[0].at_low, 10.5 / 11.0, 1e-12);
  EXPECT_NEAR(band.inverse().low, 11.0 / 11.45, 0.003);
  EXPECT_EQ(band_of(m, predict).low, band.low);
}

TEST(Band, WholeRangesHoldWholeNumbersAndBrokenRangesOfCountsGoByTheNextOne) {
  const Machine m = known_but({"cycles.fma.range=[1, 2]"});
  const Band band = band_of(m, [](const Machine& x) { return x.cycles[std::size_t(Operation::fma)]; });
  EXPECT_EQ(band.low, 1.0);  // half of the draws are at either end
  EXPECT_EQ(band.high, 2.0);
  const Machine hops = known_but({"fabric.hop_cycles.range=[1, 1.14]"});
  const Band broken = band_of(hops, [](const Machine& x) { return 4.0 + x.fabric.hop_cycles; });
  ASSERT_EQ(broken.influences.size(), 1u);
  EXPECT_NEAR(broken.influences[0].at_high, 5.14 / 5.0, 1e-12);
}

TEST(Band, InfluencesAddUpAsIfAllNumbersMovedTogether) {
  // A section's and a pattern's cycles for the whole machine: at both ends the sum of influences is what the
  // machine with all numbers there takes.
  const Machine m = Machine::read(wse2);
  OperationCounts counts;
  counts[Operation::fma] = 12;
  counts[Operation::branch] = 2;
  counts[Operation::integer] = 3;
  const auto predict = [&](const Machine& x) {
    return Section::scalar(x, counts).cycles(50) + 3.0 * x.task_start_cycles +
           double(all_reduce_cycles(x.fabric, 20, 20, 1));
  };
  const Band band = band_of(m, predict);
  Machine slow = m;
  double sum = 1.0;
  for (const Influence& i : band.influences) {
    if (i.key.starts_with("fabric")) continue;
    slow = slow.with(i.key, i.high);
    sum += i.at_high - 1.0;
  }
  EXPECT_NEAR(sum, predict(slow) / predict(m), 1e-9);
  EXPECT_EQ(band.influences[0].key, "cycles.fma");
}

TEST(Band, ARunIsPricedForAnotherMachine) {
  const Communicator alone(MPI_COMM_SELF);
  const Blocks blocks(alone, TileGrid{6, 4, {false, false}});
  OperationCounts counts;
  counts[Operation::fma] = 10;
  counts[Operation::branch] = 1;
  const auto run_on = [&](const Machine& m, const Machine& priced) {
    const Section scalar = Section::scalar(m, counts), vector = Section::vector(m, counts, {.batches = 2});
    std::vector<int> items(24), working(24, 1);
    for (int k = 0; k < 24; ++k) items[std::size_t(k)] = k % 5;
    Program program;
    program.compute("sum", {{scalar, items}, {vector, items}});
    program.pattern("all", std::make_shared<AllReduce>(1), 0);
    RegionTimes times;
    Executor executor(alone, blocks, m, std::move(program), working, times);
    for (int k = 0; k < 3; ++k) executor.run();
    return executor.cycles_on(priced, 0);
  };
  const Machine m = Machine::read(wse2), other = m.with("fabric.ramp_cycles", 5).with("cycles.fma", 2);
  const Section scalar = Section::scalar(m, counts), vector = Section::vector(m, counts, {.batches = 2});
  const double slowest = scalar.cycles(4) + vector.cycles(4);
  EXPECT_NEAR(run_on(m, m), 3.0 * (slowest + double(all_reduce_cycles(m.fabric, 6, 4, 1))), 3.0);
  EXPECT_NEAR(run_on(m, other) / run_on(other, other), 1.0, 0.05);  // half of the time is waiting
  EXPECT_GT(run_on(m, other), 1.1 * run_on(m, m));
}

}  // namespace

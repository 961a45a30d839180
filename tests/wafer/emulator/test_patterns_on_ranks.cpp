// What patterns move, and whom tiles wait for, is the same on any number of ranks.
#include <gtest/gtest.h>

#include "wse_emulator/executor.hpp"
#include "wse_emulator/fabric/all_reduce.hpp"
#include "wse_emulator/fabric/line_transfers.hpp"

using namespace wafermark;
using namespace wafermark::wse;

namespace {

class OnRanks : public testing::Test {
 protected:
  Communicator comm;
  TileGrid grid{7, 5, {false, false}};
  Blocks blocks{comm, grid};
  Block mine = blocks.mine();

  template <class Body>
  void for_each_tile(const Body& body) const {
    std::size_t tile = 0;
    for (int y = mine.y0; y < mine.y0 + mine.height; ++y)
      for (int x = mine.x0; x < mine.x0 + mine.width; ++x) body(tile++, x, y);
  }
  /// Of word k of a part for place `to`.
  static float word(int x, int y, int to, int k) {
    return static_cast<float>(1000 * x + 100 * y + 10 * to + k);
  }
  /// Every tile's parts for all places of its line.
  std::vector<float> parts(int places, int words) const {
    std::vector<float> all;
    for_each_tile([&](std::size_t, int x, int y) {
      for (int to = 0; to < places; ++to)
        for (int k = 0; k < words; ++k) all.push_back(word(x, y, to, k));
    });
    return all;
  }
};

TEST_F(OnRanks, TransposeBringsPartsOfEveryTileOfTheLine) {
  for (const Axis axis : {Axis::row, Axis::column}) {
    const int places = axis == Axis::row ? grid.width : grid.height, words = 2;
    const auto moved = Transpose(axis, words).move(comm, blocks, parts(places, words));
    for_each_tile([&](std::size_t tile, int x, int y) {
      for (int from = 0; from < places; ++from)
        for (int k = 0; k < words; ++k)
          EXPECT_EQ(moved[(tile * static_cast<std::size_t>(places) + static_cast<std::size_t>(from)) * 2 +
                          static_cast<std::size_t>(k)],
                    axis == Axis::row ? word(from, y, x, k) : word(x, from, y, k));
    });
  }
}

TEST_F(OnRanks, GatherAndScatterGoToAndFromTheFirstTile) {
  for (const Axis axis : {Axis::row, Axis::column}) {
    const int places = axis == Axis::row ? grid.width : grid.height;
    const auto gathered = Gather(axis, 1).move(comm, blocks, parts(1, 1));
    const auto scattered = Scatter(axis, 1).move(comm, blocks, parts(places, 1));
    for_each_tile([&](std::size_t tile, int x, int y) {
      const int place = axis == Axis::row ? x : y;
      EXPECT_EQ(scattered[tile], axis == Axis::row ? word(0, y, x, 0) : word(x, 0, y, 0));
      for (int from = 0; from < places; ++from)
        EXPECT_EQ(gathered[tile * static_cast<std::size_t>(places) + static_cast<std::size_t>(from)],
                  place > 0           ? 0.0f
                  : axis == Axis::row ? word(from, y, 0, 0)
                                      : word(x, from, 0, 0));
    });
  }
}

TEST_F(OnRanks, SumsHaveTheBitsOfOneRank) {
  const auto value = [](int x, int y, int k) {
    return 0.1f * static_cast<float>(x + 1) / static_cast<float>(y + k + 3);
  };
  std::vector<float> here, all;
  for_each_tile([&](std::size_t, int x, int y) {
    for (int k = 0; k < 3; ++k) here.push_back(value(x, y, k));
  });
  for (int y = 0; y < grid.height; ++y)
    for (int x = 0; x < grid.width; ++x)
      for (int k = 0; k < 3; ++k) all.push_back(value(x, y, k));
  const Communicator self(MPI_COMM_SELF);
  const FabricTiming fabric;
  EXPECT_EQ(AllReduce(3).sums(comm, blocks, fabric, here),
            AllReduce(3).sums(self, Blocks(self, grid), fabric, all));
}

TEST_F(OnRanks, TilesWaitForTheLastOfTheirRowOrColumn) {
  const Machine machine = Machine::read(WAFERMARK_SOURCE_DIR "/inputs/wafers/wse2.toml");
  OperationCounts add;
  add[Operation::add] = 1;
  const Section section = Section::scalar(machine, add);
  const auto work = [](int x, int y) { return (13 * x + 29 * y) % 50; };
  std::vector<int> items;
  for_each_tile([&](std::size_t, int x, int y) { items.push_back(work(x, y)); });
  for (const Axis axis : {Axis::row, Axis::column}) {
    const auto gather = std::make_shared<Gather>(axis, 4);
    Program p;
    p.compute("work", {{section, items}});
    p.pattern("gather", gather, 0);
    RegionTimes times;
    Executor executor(comm, blocks, machine, p, std::vector<int>(items.size(), 1), times);
    executor.run();
    for_each_tile([&](std::size_t tile, int x, int y) {
      int latest = 0;
      for (int k = 0; k < (axis == Axis::row ? grid.width : grid.height); ++k)
        latest = std::max(latest, axis == Axis::row ? work(k, y) : work(x, k));
      EXPECT_EQ(executor.clocks()[tile], latest + gather->cycles(machine.fabric, grid) + 43)
          << x << ", " << y;
    });
  }
}

}  // namespace

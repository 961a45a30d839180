// The all-reduce over a rectangle, its root where it is cheapest, against the word-level simulator and what
// is published.
#include <gtest/gtest.h>

#include "line_programs.hpp"
#include "wse_emulator/fabric/all_reduce.hpp"
#include "wse_emulator/fabric/reduction.hpp"
#include "wse_emulator/published.hpp"

using namespace wafermark::wse;

namespace {

const FabricTiming fabric;

/// Both sides of a line, then the hop from the tile before the root to the root, on the color that neither of
/// them needs. `thread(place)` counts places from the line's first tile.
template <class Threads>
void program_rooted(RouterReference& r, const RootedLine& line, bool column, int x, int y, int first,
                    const Threads& thread) {
  const auto tile = [&](int place) { return column ? std::pair{x, y + place} : std::pair{x + place, y}; };
  const auto [root_x, root_y] = tile(line.root);
  program_two_phase({r, line.tiles - line.root, column, root_x, root_y}, line.words, line.group_from, first,
                    [&](int k) -> RouterReference::Thread& { return thread(line.root + k); });
  if (line.root == 0) return;
  const auto [x_before, y_before] = tile(line.root - 1);
  program_two_phase({r, line.root, column, x_before, y_before, true}, line.words, line.group_before, first,
                    [&](int k) -> RouterReference::Thread& { return thread(line.root - 1 - k); });
  r.route(x_before, y_before, first, {{Port::ramp, {column ? Port::south : Port::east}}});
  r.route(root_x, root_y, first, {{column ? Port::north : Port::west, {Port::ramp}}});
  thread(line.root - 1).send_last(first, line.words);
  thread(line.root).receive_add(first, line.words);
}

/// Cycles of an all-reduce in the simulator; checks that every tile has the sum, and every link its words.
std::int64_t simulated_all_reduce(int width, int height, int words) {
  RouterReference r(fabric, width, height);
  const auto value = [&](int x, int y) { return values_of(x + 37 * y, words); };
  std::vector<RouterReference::Thread*> threads;
  std::vector<float> all;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      threads.push_back(&r.thread(x, y).hold(value(x, y)));
      for (const float v : value(x, y)) all.push_back(v);
    }
  const auto thread = [&](int x, int y) -> RouterReference::Thread& {
    return *threads[static_cast<std::size_t>(y * width + x)];
  };
  const auto row = RootedLine::cheapest(fabric, width, words),
             column = RootedLine::cheapest(fabric, height, words);
  for (int y = 0; y < height; ++y)
    program_rooted(r, row, false, 0, y, 0, [&](int x) -> RouterReference::Thread& { return thread(x, y); });
  program_rooted(r, column, true, row.root, 0, 4,
                 [&](int y) -> RouterReference::Thread& { return thread(row.root, y); });
  program_broadcast_2d(r, width, height, words, 8, thread, row.root, column.root);
  const std::int64_t cycles = r.run();
  const AllReduce pattern(words);
  const auto sums = pattern.sums(alone(), one_block(width, height), fabric, all);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) EXPECT_EQ(last_words(r, x, y, words), sums) << x << ", " << y;
  expect_uses(r, all_reduce_use("all-reduce", {0, 0, width, height}, 0), false);
  LinkWords counted(alone(), one_block(width, height));
  pattern.add_words(fabric, 1, counted);
  expect_words(r, width, height, counted);
  return cycles;
}

TEST(AllReduce, SumsOnEveryTileAndIsAtMostTenCyclesFasterThanTheRule) {
  for (const auto& [w, h] : {std::pair{1, 1}, {1, 9}, {2, 2}, {3, 2}, {8, 8}, {16, 5}, {7, 24}, {32, 32}})
    for (const int words : {1, 4, 16, 64}) {
      const std::int64_t early = all_reduce_cycles(fabric, w, h, words) - simulated_all_reduce(w, h, words);
      EXPECT_GE(early, 0) << w << " x " << h << " tiles, " << words << " words";
      EXPECT_LE(early, 10) << w << " x " << h << " tiles, " << words << " words";
    }
}

TEST(AllReduce, StandsInTheMiddleOfManyTilesAndAtTheEndForManyWords) {
  EXPECT_EQ(RootedLine::cheapest(fabric, 1044, 1).root, 522);
  EXPECT_EQ(RootedLine::cheapest(fabric, 16, 4096).root, 0);
}

TEST(AllReduce, OverTheWholeWaferTakesAboutHalfOfWhatItTakesFromACorner) {
  const std::int64_t corner = two_phase_reduce_cycles(fabric, 769, 1, best_group(fabric, 769, 1)) +
                              two_phase_reduce_cycles(fabric, 1044, 1, best_group(fabric, 1044, 1)) +
                              broadcast_2d_cycles(fabric, 769, 1044, 1);
  EXPECT_EQ(corner, 4214);
  EXPECT_EQ(all_reduce_cycles(fabric, 769, 1044, 1), 2241);
}

}  // namespace

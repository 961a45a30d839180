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
void program_rooted_two_phase(RouterReference& r, const RootedLine& line, bool column, int x, int y,
                              int first, const Threads& thread) {
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

std::vector<SwitchCommand> advance(int routers) {
  std::vector<SwitchCommand> commands;
  for (; routers > 0; routers -= most_routers_of_a_command)
    commands.push_back({true, std::min(routers, most_routers_of_a_command)});
  return commands;
}

/// A side in turn: `line` has its tiles from the one beside the root on, words to the root go by color
/// `gather`, those of chains by `first` and the next. `thread(distance)`: of the tile so far from the root.
template <class Threads>
void program_side_in_turn(const Line& line, const SideInTurn& side, int first, int gather,
                          const Threads& thread) {
  const auto route = [&](int d, std::vector<Route> positions) {
    line.r.route(line.tile_x(d - 1), line.tile_y(d - 1), gather, std::move(positions));
  };
  const Route own{Port::ramp, {line.towards()}}, further{line.away(), {line.towards()}};
  for (int number = 0; number < side.heads(); ++number) {
    const int head = side.head(number), last = side.last_in_group(head);
    const bool heads_follow = number + 1 < side.heads();
    for (int d = head; d <= last; ++d) {
      const int out = first + (d - head) % 2, in = first + 1 - (d - head) % 2;
      if (d > head) line.route(d - 1, out, Port::ramp, line.towards());
      if (d < last) line.route(d - 1, in, line.away(), Port::ramp);
      if (d > head && heads_follow) route(d, {further});
      if (d > head && d < last) thread(d).receive_add_send(in, side.words, out);
      if (d > head && d == last) thread(d).send_last(out, side.words);
    }
    RouterReference::Thread& t = thread(head);
    if (last > head) t.receive_add(first + 1, side.words);
    t.send_last(gather, side.words);
    const bool sets_back = side.heads() > 1 && side.sets_back(number);
    if (!heads_follow)
      route(head, {own});
    else if (sets_back)
      route(head, {own, further, own});
    else
      route(head, {own, further});
    if (heads_follow) t.send_control(gather, advance(1));
    if (sets_back) t.send_control(gather, advance(side.heads_set_back() * side.group + 1));
  }
}

template <class Threads>
void program_rooted_in_turn(RouterReference& r, const RootedLine& line, bool column, int x, int y, int first,
                            const Threads& thread) {
  const SideInTurn from{line.tiles - 1 - line.root, line.group_from, line.words},
      before{line.root, line.group_before, line.words};
  const auto tile = [&](int place) { return column ? std::pair{x, y + place} : std::pair{x + place, y}; };
  const auto [root_x, root_y] = tile(line.root);
  const auto side = [&](const SideInTurn& s, int step, int gather) {
    if (s.tiles == 0) return;
    const auto [x0, y0] = tile(line.root + step);
    const Line of_side{r, s.tiles, column, x0, y0, step < 0};
    r.route(root_x, root_y, gather, {{of_side.away(), {Port::ramp}}});
    program_side_in_turn(of_side, s, first, gather,
                         [&](int d) -> RouterReference::Thread& { return thread(line.root + step * d); });
  };
  side(from, 1, first + 2);
  side(before, -1, first + 3);
  for (int number = 0; number < std::max(from.heads(), before.heads()); ++number) {
    if (number < from.heads()) thread(line.root).receive_add(first + 2, line.words);
    if (number < before.heads()) thread(line.root).receive_add(first + 3, line.words);
  }
}

template <class Threads>
void program_rooted(RouterReference& r, const RootedLine& line, bool column, int x, int y, int first,
                    const Threads& thread) {
  if (line.way == RootedLine::Way::in_turn)
    program_rooted_in_turn(r, line, column, x, y, first, thread);
  else
    program_rooted_two_phase(r, line, column, x, y, first, thread);
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

/// A line in turn, `times` times one after the other; the cycles of the last time. Switches must be where
/// they were.
std::int64_t cycles_in_turn(int tiles, int root, int words, int times) {
  RouterReference r(fabric, tiles, 1);
  const auto line = RootedLine::at(fabric, tiles, root, words, RootedLine::Way::in_turn);
  std::vector<RouterReference::Thread*> threads;
  for (int x = 0; x < tiles; ++x) threads.push_back(&r.thread(x, 0));
  constexpr std::int64_t period = 2000;
  for (int k = 0; k < times; ++k) {
    for (int x = 0; x < tiles; ++x)
      threads[std::size_t(x)]->wait_until(k * period).hold(values_of(x + k, words));
    program_rooted(r, line, false, 0, 0, 0,
                   [&](int x) -> RouterReference::Thread& { return *threads[std::size_t(x)]; });
  }
  r.run();
  for (int w = 0; w < words; ++w) {
    std::vector<float> values;
    for (int x = 0; x < tiles; ++x) values.push_back(values_of(x + times - 1, words)[std::size_t(w)]);
    EXPECT_EQ(last_words(r, root, 0, words)[std::size_t(w)], line.sum(values));
  }
  for (int x = 0; x < tiles; ++x) {  // every link, every time
    if (x == root) continue;
    std::int64_t crossed = 0;
    for (int color = 0; color < 24; ++color)
      crossed += r.words(x, 0, color, x > root ? Port::west : Port::east);
    EXPECT_EQ(crossed, times * line.words_from(x)) << tiles << " tiles, place " << x;
  }
  return r.finished(root, 0) - (times - 1) * period;
}

TEST(RootedLine, InTurnSetsItsSwitchesBackAndTakesTheCyclesOfItsRule) {
  for (const int tiles : {2, 3, 4, 17, 60, 61, 62, 121, 181})
    for (const int words : {1, 2, 7})
      for (const int root : {0, tiles / 2}) {
        const auto rule = RootedLine::at(fabric, tiles, root, words, RootedLine::Way::in_turn);
        const std::string what = std::to_string(tiles) + " tiles, root " + std::to_string(root) + ", " +
                                 std::to_string(words) + " words";
        const std::int64_t once = cycles_in_turn(tiles, root, words, 1),
                           early = rule.reduce_cycles(fabric) - once;
        EXPECT_GE(early, 0) << what;
        EXPECT_LE(early, 2 + 2 * words) << what;
        if (words > 1) continue;
        EXPECT_NEAR(static_cast<double>(cycles_in_turn(tiles, root, words, 3)), static_cast<double>(once), 1)
            << what;
      }
}

TEST(RootedLine, TakesFewWordsInTurnAndManyInTwoPhases) {
  EXPECT_EQ(RootedLine::cheapest(fabric, 769, 1).way, RootedLine::Way::in_turn);
  EXPECT_EQ(RootedLine::cheapest(fabric, 769, 1).group_from, 2);
  EXPECT_EQ(RootedLine::cheapest(fabric, 769, 64).way, RootedLine::Way::two_phase);
  EXPECT_EQ(RootedLine::cheapest(fabric, 1, 1).reduce_cycles(fabric), 0);
}

TEST(AllReduce, StandsInTheMiddleOfManyTilesAndAtTheEndForManyWords) {
  EXPECT_EQ(RootedLine::cheapest(fabric, 1044, 1).root, 522);
  EXPECT_EQ(RootedLine::cheapest(fabric, 16, 4096).root, 0);
}

TEST(AllReduce, OverTheWholeWaferTakesLessThanHalfOfWhatItTakesFromACorner) {
  const std::int64_t corner = two_phase_reduce_cycles(fabric, 769, 1, best_group(fabric, 769, 1)) +
                              two_phase_reduce_cycles(fabric, 1044, 1, best_group(fabric, 1044, 1)) +
                              broadcast_2d_cycles(fabric, 769, 1044, 1);
  EXPECT_EQ(corner, 4214);
  EXPECT_EQ(all_reduce_cycles(fabric, 769, 1044, 1), 1848);
}

}  // namespace

// Gather, scatter, transposition, shift and star exchange: data, cycles, links and words against the
// word-level simulator.
#include <gtest/gtest.h>

#include <set>

#include "line_programs.hpp"
#include "wse_emulator/fabric/line_transfers.hpp"
#include "wse_emulator/fabric/shift.hpp"

using namespace wafermark::wse;

namespace {

const FabricTiming fabric;

/// Words of a place for another one.
std::vector<float> part_of(int from, int to, int words) {
  std::vector<float> v;
  for (int k = 0; k < words; ++k)
    v.push_back(static_cast<float>(100 * from + 10 * to) + 0.1f * static_cast<float>(k));
  return v;
}
void append(std::vector<float>& to, const std::vector<float>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

/// A line of the grid in the simulator, and the pattern's grid for it.
struct OnLine {
  RouterReference r;
  Line line;
  TileGrid grid;

  OnLine(int tiles, bool column)
      : r(fabric, column ? 1 : tiles, column ? tiles : 1),
        line{r, tiles, column},
        grid{column ? 1 : tiles, column ? tiles : 1, {false, false}} {}
  void expect(const LineTransfer& pattern, const std::string& name, int times = 1) {
    expect_uses(r, {name, {0, 0, grid.width, grid.height}, pattern.colors(grid, 0)}, false);
    LinkWords counted(alone(), Blocks(alone(), grid));
    pattern.add_words(fabric, times, counted);
    expect_words(r, grid.width, grid.height, counted);
  }
};

/// Own words, then a command that moves the sender's router on, or, farthest first, that of the next tile.
void program_gather(const Line& line, int words, bool farthest_first) {
  for (int k = 1; k < line.tiles; ++k) {
    auto& t = line.r.thread(line.tile_x(k), line.tile_y(k));
    t.send(0, part_of(k, 0, words));
    const bool last = farthest_first ? k == 1 : k + 1 == line.tiles;  // its command moves nothing
    if (farthest_first)
      t.send_control(0, {{false, 1}, {!last, 1}});
    else
      t.send_control(0, {{!last, 1}});
  }
  line.r.thread(line.tile_x(0), line.tile_y(0)).receive(0, (line.tiles - 1) * words);
}

TEST(Gather, BringsTheWordsOfALineToItsFirstTileNearestFirst) {
  for (const bool column : {false, true})
    for (const auto& [tiles, words] : {std::pair{2, 3}, {9, 1}, {24, 4}, {24, 40}})
      for (const bool farthest_first : {false, true}) {
        OnLine on(tiles, column);
        for (int k = 1; k < tiles; ++k) {
          std::vector<Route> positions{{Port::ramp, {on.line.towards()}}};
          if (k + 1 < tiles) positions.push_back({on.line.away(), {on.line.towards()}});
          on.r.route(on.line.tile_x(k), on.line.tile_y(k), 0, positions,
                     farthest_first && k + 1 < tiles ? 1 : 0);
        }
        on.line.route(0, 0, on.line.away(), Port::ramp);
        program_gather(on.line, words, farthest_first);
        const Gather pattern(column ? Axis::column : Axis::row, words);
        const std::int64_t simulated = on.r.run(), rule = pattern.cycles(fabric, on.grid);
        EXPECT_LE(simulated, rule + 2) << tiles << " tiles, " << words << " words";
        EXPECT_GE(simulated, rule - tiles - 2) << tiles << " tiles, " << words << " words";
        on.expect(pattern, "gather");
        std::vector<float> values, order;
        for (int k = 0; k < tiles; ++k) append(values, part_of(k, 0, words));
        for (int k = 1; k < tiles; ++k) append(order, part_of(farthest_first ? tiles - k : k, 0, words));
        EXPECT_EQ(on.r.received(0, 0), order);
        const auto moved = pattern.move(alone(), Blocks(alone(), on.grid), values);
        EXPECT_EQ(std::vector<float>(moved.begin(), moved.begin() + tiles * words), values);
        EXPECT_EQ(moved.back(), 0.0f);
      }
}

TEST(Scatter, BringsEveryTileItsOwnWords) {
  for (const bool column : {false, true})
    for (const auto& [tiles, words] : {std::pair{2, 3}, {9, 1}, {24, 4}, {24, 40}}) {
      OnLine on(tiles, column);
      const Scatter pattern(column ? Axis::column : Axis::row, words);
      std::vector<float> of_root, values(static_cast<std::size_t>(tiles * tiles * words));
      for (int k = 0; k < tiles; ++k) append(of_root, part_of(0, k, words));
      std::copy(of_root.begin(), of_root.end(), values.begin());
      for (int k = 0; k < tiles; ++k) {
        const int in = 1 - k % 2, out = k % 2, beyond = (tiles - 1 - k) * words;
        auto& t = on.r.thread(on.line.tile_x(k), on.line.tile_y(k));
        if (k + 1 < tiles) on.line.route(k, out, Port::ramp, on.line.away());
        if (k > 0) on.line.route(k, in, on.line.towards(), Port::ramp);
        if (k == 0) {
          std::vector<float> farthest_first;
          for (int to = tiles - 1; to > 0; --to) append(farthest_first, part_of(0, to, words));
          t.send(out, farthest_first);
          continue;
        }
        // A core passes words on by an instruction that takes and gives a word a cycle: here a sum with
        // zeros.
        t.hold(std::vector<float>(static_cast<std::size_t>(beyond), 0.0f));
        t.receive_add_send(in, beyond, out);
        t.receive(in, words);
      }
      const std::int64_t simulated = on.r.run(), rule = pattern.cycles(fabric, on.grid);
      EXPECT_EQ(simulated, rule) << tiles << " tiles, " << words << " words";
      on.expect(pattern, "scatter");
      const auto moved = pattern.move(alone(), Blocks(alone(), on.grid), values);
      EXPECT_EQ(moved, of_root);
      for (int k = 1; k < tiles; ++k)
        EXPECT_EQ(last_words(on.r, on.line.tile_x(k), on.line.tile_y(k), words), part_of(0, k, words));
    }
}

/// One direction of a transposition: own words for all beyond, then those that come, of which the last are
/// the tile's.
void program_transpose(OnLine& on, int words, int first, bool back) {
  const int p = on.line.tiles;
  const Port behind = back ? on.line.away() : on.line.towards(),
             ahead = back ? on.line.towards() : on.line.away();
  for (int k = 0; k < p; ++k) {
    const int place = back ? p - 1 - k : k, beyond = (p - 1 - place) * words;  // in the stream's order
    const int in = first + 1 - place % 2, out = first + place % 2;
    auto& t = on.r.thread(on.line.tile_x(k), on.line.tile_y(k));
    if (place + 1 < p) on.line.route(k, out, Port::ramp, ahead);
    if (place > 0) on.line.route(k, in, behind, Port::ramp);
    std::vector<float> own;
    for (int to = p - 1; to > place; --to) append(own, part_of(k, back ? p - 1 - to : to, words));
    t.send(out, own);
    for (int from = place - 1; from >= 0; --from) {
      t.hold(std::vector<float>(static_cast<std::size_t>(beyond), 0.0f));
      t.receive_add_send(in, beyond, out);
      t.receive(in, words);
    }
  }
}

TEST(Transpose, BringsEveryTileAPartOfEveryOther) {
  for (const bool column : {false, true})
    for (const auto& [tiles, words] : {std::pair{2, 3}, {5, 1}, {12, 2}, {16, 8}, {16, 32}, {24, 8}}) {
      OnLine on(tiles, column);
      program_transpose(on, words, 0, false);
      program_transpose(on, words, 2, true);
      const Transpose pattern(column ? Axis::column : Axis::row, words);
      const double simulated = static_cast<double>(on.r.run()),
                   rule = static_cast<double>(pattern.cycles(fabric, on.grid));
      EXPECT_NEAR(rule, simulated, simulated / 6.0 + 12) << tiles << " tiles, " << words << " words";
      on.expect(pattern, "transpose");
      std::vector<float> values, expected;
      for (int k = 0; k < tiles; ++k)
        for (int to = 0; to < tiles; ++to)
          append(values, part_of(k, to, words)), append(expected, part_of(to, k, words));
      EXPECT_EQ(pattern.move(alone(), Blocks(alone(), on.grid), values), expected);
      // In the simulator a tile has what it passed on too: its own parts stand among it.
      for (int k = 0; k < tiles; ++k) {
        std::multiset<float> got;
        for (const int thread : {0, 1}) {
          const auto& words_there = on.r.received(on.line.tile_x(k), on.line.tile_y(k), thread);
          got.insert(words_there.begin(), words_there.end());
        }
        for (int from = 0; from < tiles; ++from)
          for (const float v : part_of(from, k, words))
            if (from != k) {
              EXPECT_GT(got.count(v), 0u) << from << " to " << k;
            }
      }
    }
}

TEST(LineTransfers, OfALoneTileTakeNothing) {
  const TileGrid column{1, 4, {false, false}};
  EXPECT_EQ(Gather(Axis::row, 5).cycles(fabric, column), 0);
  EXPECT_EQ(Scatter(Axis::row, 5).cycles(fabric, column), 0);
  EXPECT_EQ(Transpose(Axis::row, 5).cycles(fabric, column), 0);
  EXPECT_GT(Transpose(Axis::column, 5).cycles(fabric, column), 0);
}

TEST(Shift, CarriesEveryTilesWordsOneTileOnAlsoRoundARing) {
  for (const Link link : {Link::north, Link::east, Link::south, Link::west})
    for (const bool ring : {false, true}) {
      const TileGrid grid{5, 4, {ring, ring}};
      const Blocks blocks(alone(), grid);
      const BorderExchange border(alone(), blocks, 1);
      std::vector<float> field(border.border().size() * 2, -1.0f);
      const auto at = [&](int x, int y) { return 2 * border.border().index(x, y); };
      for (int y = 0; y < 4; ++y)
        for (int x = 0; x < 5; ++x) field[at(x, y)] = field[at(x, y) + 1] = static_cast<float>(10 * x + y);
      const Shift shift(link, 2);
      shift.move(border, field);
      const int dx = link == Link::east   ? 1
                     : link == Link::west ? -1
                                          : 0,
                dy = link == Link::south   ? 1
                     : link == Link::north ? -1
                                           : 0;
      for (int y = 0; y < 4; ++y)
        for (int x = 0; x < 5; ++x) {
          const int from_x = x - dx, from_y = y - dy;
          const bool inside = 0 <= from_x && from_x < 5 && 0 <= from_y && from_y < 4;
          const float expected =
              inside || ring ? static_cast<float>(10 * ((from_x + 5) % 5) + (from_y + 4) % 4) : -1.0f;
          EXPECT_EQ(field[at(x, y) + 1], expected) << x << ", " << y << ", link " << static_cast<int>(link);
        }
      LinkWords counted(alone(), blocks);
      shift.add_words(fabric, 3, counted);
      std::int64_t sum = 0;
      for (const std::int64_t words : counted.of(link)) sum += words;
      EXPECT_EQ(sum, 3 * 2 * (ring ? 20 : dx != 0 ? 16 : 15));
    }
}

TEST(Shift, TakesTheRulesCyclesAndColors) {
  for (const auto& [tiles, words] : {std::pair{2, 1}, {9, 30}}) {
    RouterReference r(fabric, tiles, 1);
    for (int k = 0; k < tiles; ++k) {
      if (k + 1 < tiles) {
        r.route(k, 0, k % 2, {{Port::ramp, {Port::east}}});
        r.thread(k, 0).send(k % 2, values_of(k, words));
      }
      if (k > 0) {
        r.route(k, 0, 1 - k % 2, {{Port::west, {Port::ramp}}});
        r.thread(k, 0).receive(1 - k % 2, words);
      }
    }
    const TileGrid grid{tiles, 1, {false, false}};
    const Shift shift(Link::east, words);
    EXPECT_EQ(r.run(), shift.cycles(fabric, grid));
    expect_uses(r, {"shift", {0, 0, tiles, 1}, shift.colors(grid, 0)}, tiles > 2);
    LinkWords counted(alone(), one_block(tiles, 1));
    shift.add_words(fabric, 1, counted);
    expect_words(r, tiles, 1, counted);
  }
}

}  // namespace

// The marching multicast, role by role, in the word-level simulator.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "line_programs.hpp"
#include "wse_emulator/fabric/marching_multicast.hpp"
#include "wse_emulator/fabric/star_exchange.hpp"

using namespace wafermark::wse;

namespace {

/// What the head's command wavelet does: itself becomes a tail, the next tile the head, the tail a body; the
/// bodies between stay.
std::vector<SwitchCommand> march(int b) {
  if (b < 3) return {{true, b + 1}};
  return {{true, 2}, {false, b - 2}, {true, 1}};
}

/// One stream of a stage along a line, away from place 0 or (`back`) towards it. A color's switch has the
/// positions body, head and tail.
void program_stream_routes(const Line& line, int b, int color, bool back) {
  const Port behind = back ? line.away() : line.towards(), ahead = back ? line.towards() : line.away();
  for (int k = 0; k < line.tiles; ++k) {
    const int place = back ? line.tiles - 1 - k : k, strip = place % (b + 1);  // 0: head, b: tail
    const bool last = place == line.tiles - 1;
    const Route body{behind, last ? std::vector{Port::ramp} : std::vector{Port::ramp, ahead}},
        head{Port::ramp, last ? std::vector<Port>{} : std::vector{ahead}}, tail{behind, {Port::ramp}};
    const int x = line.tile_x(k), y = line.tile_y(k);
    if (b == 1)
      line.r.route(x, y, color, {head, tail}, strip == 0 ? 0 : 1);
    else
      line.r.route(x, y, color, {body, head, tail}, strip == 0 ? 1 : strip == b ? 2 : 0);
  }
}

/// One stage along a row. Color 0 flows east and its heads march east, color 1 the other way round.
struct Stage {
  RouterReference r;
  int tiles, b, words;

  Stage(const FabricTiming& fabric, int tiles_, int b_, int words_,
        const std::vector<std::int64_t>& starts = {})
      : r(fabric, tiles_, 1), tiles(tiles_), b(b_), words(words_) {
    for (int color = 0; color < 2; ++color) program_stream_routes({r, tiles}, b, color, color == 1);
    for (int x = 0; x < tiles; ++x)
      for (int color = 0; color < 2; ++color) {
        const int place = color == 0 ? x : tiles - 1 - x;
        auto& sender = r.thread(x, 0);
        auto& receiver = r.thread(x, 0);
        if (!starts.empty()) {
          sender.wait_until(starts[static_cast<std::size_t>(x)]);
          receiver.wait_until(starts[static_cast<std::size_t>(x)]);
        }
        sender.send(color, values_of(x, words)).send_control(color, march(b));
        receiver.receive(color, std::min(place, b) * words);
      }
  }
};

/// What goes along the columns in the second stage.
enum class Down { what_rows_brought, own_words };

/// Both stages over a square of tiles: colors 0 and 1 along the rows, 2 and 3 along the columns.
struct Square {
  RouterReference r;
  int side, b, words;

  std::vector<float> values(int x, int y) const { return values_of(x + side * y, words); }
  /// Words of the tiles of a row within b, the tile's own first.
  std::vector<float> row(int x, int y) const {
    std::vector<float> all = values(x, y);
    for (int k = std::max(0, x - b); k <= std::min(side - 1, x + b); ++k) {
      const auto more = values(k, y);
      if (k != x) all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }

  Square(const FabricTiming& fabric, int side_, int b_, int words_, Down down = Down::what_rows_brought)
      : r(fabric, side_, side_), side(side_), b(b_), words(words_) {
    for (int k = 0; k < side; ++k)
      for (int color = 0; color < 2; ++color) {
        program_stream_routes({r, side, false, 0, k}, b, color, color == 1);
        program_stream_routes({r, side, true, k, 0}, b, 2 + color, color == 1);
      }
    const auto before = [&](int at, bool back) { return std::min(back ? side - 1 - at : at, b); };
    for (int y = 0; y < side; ++y)
      for (int x = 0; x < side; ++x) {
        for (int color = 0; color < 2; ++color) {
          r.thread(x, y).send(color, values(x, y)).send_control(color, march(b));
          r.thread(x, y).receive(color, before(x, color == 1) * words);
        }
        // What the rows brought goes along the columns when it is there.
        const auto all = down == Down::own_words ? values(x, y) : row(x, y);
        for (int color = 2; color < 4; ++color) {
          r.thread(x, y).wait_for_thread(1).wait_for_thread(3).send(color, all).send_control(color, march(b));
          r.thread(x, y).receive(color, before(y, color == 3) * static_cast<int>(all.size()));
        }
      }
  }
};

TEST(MarchingMulticast, EveryTileGetsTheWordsOfAllTilesWithinB) {
  Stage s(FabricTiming{}, 24, 3, 5);
  s.r.run();
  for (int x = 0; x < 24; ++x) {
    std::multiset<float> west, east;
    for (int d = 1; d <= 3; ++d) {
      for (const float v : values_of(x - d, 5))
        if (x - d >= 0) west.insert(v);
      for (const float v : values_of(x + d, 5))
        if (x + d < 24) east.insert(v);
    }
    const auto &from_west = s.r.received(x, 0, 1), &from_east = s.r.received(x, 0, 3);
    EXPECT_EQ(std::multiset<float>(from_west.begin(), from_west.end()), west) << x;
    EXPECT_EQ(std::multiset<float>(from_east.begin(), from_east.end()), east) << x;
  }
}

TEST(MarchingMulticast, BothStagesBringTheSquareWithinBInTheRulesCyclesWithinTen) {
  const FabricTiming fabric;
  for (const auto& [side, b, words] :
       {std::array{12, 2, 3}, {20, 4, 1}, {20, 4, 3}, {32, 7, 1}, {32, 7, 3}}) {
    Square s(fabric, side, b, words);
    const std::int64_t simulated = s.r.run(), rule = marching_multicast_cycles(fabric, b, words);
    EXPECT_LE(std::abs(rule - simulated), 10) << "b " << b << ", " << words << " words: " << simulated;
    expect_uses(s.r, marching_multicast_use("square", {0, 0, side, side}, 0));
    LinkWords counted(alone(), one_block(side, side));
    MarchingMulticast(b, words).add_words(fabric, 1, counted);
    expect_words(s.r, side, side, counted);
    for (int y = 0; y < side; y += 3)
      for (int x = 0; x < side; x += 3) {
        std::multiset<float> expected, got;
        for (int j = std::max(0, y - b); j <= std::min(side - 1, y + b); ++j)
          for (int i = std::max(0, x - b); i <= std::min(side - 1, x + b); ++i)
            if (i != x || j != y)
              for (const float v : s.values(i, j)) expected.insert(v);
        for (const int thread : {1, 3, 5, 7}) {
          const auto& part = s.r.received(x, y, thread);
          got.insert(part.begin(), part.end());
        }
        EXPECT_EQ(got, expected) << "tile " << x << ", " << y;
      }
  }
}

TEST(StarExchange, BringsTheWordsOfTheTilesAlongBothAxes) {
  const FabricTiming fabric;
  for (const auto& [side, b, words] : {std::array{8, 1, 20}, {15, 4, 1}, {15, 4, 12}}) {
    Square s(fabric, side, b, words, Down::own_words);
    const StarExchange pattern(b, words);
    const TileGrid grid{side, side, {false, false}};
    const std::int64_t simulated = s.r.run(), rule = pattern.cycles(fabric, grid);
    EXPECT_LE(std::abs(rule - simulated), 10) << "b " << b << ", " << words << " words: " << simulated;
    expect_uses(s.r, {"star", {0, 0, side, side}, pattern.colors(grid, 0)});
    LinkWords counted(alone(), one_block(side, side));
    pattern.add_words(fabric, 1, counted);
    expect_words(s.r, side, side, counted);
    for (int y = 0; y < side; ++y)
      for (int x = 0; x < side; ++x) {
        std::multiset<float> expected, got;
        for (int d = -b; d <= b; ++d)
          for (const auto& [i, j] : {std::pair{x + d, y}, {x, y + d}})
            if (d != 0 && 0 <= i && i < side && 0 <= j && j < side)
              for (const float v : s.values(i, j)) expected.insert(v);
        for (const int thread : {1, 3, 5, 7}) {
          const auto& part = s.r.received(x, y, thread);
          got.insert(part.begin(), part.end());
        }
        EXPECT_EQ(got, expected) << "tile " << x << ", " << y;
      }
  }
}

TEST(MarchingMulticast, StageTakesTheRulesCyclesWithinFive) {
  for (const int ramp : {2, 4})
    for (const int b : {1, 2, 4, 7})
      for (const int words : {1, 2, 3, 4, 9, 15, 27, 45}) {
        FabricTiming fabric;
        fabric.ramp_cycles = ramp;
        const std::int64_t simulated = Stage(fabric, 4 * (b + 1), b, words).r.run();
        const std::int64_t rule = marching_stage_cycles(fabric, b, words);
        EXPECT_LE(std::abs(rule - simulated), 5) << "b " << b << ", " << words << " words: " << simulated;
      }
}

TEST(MarchingMulticast, SlowerLinksCostWhatTheRuleSays) {
  FabricTiming slow;
  slow.hop_cycles = 2;
  for (const int b : {2, 4, 7})
    for (const int words : {3, 9, 27}) {
      const double simulated = static_cast<double>(Stage(slow, 4 * (b + 1), b, words).r.run());
      EXPECT_NEAR(static_cast<double>(marching_stage_cycles(slow, b, words)), simulated,
                  0.02 * simulated + 4);
    }
}

TEST(MarchingMulticast, LateTilesDelayOnlyThoseWithinTwiceB) {
  std::mt19937 random(3);
  const FabricTiming fabric;
  for (int trial = 0; trial < 20; ++trial) {
    const int b = 1 + trial % 4, words = 6, tiles = 10 * (b + 1);
    std::vector<std::int64_t> starts(static_cast<std::size_t>(tiles));
    for (auto& s : starts) s = std::uniform_int_distribution<int>(0, 400)(random);
    Stage stage(fabric, tiles, b, words, starts);
    stage.r.run();
    for (int x = 0; x < tiles; ++x) {
      const auto first = starts.begin() + std::max(0, x - 2 * b),
                 last = starts.begin() + std::min(tiles, x + 2 * b + 1);
      EXPECT_LE(stage.r.finished(x, 0),
                *std::max_element(first, last) + marching_stage_cycles(fabric, b, words) + 5)
          << "tile " << x << ", b " << b;
    }
  }
}

}  // namespace

// The marching multicast, role by role, in the word-level simulator.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "line_programs.hpp"
#include "wse_emulator/fabric/marching_multicast.hpp"

using namespace wafermark::wse;

namespace {

/// One stage along a row. Color 0 flows east and its heads march east, color 1 the other way round.
struct Stage {
  RouterReference r;
  int tiles, b, words;

  Stage(const FabricTiming& fabric, int tiles_, int b_, int words_,
        const std::vector<std::int64_t>& starts = {})
      : r(fabric, tiles_, 1), tiles(tiles_), b(b_), words(words_) {
    for (int x = 0; x < tiles; ++x)
      for (int color = 0; color < 2; ++color) {
        // Seen by the stream: place along it, and what lies ahead.
        const int place = color == 0 ? x : tiles - 1 - x;
        const Port back = color == 0 ? Port::west : Port::east, ahead = color == 0 ? Port::east : Port::west;
        const bool last = place == tiles - 1;
        std::vector<Route> roles;
        for (int phase = 0; phase <= b; ++phase) {
          const int strip = (place - phase % (b + 1) + (b + 1)) % (b + 1);  // 0: head, b: tail
          if (strip == 0)
            roles.push_back({Port::ramp, last ? std::vector<Port>{} : std::vector<Port>{ahead}});
          else if (strip == b || last)
            roles.push_back({back, {Port::ramp}});
          else
            roles.push_back({back, {Port::ramp, ahead}});
        }
        r.route(x, 0, color, roles);
        auto& sender = r.thread(x, 0);
        auto& receiver = r.thread(x, 0);
        if (!starts.empty()) {
          sender.wait_until(starts[static_cast<std::size_t>(x)]);
          receiver.wait_until(starts[static_cast<std::size_t>(x)]);
        }
        sender.send(color, values_of(x, words)).send_control(color);
        const int before = std::min(place, b);
        receiver.receive(color, before * words);
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

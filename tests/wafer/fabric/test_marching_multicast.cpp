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

  Stage(const FabricTiming& fabric, int tiles_, int b_, int words_, const std::vector<std::int64_t>& starts = {})
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

TEST(MarchingMulticast, PrintsItsCycles) {
  for (const int b : {1, 2, 4, 7})
    for (const int words : {1, 3, 27, 45}) {
      Stage s(FabricTiming{}, 8 * (b + 1), b, words);
      std::cout << "b " << b << " words " << words << " simulated " << s.r.run() << " rule "
                << marching_stage_cycles(FabricTiming{}, b, words) << "\n";
    }
}

}  // namespace

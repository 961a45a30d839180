// Words from layer to layer, leg by leg, in the word-level simulator.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "line_programs.hpp"
#include "wse_emulator/fabric/layer_shift.hpp"
#include "wse_emulator/panels.hpp"

using namespace wafermark::wse;

namespace {

/// What the head's command wavelet does: itself becomes a tail, the next tile the head, the tail a body.
std::vector<SwitchCommand> march(int leg) {
  if (leg < 3) return {{true, leg + 1}};
  if (leg - 2 <= most_routers_of_a_command) return {{true, 2}, {false, leg - 2}, {true, 1}};
  return {
      {true, 2}, {false, most_routers_of_a_command}, {false, leg - 2 - most_routers_of_a_command}, {true, 1}};
}

/// A line of panels: words of all tiles but the last panel's go to the next panel; `back`: of all but the
/// first's to the one before.
struct ShiftedLine {
  Line line;
  int panels, of_panel;
  bool back;
  int color, words;

  int place_of(int k) const { return back ? line.tiles - 1 - k : k; }
  /// Words of the tile at the k-th place, counted along the stream.
  std::vector<float> values(int k) const {
    return values_of(line.tile_x(place_of(k)) + 100 * line.tile_y(place_of(k)), words);
  }
  void program() const {
    const int legs = legs_between_panels(of_panel), leg = of_panel / legs, senders = (panels - 1) * of_panel;
    const Port behind = back ? line.away() : line.towards(), ahead = back ? line.towards() : line.away();
    for (int k = 0; k < line.tiles; ++k) {
      const int x = line.tile_x(place_of(k)), y = line.tile_y(place_of(k)), strip = k % (leg + 1);
      const bool last = k == line.tiles - 1;
      const Route body{behind, last ? std::vector<Port>{} : std::vector{ahead}},
          head{Port::ramp, last ? std::vector<Port>{} : std::vector{ahead}}, tail{behind, {Port::ramp}};
      // No strip lies before the first: its first tile stays the head, and nobody makes those behind it
      // tails.
      if (k == 0)
        line.r.route(x, y, color, {head});
      else if (k < leg)
        line.r.route(x, y, color, {body, head});
      else if (leg == 1)
        line.r.route(x, y, color, {head, tail}, strip == 0 ? 0 : 1);
      else
        line.r.route(x, y, color, {body, head, tail}, strip == 0 ? 1 : strip == leg ? 2 : 0);
      int last_sender = -1, last_receiver = -1, number = threads_of(x, y);
      for (int j = 0; j < legs; ++j) {
        const bool sends = j * leg <= k && k < j * leg + senders,
                   receives = (j + 1) * leg <= k && k < (j + 1) * leg + senders;
        auto& sender = line.r.thread(x, y);
        if (last_sender >= 0) sender.wait_for_thread(last_sender);
        if (last_receiver >= 0) sender.wait_for_thread(last_receiver);
        if (sends) sender.send(color, values(k - j * leg));
        sender.send_control(color, march(leg));
        auto& receiver = line.r.thread(x, y);
        if (last_receiver >= 0) receiver.wait_for_thread(last_receiver);
        if (receives) receiver.receive(color, words);
        last_sender = number++;
        last_receiver = number++;
      }
      count(x, y) = number;
    }
  }
  /// How many threads a tile has, by all lines.
  std::map<std::array<int, 2>, int>* threads;
  int& count(int x, int y) const { return (*threads)[{x, y}]; }
  int threads_of(int x, int y) const { return count(x, y); }
  /// The number of the thread with which the tile at the k-th place received its last words.
  std::vector<float> received(int k, int number) const {
    return line.r.received(line.tile_x(place_of(k)), line.tile_y(place_of(k)), number);
  }
};

TEST(LayerShift, BringsEveryTilesWordsToItsPlaceInTheLayersBesideInTheRulesCycles) {
  const FabricTiming fabric;
  for (const auto& [tiles, panels, words] :
       {std::array{1, 3, 3}, {2, 3, 2}, {5, 2, 3}, {7, 4, 1}, {20, 3, 3}, {32, 3, 1}, {40, 3, 3}}) {
    RouterReference r(fabric, tiles * panels, 1);
    std::map<std::array<int, 2>, int> threads;
    std::vector<ShiftedLine> lines;
    for (const bool back : {false, true})
      lines.push_back({{r, tiles * panels}, panels, tiles, back, back ? 1 : 0, words, &threads});
    for (const auto& line : lines) line.program();
    const std::int64_t simulated = r.run();

    TileGrid grid{tiles, panels, {false, false}};
    for (int k = 0; k < panels; ++k) grid.panels.push_back({k, 0});
    const LayerShift shift(grid, words);
    const int legs = legs_between_panels(tiles);
    // Legs overlap, and at the ends of the line fewer tiles send: the rule is up to 10 cycles a leg more.
    const std::int64_t rule = shift.cycles(fabric, grid);
    EXPECT_GE(rule, simulated - 2) << tiles << " tiles, " << words << " words";
    EXPECT_LE(rule, simulated + 10 * legs) << tiles << " tiles, " << words << " words";
    for (const auto& line : lines)
      for (int k = tiles; k < tiles * panels; ++k) {
        const int number = (line.back ? 2 * legs : 0) + 2 * legs - 1;  // a sender and a receiver a leg
        EXPECT_EQ(line.received(k, number), line.values(k - tiles)) << "place " << k;
      }
    LinkWords counted(alone(), Blocks(alone(), grid));
    shift.add_words(fabric, 1, counted);
    for (const Link link : {Link::north, Link::east, Link::south, Link::west})
      for (int k = 0; k < tiles * panels; ++k) {
        std::int64_t went = 0;
        for (int color = 0; color < 2; ++color) went += r.words(k, 0, color, static_cast<Port>(link));
        EXPECT_EQ(counted.of(link)[static_cast<std::size_t>(k / tiles * tiles + k % tiles)], went)
            << "link " << static_cast<int>(link) << " of place " << k << ", " << tiles << " tiles";
      }
  }
}

TEST(LayerShift, GoesRoundACornerWithoutTwoStreamsOnALink) {
  const FabricTiming fabric;
  const int w = 4, h = 3, words = 3;
  TileGrid grid{w, 3 * h, {false, false}};
  grid.panels = {{0, 0}, {1, 0}, {1, 1}};
  RouterReference r(fabric, 2 * w, 2 * h);
  std::map<std::array<int, 2>, int> threads;
  for (const bool back : {false, true}) {
    for (int y = 0; y < h; ++y)
      ShiftedLine{{r, 2 * w, false, 0, y}, 2, w, back, back ? 1 : 0, words, &threads}.program();
    for (int x = w; x < 2 * w; ++x)
      ShiftedLine{{r, 2 * h, true, x, 0}, 2, h, back, back ? 3 : 2, words, &threads}.program();
  }
  const std::int64_t simulated = r.run();
  const LayerShift shift(grid, words);
  EXPECT_LE(std::abs(shift.cycles(fabric, grid) - simulated), 8);
  PatternUse use{"shift", {0, 0, 2 * w, 2 * h}, shift.colors(grid, 0)};
  expect_uses(r, use);
  LinkWords counted(alone(), Blocks(alone(), grid));
  shift.add_words(fabric, 1, counted);
  for (const Link link : {Link::north, Link::east, Link::south, Link::west})
    for (int y = 0; y < 3 * h; ++y)
      for (int x = 0; x < w; ++x) {
        const auto at = grid.place(x, y);
        std::int64_t went = 0;
        for (int color = 0; color < 4; ++color) went += r.words(at[0], at[1], color, static_cast<Port>(link));
        EXPECT_EQ(counted.of(link)[static_cast<std::size_t>(y * w + x)], went)
            << "link " << static_cast<int>(link) << " of tile (" << at[0] << ", " << at[1] << ")";
      }
}

TEST(LayerShift, CountsTheHopsOfIdleTilesBetweenPanels) {
  // 67 tiles take three legs of 23: two tiles stay idle.
  TileGrid grid{67, 2, {false, false}};
  grid.panels = {{0, 0}, {1, 0}};
  EXPECT_EQ(panel_pitch(67), 69);
  EXPECT_EQ(grid.extent()[0], 69 + 67);
  LinkWords counted(alone(), Blocks(alone(), grid));
  LayerShift(grid, 3).add_words(FabricTiming{}, 1, counted);
  // Each way: 67 tiles' three words over 69 links; commands from all 136 places over up to 23 links, three
  // times.
  std::int64_t commands = 0;
  for (int u = 0; u + 1 < 69 + 67; ++u) commands += 3 * std::min(23, u + 1);
  EXPECT_EQ(counted.word_hops(), 2 * (67 * 69 * 3 + commands));
}

TEST(Panels, LieBesideEachOtherAndEndBesideTheFirstOnARing) {
  for (const bool ring : {false, true})
    for (int across = 1; across <= 6; ++across)
      for (int down = 1; down <= 6; ++down)
        for (int panels = 2; panels <= across * down; ++panels) {
          const auto path = path_of_panels(panels, across, down, ring);
          const bool even = across % 2 == 0 || down % 2 == 0, all = panels == across * down;
          ASSERT_TRUE(path || (ring && !(all && even && across > 1 && down > 1)));
          if (!path) continue;
          ASSERT_EQ(path->size(), static_cast<std::size_t>(panels));
          std::set<std::array<int, 2>> places;
          for (std::size_t k = 0; k < path->size(); ++k) {
            const auto& at = (*path)[k];
            EXPECT_TRUE(at[0] >= 0 && at[0] < across && at[1] >= 0 && at[1] < down);
            places.insert(at);
            if (k + 1 == path->size() && !ring) continue;
            const auto& next = (*path)[(k + 1) % path->size()];
            EXPECT_EQ(std::abs(at[0] - next[0]) + std::abs(at[1] - next[1]), 1)
                << panels << " on " << across << " x " << down;
          }
          EXPECT_EQ(places.size(), path->size());
        }
  EXPECT_FALSE(path_of_panels(5, 4, 4, true));
  EXPECT_FALSE(path_of_panels(5, 2, 2, false));
}

}  // namespace

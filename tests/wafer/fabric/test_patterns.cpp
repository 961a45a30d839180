// What patterns say of themselves, against words followed one by one.
#include <gtest/gtest.h>

#include <map>

#include "common/errors.hpp"
#include "line_programs.hpp"
#include "wse_emulator/fabric/marching_multicast.hpp"
#include "wse_emulator/fabric/messages.hpp"
#include "wse_emulator/tile_clocks.hpp"

using namespace wafermark::wse;
using wafermark::Communicator;

namespace {

/// Words by link, as a list of paths gives them.
class Followed {
 public:
  explicit Followed(const TileGrid& grid) : grid_(grid) {}
  /// So many words leave a tile by a link.
  void cross(int x, int y, Link link, std::int64_t words) { words_[{x, y, static_cast<int>(link)}] += words; }
  void expect_equal(const LinkWords& counted, const std::string& what) const {
    for (const Link link : {Link::north, Link::east, Link::south, Link::west})
      for (int y = 0; y < grid_.height; ++y)
        for (int x = 0; x < grid_.width; ++x) {
          const auto there = words_.find({x, y, static_cast<int>(link)});
          ASSERT_EQ(counted.of(link)[static_cast<std::size_t>(y * grid_.width + x)],
                    there == words_.end() ? 0 : there->second)
              << what << ": tile " << x << ", " << y << ", link " << static_cast<int>(link);
        }
  }

 private:
  TileGrid grid_;
  std::map<std::array<int, 3>, std::int64_t> words_;
};

struct Way {
  Link link;
  int dx, dy;
};
constexpr Way ways[] = {{Link::east, 1, 0}, {Link::west, -1, 0}, {Link::south, 0, 1}, {Link::north, 0, -1}};

/// Follows one sender's words to the tiles of its place in the b patches ahead, and none further than the
/// last of them.
void follow(const TileGrid& g, int x, int y, const Way& way, int b, std::int64_t words, Followed& followed) {
  int last = 0;
  for (int k = 1; k <= b; ++k) {
    const int at_x = x + k * g.patch * way.dx, at_y = y + k * g.patch * way.dy;
    if (g.ring[way.dx != 0 ? 0 : 1] || (0 <= at_x && at_x < g.width && 0 <= at_y && at_y < g.height))
      last = k * g.patch;
  }
  for (int s = 0; s < last; ++s)
    followed.cross((x + s * way.dx + g.width * b) % g.width, (y + s * way.dy + g.height * b) % g.height,
                   way.link, words);
}

/// Patches within b of a tile's, on one side of its row.
int heard(const TileGrid& g, int x, int b, int side) {
  if (g.ring[0]) return b;
  const int patch = x / g.patch;
  return side < 0 ? std::min(b, patch) : std::min(b, g.width / g.patch - 1 - patch);
}

TEST(MarchingMulticast, CountsTheWordsOfEverySenderOnEveryLink) {
  for (const int patch : {1, 2})
    for (const bool ring : {false, true})
      for (const int b : {1, 2, 3}) {
        const TileGrid g{patch * 9, patch * 8, {ring, ring}, patch};
        const int words = 3;
        Followed followed(g);
        for (int y = 0; y < g.height; ++y)
          for (int x = 0; x < g.width; ++x)
            for (const Way& way : ways) {
              // Of a patch, the tile whose place comes first along the stream sends, and only those listen.
              const int along = way.dx != 0 ? x : y;
              const bool back = way.dx + way.dy < 0;
              if (along % patch != (back ? patch - 1 : 0)) continue;
              std::int64_t load = words;
              if (way.dy != 0) {
                const int west = heard(g, x, b, -1), east = heard(g, x, b, 1);
                load *= 1 + (patch == 1 ? west + east : x % 2 == 0 ? west : east);
              }
              follow(g, x, y, way, b, load + 1, followed);
            }
        LinkWords counted(alone(), Blocks(alone(), g));
        MarchingMulticast(b, words).add_words(FabricTiming{}, 1, counted);
        followed.expect_equal(counted, "patch " + std::to_string(patch) + ", b " + std::to_string(b));
      }
}

TEST(MarchingMulticast, OfPatchesIsTheRuleOfOneStreamOverTwiceTheHops) {
  const FabricTiming f;
  const TileGrid g{40, 40, {false, false}, 2};
  EXPECT_EQ(MarchingMulticast(4, 3).cycles(f, g),
            marching_stage_cycles(f, 4, 3, 2, 1) + marching_stage_cycles(f, 4, 5 * 3, 2, 1));
  EXPECT_EQ(MarchingMulticast(4, 3).cycles(f, {20, 20, {false, false}, 1}),
            marching_multicast_cycles(f, 4, 3));
}

TEST(ReverseMulticast, CarriesWhatTheForwardOneCarriesTheOtherWay) {
  for (const bool ring : {false, true}) {
    const TileGrid g{9, 8, {ring, ring}};
    const int b = 2;
    LinkWords forward(alone(), Blocks(alone(), g)), back(alone(), Blocks(alone(), g));
    MarchingMulticast(b, 3).add_words(FabricTiming{}, 1, forward);
    ReverseMulticast(b, 3).add_words(FabricTiming{}, 1, back);
    const auto at = [&](const LinkWords& w, Link link, int x, int y) {
      return w.of(link)[static_cast<std::size_t>(y * g.width + x)];
    };
    for (int y = 0; y < g.height; ++y)
      for (int x = 0; x < g.width; ++x)
        if (ring || x + 1 < g.width) {
          EXPECT_EQ(at(back, Link::east, x, y), at(forward, Link::west, (x + 1) % g.width, y));
        }
    for (int y = 0; y + 1 < g.height; ++y)
      for (int x = 0; x < g.width; ++x) {
        EXPECT_EQ(at(back, Link::south, x, y), at(forward, Link::north, x, y + 1));
        EXPECT_EQ(at(back, Link::north, x, y), 0);
      }
  }
}

TEST(PatchSum, SendsThreeTimesInAndThreeTimesOut) {
  const TileGrid g{4, 4, {false, false}, 2};
  LinkWords counted(alone(), Blocks(alone(), g));
  PatchSum(3, 5).add_words(FabricTiming{}, 2, counted);
  EXPECT_EQ(counted.word_hops(), 4 * 2 * (3 * 3 + 3 * 5));
  Followed followed(g);
  for (const int y : {0, 2})
    for (const int x : {0, 2}) {
      for (const int row : {y, y + 1}) {
        followed.cross(x + 1, row, Link::west, 6);
        followed.cross(x, row, Link::east, 10);
      }
      followed.cross(x, y + 1, Link::north, 6);
      followed.cross(x, y, Link::south, 10);
    }
  followed.expect_equal(counted, "patches");
}

TEST(Messages, GoAlongTheRowAndThenAlongTheColumnAlsoRoundARing) {
  const TileGrid g{6, 5, {true, false}};
  Messages messages(11, 8);
  messages.sent(5, 1, 2, -1);
  messages.sent(5, 1, 2, -1);
  messages.sent(0, 4, -1, 0);
  LinkWords counted(alone(), Blocks(alone(), g));
  messages.add_words(FabricTiming{}, 1, counted);
  Followed followed(g);
  followed.cross(5, 1, Link::east, 22);
  followed.cross(0, 1, Link::east, 22);
  followed.cross(1, 1, Link::north, 22);
  followed.cross(0, 4, Link::west, 11);
  followed.expect_equal(counted, "messages");
}

TEST(TileClocks, OfAPatchMoveTogetherAndNeighbourhoodsCountPatches) {
  const TileGrid g{12, 4, {false, false}, 2};
  TileClocks clocks(alone(), Blocks(alone(), g), 2);
  clocks[0] = 100;
  clocks.meet_patch(1);
  for (const std::size_t tile : {0u, 1u, 12u, 13u}) EXPECT_EQ(clocks[tile], 101);
  EXPECT_EQ(clocks[2], 1);
  clocks.meet_neighbourhood(2, 10);
  for (int x = 0; x < 12; ++x) EXPECT_EQ(clocks[static_cast<std::size_t>(x)], x / 2 <= 2 ? 111 : 11) << x;
}

TEST(Blocks, NeverCutAPatch) {
  // As three ranks would hold them.
  const TileGrid g{14, 10, {false, false}, 2};
  const Blocks whole(alone(), g);
  EXPECT_EQ(whole.of_patches().grid().width, 7);
  EXPECT_EQ(whole.of_patches().mine(), (Block{0, 0, 7, 5}));
  EXPECT_THROW(Blocks(alone(), TileGrid{2, 2, {false, false}, 2}, 2, 1), wafermark::InputError);
}

}  // namespace

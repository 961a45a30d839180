// Programs whose patterns would mix their words are rejected.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "wse_emulator/fabric/collisions.hpp"

using namespace wafermark::wse;
using testing::HasSubstr;
using testing::ThrowsMessage;

namespace {

const FabricTiming fabric;
const Block west{0, 0, 8, 8}, east{8, 0, 8, 8}, middle{6, 3, 4, 2};

TEST(Collisions, NeighboursInAProgramMayNotShareAColorOnALink) {
  const auto a = marching_multicast_use("positions", west, 0),
             b = marching_multicast_use("slopes", middle, 3);
  EXPECT_NO_THROW(reject_collisions(fabric, {a, marching_multicast_use("slopes", middle, 4)}));
  // Color 3 goes north in the one and east in the other.
  EXPECT_NO_THROW(reject_collisions(fabric, {a, b}));
  EXPECT_THAT(
      ([&] {
        reject_collisions(fabric, {a, marching_multicast_use("slopes", middle, 0)});
      }),
      ThrowsMessage<std::invalid_argument>(testing::AllOf(HasSubstr("eastern link of tile (6, 3): color 0"),
                                                          HasSubstr("'positions'"), HasSubstr("'slopes'"))));
}

TEST(Collisions, PatternsOfDifferentTilesMayUseTheSameColors) {
  EXPECT_NO_THROW(reject_collisions(
      fabric, {marching_multicast_use("a", west, 0), marching_multicast_use("b", east, 0)}));
}

TEST(Collisions, TheLastPatternMeetsTheFirstOfTheNextRound) {
  const auto at = [](const char* name, int first) { return marching_multicast_use(name, west, first); };
  EXPECT_NO_THROW(reject_collisions(fabric, {at("a", 0), at("b", 4), at("c", 8)}));
  EXPECT_NO_THROW(reject_collisions(fabric, {at("a", 0), at("b", 4), at("a again", 0), at("b again", 4)}));
  EXPECT_THAT(([&] {
                reject_collisions(fabric, {at("a", 0), at("b", 4), at("c", 0)});
              }),
              ThrowsMessage<std::invalid_argument>(testing::AllOf(HasSubstr("'c'"), HasSubstr("'a'"))));
}

TEST(Collisions, TheFabricHasOnlySoManyColors) {
  EXPECT_NO_THROW(reject_collisions(fabric, {all_reduce_use("sum", west, 15)}));
  EXPECT_THAT(([&] { reject_collisions(fabric, {all_reduce_use("sum", west, 16)}); }),
              ThrowsMessage<std::invalid_argument>(HasSubstr("'sum': found color 24, expected 0 to 23")));
}

}  // namespace

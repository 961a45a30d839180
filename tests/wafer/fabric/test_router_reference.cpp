#include <gtest/gtest.h>

#include "line_programs.hpp"

using namespace wafermark::wse;

namespace {

const FabricTiming fabric;

TEST(RouterReference, OneWordToTheNeighbourTakesRampHopAndRamp) {
  RouterReference r(fabric, 2, 1);
  program_broadcast(r, 2, 1);
  // Sent in cycle 0, taken in cycle 1 + T_R + hop + T_R, finished after it.
  EXPECT_EQ(r.run(), 1 + 2 * fabric.ramp_cycles + fabric.hop_cycles + 1);
  EXPECT_EQ(r.received(1, 0), values_of(0, 1));
  EXPECT_EQ(r.words(0, 0, 0, Port::east), 1);
}

TEST(RouterReference, SlowReceiverHoldsTheSenderBackAndLosesNothing) {
  RouterReference r(fabric, 2, 1);
  r.route(0, 0, 0, {{Port::ramp, {Port::east}}});
  r.route(1, 0, 0, {{Port::west, {Port::ramp}}});
  r.thread(0, 0).send(0, values_of(0, 100));
  r.thread(1, 0).wait_until(500).receive(0, 100);
  EXPECT_EQ(r.run(), 600);
  EXPECT_EQ(r.received(1, 0), values_of(0, 100));
  // The queues between them are far smaller than the message.
  EXPECT_GT(r.finished(0, 0), 500);
}

TEST(RouterReference, TwoColorsShareALinkWordByWord) {
  RouterReference r(fabric, 3, 1);
  for (int color = 0; color < 2; ++color) {
    r.route(0, 0, color, {{Port::ramp, {Port::east}}});
    r.route(1, 0, color, {{Port::west, {Port::east}}});
    r.route(2, 0, color, {{Port::west, {Port::ramp}}});
    r.thread(0, 0).send(color, values_of(color, 50));
    r.thread(2, 0).receive(color, 50);
  }
  const std::int64_t cycles = r.run();
  EXPECT_GE(cycles, 100 + 2 + 2 * fabric.ramp_cycles);
  EXPECT_LE(cycles, 100 + 2 + 2 * fabric.ramp_cycles + 4);
  EXPECT_EQ(r.received(2, 0, 1), values_of(1, 50));
}

TEST(RouterReference, ControlWaveletMovesTheSwitchesThatItPasses) {
  RouterReference r(fabric, 3, 1);
  r.route(0, 0, 0, {{Port::ramp, {Port::east}}});
  r.route(1, 0, 0, {{Port::west, {Port::ramp}}, {Port::west, {Port::east}}});
  r.route(2, 0, 0, {{Port::west, {Port::ramp}}});
  r.thread(0, 0).send(0, {1.0f}).send_control(0).send(0, {2.0f});
  r.thread(1, 0).receive(0, 1);
  r.thread(2, 0).receive(0, 1);
  r.run();
  EXPECT_EQ(r.received(1, 0), std::vector<float>{1.0f});
  EXPECT_EQ(r.received(2, 0), std::vector<float>{2.0f});
}

TEST(RouterReference, ControlWaveletCommandsOneRouterAfterTheOther) {
  // The second router of three stays, so that what follows goes past the third's switch only.
  RouterReference r(fabric, 3, 1);
  r.route(0, 0, 0, {{Port::ramp, {Port::east}}});
  r.route(1, 0, 0, {{Port::west, {Port::ramp, Port::east}}, {Port::west, {Port::ramp}}});
  r.route(2, 0, 0, {{Port::west, {Port::ramp}}, {Port::west, {}}});
  r.thread(0, 0).send(0, {1.0f}).send_control(0, {{false, 2}, {true, 1}}).send(0, {2.0f});
  r.thread(1, 0).receive(0, 2);
  r.thread(2, 0).receive(0, 1);
  r.run();
  EXPECT_EQ(r.received(1, 0), (std::vector<float>{1.0f, 2.0f}));
  EXPECT_EQ(r.received(2, 0), std::vector<float>{1.0f});
}

TEST(RouterReference, SwitchesAndCommandsHaveTheRealFabricsLimits) {
  RouterReference r(fabric, 1, 1);
  EXPECT_NO_THROW(r.route(0, 0, 0, std::vector<Route>(4, {Port::ramp, {}})));
  EXPECT_THROW(r.route(0, 0, 0, std::vector<Route>(5, {Port::ramp, {}})), std::logic_error);
  EXPECT_THROW(r.thread(0, 0).send_control(0, std::vector<SwitchCommand>(5, {true, 1})), std::logic_error);
  EXPECT_THROW(r.thread(0, 0).send_control(0, {{true, 16}}), std::logic_error);
}

TEST(RouterReference, TwoTilesThatBothReceiveFirstAreADeadlockWithTheirNames) {
  RouterReference r(fabric, 2, 1);
  r.route(0, 0, 0, {{Port::ramp, {Port::east}}});
  r.route(1, 0, 0, {{Port::west, {Port::ramp}}});
  r.route(1, 0, 1, {{Port::ramp, {Port::west}}});
  r.route(0, 0, 1, {{Port::east, {Port::ramp}}});
  r.thread(0, 0).receive(1, 1).send(0, {1.0f});
  r.thread(1, 0).receive(0, 1).send(1, {1.0f});
  try {
    r.run();
    FAIL() << "nobody can move";
  } catch (const Deadlock& e) {
    EXPECT_NE(std::string(e.what()).find("tile (0, 0) waits to receive color 1"), std::string::npos)
        << e.what();
    EXPECT_NE(std::string(e.what()).find("tile (1, 0) waits to receive color 0"), std::string::npos)
        << e.what();
  }
}

TEST(RouterReference, CycleOfFullQueuesIsADeadlock) {
  // Four tiles in a ring send more words to the tile across than the queues hold, and read only when they
  // have sent all.
  RouterReference r(fabric, 2, 2);
  const int x[4] = {0, 1, 1, 0}, y[4] = {0, 0, 1, 1};
  const Port onward[4] = {Port::east, Port::south, Port::west, Port::north};
  for (int k = 0; k < 4; ++k) {
    const int next = (k + 1) % 4, after = (k + 2) % 4;
    r.route(x[k], y[k], k, {{Port::ramp, {onward[k]}}});
    r.route(x[next], y[next], k,
            {{static_cast<Port>((static_cast<int>(onward[k]) + 2) % 4), {onward[next]}}});
    r.route(x[after], y[after], k,
            {{static_cast<Port>((static_cast<int>(onward[next]) + 2) % 4), {Port::ramp}}});
    r.thread(x[k], y[k]).send(k, values_of(k, 60)).receive(after, 60);
  }
  EXPECT_THROW(r.run(), Deadlock);
}

}  // namespace

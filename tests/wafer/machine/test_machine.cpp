// Machine files, a tile's memory, and the clocks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/errors.hpp"
#include "wse_emulator/machine.hpp"
#include "wse_emulator/tile_clocks.hpp"
#include "wse_emulator/tile_memory.hpp"

using namespace wafermark;
using namespace wafermark::wse;
using testing::AllOf;
using testing::HasSubstr;

namespace {

const std::string wafers = WAFERMARK_SOURCE_DIR "/inputs/wafers/";

/// The message with which a machine file is refused whose text `from` is replaced by `to`.
std::string refusal(const std::string& from, const std::string& to) {
  std::ifstream in(wafers + "wse2.toml");
  std::stringstream text;
  text << in.rdbuf();
  std::string changed = text.str();
  const auto at = changed.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  changed.replace(at, from.size(), to);
  const auto path = std::filesystem::temp_directory_path() / "wafermark_test_machine.toml";
  std::ofstream(path) << changed;
  try {
    Machine::read(path.string());
  } catch (const InputError& e) {
    return e.what();
  }
  return "accepted";
}

TEST(MachineFile, ThoseThatShipAreReadAndEveryNumberHasItsSource) {
  for (const char* name : {"wse2.toml", "wse3.toml"}) {
    const Machine m = Machine::read(wafers + name);
    EXPECT_GT(std::int64_t{m.width} * m.height, 750000) << name;
    EXPECT_EQ(m.sram_bytes, 48 * 1024) << name;
    EXPECT_GT(m.quantities.size(), 25u);
    for (const auto& [key, q] : m.quantities) EXPECT_GT(q.source.size(), 5u) << key;
  }
  EXPECT_EQ(Machine::read(wafers + "wse2.toml").width, 769);
}

TEST(MachineFile, WithoutASourceOrAKnownKindIsRefusedByLine) {
  EXPECT_THAT(refusal(", source = \"Santos et al., SC24\"", ""),
              AllOf(HasSubstr("wafermark_test_machine.toml"), HasSubstr("grid.height.source")));
  EXPECT_THAT(refusal("kind = \"published\"", "kind = \"guessed\""),
              AllOf(HasSubstr("grid.width.kind"), HasSubstr("guessed")));
  EXPECT_THAT(refusal("value = 1044", "value = -1"), HasSubstr("grid.height.value"));
  EXPECT_THAT(refusal("colors ", "colours "), HasSubstr("colo"));
}

TEST(MachineFile, ThatIsNowhereIsRefusedWithThePlacesThatWereSearched) {
  EXPECT_THAT([] { Machine::find("wse99", "/some/folder"); },
              testing::ThrowsMessage<InputError>(AllOf(HasSubstr("wse99"), HasSubstr("/some/folder"))));
}

TEST(TileMemory, ChargesReleasesAndRemembersTheMost) {
  const Machine m = Machine::read(wafers + "wse2.toml");
  TileMemory memory(m);
  const std::int64_t program = memory.used();
  EXPECT_EQ(program, m.program_bytes);
  memory.allocate("a", 10000);
  memory.release("a");
  memory.allocate("b", 4000);
  EXPECT_EQ(memory.used(), program + 4000);
  EXPECT_EQ(memory.high_water(), program + 10000);
  EXPECT_THROW(memory.release("a"), std::logic_error);
  EXPECT_THAT(
      [&] { memory.allocate("tables", m.sram_bytes); },
      testing::ThrowsMessage<InputError>(AllOf(HasSubstr("tables"), HasSubstr("b "), HasSubstr("program"))));
}

TEST(TileClocks, WaitForTheLatestTileInReachAndForNoOther) {
  const Communicator alone(MPI_COMM_SELF);
  const Blocks blocks(alone, TileGrid{9, 5, {false, false}});
  TileClocks clocks(alone, blocks, 2);
  const auto at = [](int x, int y) { return static_cast<std::size_t>(y * 9 + x); };
  clocks[at(1, 1)] = 100;
  clocks.meet_neighbourhood(7);
  EXPECT_EQ(clocks[at(3, 3)], 107);
  EXPECT_EQ(clocks[at(0, 0)], 107);
  EXPECT_EQ(clocks[at(4, 1)], 7);
  EXPECT_EQ(clocks[at(1, 4)], 7);
  clocks.meet_all(3);
  EXPECT_EQ(clocks[at(8, 4)], 110);
  EXPECT_EQ(clocks.latest(), 110);
}

TEST(TileClocks, OnARingReachRoundItsEnd) {
  const Communicator alone(MPI_COMM_SELF);
  const Blocks blocks(alone, TileGrid{9, 5, {true, false}});
  TileClocks clocks(alone, blocks, 1);
  clocks[8] = 50;
  clocks.meet_neighbourhood(0);
  EXPECT_EQ(clocks[0], 50);
  EXPECT_EQ(clocks[1], 0);
}

}  // namespace

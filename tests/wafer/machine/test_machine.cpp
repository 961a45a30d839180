// Machine files, a tile's memory, and the clocks.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/errors.hpp"
#include "common/file_digest.hpp"
#include "wse_emulator/cost.hpp"
#include "wse_emulator/machine.hpp"
#include "wse_emulator/tile_clocks.hpp"
#include "wse_emulator/tile_memory.hpp"
#include "wse_emulator/whole_cycles.hpp"

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
  const auto folder =
      std::filesystem::temp_directory_path() / fmt::format("wafermark_machine_{}", ::getpid());
  std::filesystem::create_directories(folder);
  const auto path = folder / "wafermark_test_machine.toml";
  std::ofstream(path) << changed;
  std::string said = "accepted";
  try {
    Machine::read(path.string());
  } catch (const InputError& e) {
    said = e.what();
  }
  std::filesystem::remove_all(folder);
  return said;
}

TEST(MachineFile, ThoseThatShipAreReadAndEveryNumberHasItsSource) {
  for (const char* name : {"wse2.toml", "wse3.toml"}) {
    const Machine m = Machine::read(wafers + name);
    EXPECT_GT(std::int64_t{m.width} * m.height, 750000) << name;
    EXPECT_EQ(m.sram_bytes, 48 * 1024) << name;
    EXPECT_GT(m.quantities.size(), 25u);
    for (const auto& [key, q] : m.quantities) {
      EXPECT_GT(q.source.size(), 5u) << key;
      EXPECT_LE(q.low, q.value) << key;
      EXPECT_GE(q.high, q.value) << key;
      if (q.kind == "estimated") {
        EXPECT_LT(q.low, q.high) << key;
      }
    }
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

TEST(MachineFile, RangesHoldTheirValueAndLieInOrder) {
  for (const char* range :
       {"[1.18, 1.0]", "[1.10, 1.18]", "[1.0]", "[1.0, 1.1, 1.2]", "[-1, 2]", "[1, 1e9]", "1.0"})
    EXPECT_THAT(refusal("range = [1.0, 1.18]", std::string("range = ") + range),
                HasSubstr("core.vector_cycles_per_element.range"))
        << range;
  EXPECT_THAT(refusal("range = [1.0, 1.18], ", ""), HasSubstr("core.vector_cycles_per_element.range"));
}

TEST(MachineFile, AValueThatIsChangedAloneIsKnown) {
  const std::string file = wafers + "wse2.toml";
  const Quantity alone = Machine::read(file, {"cycles.branch.value=3"}).quantities.at("cycles.branch");
  EXPECT_EQ(alone.low, 3.0);
  EXPECT_EQ(alone.high, 3.0);
  const Quantity both = Machine::read(file, {"cycles.branch.value=3", "cycles.branch.range=[2, 5]"})
                            .quantities.at("cycles.branch");
  EXPECT_EQ(both.low, 2.0);
  EXPECT_EQ(both.high, 5.0);
}

TEST(MachineFile, OneNumberIsChangedInTheMachineItself) {
  const Machine m = Machine::read(wafers + "wse2.toml");
  EXPECT_EQ(m.with("cycles.branch", 3.5).cycles[std::size_t(Operation::branch)], 3.5);
  EXPECT_EQ(m.with("core.clock_mhz", 425).clock_hz, 425e6);
  EXPECT_EQ(m.with("fabric.colors", 7.6).fabric.colors, 8);
  EXPECT_THROW(m.with("cycles.load", 1), std::out_of_range);
  for (const auto& [key, q] : m.quantities)  // the value itself changes nothing
    EXPECT_EQ(m.with(key, q.value).numbers(), m.numbers()) << key;
}

TEST(MachineFile, NumbersThatNoMachineHasAreRefusedByLine) {
  EXPECT_THAT(
      refusal("value = 1.09", "value = 1e300"),
      AllOf(
          HasSubstr(
              "wafermark_test_machine.toml:20: key 'core.vector_cycles_per_element.value' = 1e300: expected"),
          HasSubstr("from 0.001 to 1000000")));
  EXPECT_THAT(refusal("value = 49152", "value = 49152.5"),
              HasSubstr("core.sram_bytes.value' = 49152.5: expected a whole"));
  EXPECT_THAT(refusal("value = 6144, range = [4096, 12288]", "value = 65536, range = [4096, 65536]"),
              HasSubstr("at most core.sram_bytes"));
  EXPECT_THAT(refusal("name = \"wse2\"", "name = \"\""), HasSubstr("name"));
  const Machine m = Machine::read(wafers + "wse2.toml");
  for (const auto& [key, q] : m.quantities)
    for (const char* value :
         {"1e300", "nan", "inf", "-inf", "-1", "99999999999999999999", "true", "''", "[]", "4294967297e9"}) {
      const std::string change = key + ".value=" + value;
      EXPECT_THAT([&] { Machine::read(wafers + "wse2.toml", {change}, "--machine-set"); },
                  testing::ThrowsMessage<InputError>(
                      HasSubstr("--machine-set: key '" + key + ".value' = " + value + ": expected")))
          << change;
    }
}

TEST(MachineFile, SaysWhatWasRead) {
  const Machine m = Machine::read(wafers + "wse2.toml", {"core.clock_mhz.value=425"});
  EXPECT_EQ(m.clock_hz, 425e6);
  EXPECT_EQ(m.record()["machine_changes"], nlohmann::json({"core.clock_mhz.value=425"}));
  EXPECT_EQ(m.record()["machine_sha256"].get<std::string>().size(), 64u);
  EXPECT_EQ(m.sha256, Machine::read(wafers + "wse2.toml").sha256);
  EXPECT_NE(m.sha256, Machine::read(wafers + "wse3.toml").sha256);
  EXPECT_EQ(sha256_of_file("/dev/null"), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(MachineFile, ThatIsNowhereIsRefusedWithTheMachinesThatThereAre) {
  for (const std::string name : {"wse99", "", "/", "a/b c"})
    EXPECT_THAT([&] { Machine::find(name, "/some/folder"); },
                testing::ThrowsMessage<InputError>(
                    AllOf(HasSubstr("'" + name + "'"), HasSubstr("one of: wse2, wse3"))));
  EXPECT_THAT([] { Machine::find(std::string(10000, 'x'), "/some/folder"); }, testing::Throws<InputError>());
  EXPECT_EQ(std::filesystem::path(Machine::find("wse3", "/some/folder")).filename(), "wse3.toml");
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

TEST(Energy, OfAStencilCellIsThePublishedOne) {
  // A 25-point stencil on the real wafer: 22.8 kW, 16.1 kW before it, on 750 x 994 tiles; a cell is 43
  // instructions, 57 flops, 112 words of SRAM and 17 words from the neighbours, 679 pJ.
  const Machine m = Machine::read(wafers + "wse2.toml");
  OperationCounts cell;
  cell[Operation::fma] = 14;
  cell[Operation::add] = 29;
  cell[Operation::load] = 90;
  cell[Operation::store] = 22;
  EXPECT_EQ(cell.flops(), 57);
  EXPECT_EQ(cell.instructions(), 43);
  EXPECT_NEAR(operation_joules(m, cell) + 17e-12 * m.hop_pj, 679e-12, 7e-12);
  EXPECT_EQ(m.idle_watts, 16100.0);
}

TEST(VectorCost, ProductOfTwoVectorsIsAddedByAnInstructionOfItsOwn) {
  const Machine m = Machine::read(wafers + "wse2.toml");
  OperationCounts fused;
  fused[Operation::fma] = 2;
  fused[Operation::multiply] = 1;
  const OperationCounts apart = fused.without_fma();
  EXPECT_EQ(apart.flops(), fused.flops());
  EXPECT_EQ(apart.instructions(), 5);
  EXPECT_NEAR(vector_cycles(m, apart, 80) / vector_cycles(m, fused, 80), 5.0 / 3.0, 1e-12);
}

TEST(WholeCycles, AreRoundedAndRefusedWhereNoClockHoldsThem) {
  EXPECT_EQ(whole_cycles(2.5), 3);
  EXPECT_EQ(whole_cycles(-0.2), 0);
  EXPECT_EQ(cycles_begun(2.1), 3);
  EXPECT_EQ(cycles_begun(2.0 + 1e-12), 2);
  EXPECT_EQ(whole_cycles(most_cycles), 10'000'000'000'000);
  for (const double wrong :
       {1e300, std::nextafter(most_cycles, 1e300), -1.0, std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    EXPECT_THROW(whole_cycles(wrong), InputError) << wrong;
    EXPECT_THROW(cycles_begun(wrong), InputError) << wrong;
  }
}

TEST(TileClocks, WaitForTheLatestTileInReachAndForNoOther) {
  const Communicator alone(MPI_COMM_SELF);
  const Blocks blocks(alone, TileGrid{9, 5, {false, false}});
  TileClocks clocks(alone, blocks, 2);
  const auto at = [](int x, int y) { return static_cast<std::size_t>(y * 9 + x); };
  clocks[at(1, 1)] = 100;
  clocks.meet_neighbourhood(2, 7);
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
  TileClocks clocks(alone, blocks, 2);
  clocks[8] = 50;
  clocks.meet_neighbourhood(1, 0);
  EXPECT_EQ(clocks[0], 50);
  EXPECT_EQ(clocks[1], 0);
}

}  // namespace

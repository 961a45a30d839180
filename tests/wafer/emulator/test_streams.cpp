// Phases in which tiles compute with words as the fabric brings them, and how words are received.
#include <gtest/gtest.h>

#include "wse_emulator/executor.hpp"
#include "wse_emulator/fabric/marching_multicast.hpp"
#include "wse_emulator/fabric/star_exchange.hpp"

using namespace wafermark;
using namespace wafermark::wse;

namespace {

class Streams : public testing::Test {
 protected:
  Communicator comm{MPI_COMM_SELF};
  TileGrid grid{6, 5, {false, false}};
  Blocks blocks{comm, grid};
  Machine machine = Machine::read(WAFERMARK_SOURCE_DIR "/inputs/wafers/wse2.toml");
  std::shared_ptr<StarExchange> exchange = std::make_shared<StarExchange>(2, 50);
  OperationCounts one_add = [] {
    OperationCounts counts;
    counts[Operation::add] = 1;
    return counts;
  }();
  Section add = Section::scalar(machine, one_add);
  std::vector<int> items = std::vector<int>(30, 0);
  RegionTimes times;

  Executor executor(const Program& program) {
    return Executor(comm, blocks, machine, program, std::vector<int>(30, 1), times);
  }
  std::int64_t of_stream() const { return exchange->cycles(machine.fabric, grid); }
  std::int64_t first_word() const { return exchange->first_word_cycles(machine.fabric, grid); }
  std::int64_t of_tasks() const {
    return static_cast<std::int64_t>(exchange->tasks() * machine.task_start_cycles);
  }
};

TEST_F(Streams, TakeTheSlowerOfStreamAndCoreOnEveryTile) {
  items[0] = 10;     // hidden behind the stream
  items[7] = 10000;  // the stream hides in this
  Program p;
  p.stream("sum", exchange, 0, {{add, items}});
  Executor e = executor(p);
  e.run();
  EXPECT_EQ(e.clocks()[0], of_stream() + of_tasks());
  EXPECT_EQ(e.clocks()[1], of_stream() + of_tasks());
  EXPECT_EQ(e.clocks()[7], first_word() + 10000 + of_tasks());
}

TEST_F(Streams, EveryCycleOfATileIsComputingWaitingOrMoving) {
  for (std::size_t k = 0; k < items.size(); ++k) items[k] = static_cast<int>(100 * k);
  Program p;
  p.stream("sum", exchange, 0, {{add, items}});
  p.compute("alone", {{add, items}});
  Executor e = executor(p);
  for (int k = 0; k < 3; ++k) e.run();
  double mean = 0.0, clocks = 0.0;
  for (const auto& phase : e.record().summarize()) mean += 3 * 30 * phase.mean;
  for (std::size_t k = 0; k < 30; ++k) clocks += static_cast<double>(e.clocks()[k]);
  EXPECT_NEAR(mean, clocks, 1e-6);
  EXPECT_EQ(e.items("sum"), 3 * 100 * (29 * 30 / 2));
  EXPECT_EQ(
      e.link_words().word_hops(), 3 * [&] {
        LinkWords words(comm, blocks);
        exchange->add_words(machine.fabric, 1, words);
        return words.word_hops();
      }());
}

TEST_F(Streams, WaitForLateNeighboursAndNobodyElse) {
  std::vector<int> late(30, 0);
  late[0] = 5000;
  Program p;
  p.compute("late", {{add, late}});
  p.stream("sum", exchange, 0, {{add, items}});
  Executor e = executor(p);
  e.run();
  EXPECT_EQ(e.clocks()[4], 5000 + of_stream() + of_tasks());  // within twice b
  EXPECT_EQ(e.clocks()[5], of_stream() + of_tasks());
}

TEST_F(Streams, PredictedCyclesAreThoseOfTheExecutor) {
  std::fill(items.begin(), items.end(), 3000);
  Program p;
  p.stream("sum", exchange, 0, {{add, items}});
  Executor e = executor(p);
  e.run();
  double predicted = 0.0;
  for (const auto& line : p.predicted(machine, grid)) predicted += line.cycles;
  EXPECT_DOUBLE_EQ(static_cast<double>(e.clocks()[0]), predicted);
}

TEST_F(Streams, ArePricedForAnotherMachine) {
  // Where the stream is slower, and where the core is.
  for (const int of_tile : {10, 3000}) {
    std::fill(items.begin(), items.end(), of_tile);
    const auto run_on = [&](const Machine& m, const Machine& priced) {
      const Section section = Section::scalar(m, one_add);
      Program p;
      p.stream("sum", exchange, 0, {{section, items}});
      Executor e(comm, blocks, m, p, std::vector<int>(30, 1), times);
      for (int k = 0; k < 3; ++k) e.run();
      EXPECT_NEAR(e.cycles_on(m, 0), static_cast<double>(e.clocks()[0]), 1e-6);
      return e.cycles_on(priced, 0);
    };
    const Machine other = machine.with("fabric.ramp_cycles", 7).with("cycles.add", 2);
    EXPECT_NEAR(run_on(machine, other), run_on(other, other), 1e-6) << of_tile;
  }
}

TEST_F(Streams, CollideWithPatternsOfTheSameColor) {
  Program p;
  p.stream("one", exchange, 0, {{add, items}});
  p.pattern("other", exchange, 0);
  EXPECT_THROW(executor(p), std::invalid_argument);
}

TEST_F(Streams, WordsThatAreWaitedForCostAnInstructionInsteadOfATask) {
  Program p;
  p.pattern("exchange", exchange, 0).receives(Receiving::blocking);
  Executor e = executor(p);
  e.run();
  EXPECT_EQ(e.clocks()[3],
            of_stream() + static_cast<std::int64_t>(exchange->tasks() * machine.fabric_read_cycles));
  EXPECT_LT(machine.fabric_read_cycles, machine.task_start_cycles);
}

TEST(Reads, OfAMulticastAreOneForEachStreamOfItsTwoStages) {
  const MarchingMulticast multicast(3, 2);
  const TileGrid single{20, 20, {false, false}, 1}, patches{20, 20, {false, false}, 2};
  EXPECT_EQ(multicast.reads(single), 4);
  EXPECT_EQ(multicast.reads(patches), 2);
  EXPECT_EQ(ReverseMulticast(3, 2).reads(single), 3);
}

TEST(ProgramPhases, StayWhereTheyAreWhenOthersFollow) {
  Program p;
  int ran = 0;
  Phase& first = p.host([] {});
  for (int k = 0; k < 100; ++k) p.host([] {});
  first.does([&] { ++ran; });
  for (const Phase& phase : p.phases()) phase.run();
  EXPECT_EQ(ran, 1);
}

}  // namespace

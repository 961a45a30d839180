// Words of memory are counted where kernels read and write them, and vector instructions cost what their
// elements are.
#include <gtest/gtest.h>

#include "wse_emulator/counted.hpp"
#include "wse_emulator/section.hpp"
#include "wse_emulator/tile_memory.hpp"

using namespace wafermark::wse;

namespace {

using C = Counted<float>;

OperationCounts expected(std::initializer_list<std::pair<Operation, std::int64_t>> counts) {
  OperationCounts all;
  for (const auto& [op, n] : counts) all[op] = n;
  return all;
}

TEST(CountedMemory, ReadingLoadsAndAssigningStores) {
  const auto counts = counted([] {
    auto a = in_memory<float>(2);
    const C register_value = a[0];  // a load
    a[1] = register_value;          // a store
    a[1] += a[0];                   // two loads and a store
  });
  EXPECT_EQ(counts, expected({{Operation::load, 3}, {Operation::store, 2}, {Operation::add, 1}}));
}

TEST(CountedMemory, OfAKernelOverArraysFollowsFromItsSource) {
  const auto axpy = [](int n, C scale, const C* x, C* y) {
    for (int i = 0; i < n; ++i) y[i] = y[i] + scale * x[i];
  };
  const auto x = in_memory<float>(5);
  auto y = in_memory<float>(5);
  EXPECT_EQ(counted([&] { axpy(5, C(2.0f), x.data(), y.data()); }),
            expected({{Operation::fma, 5}, {Operation::load, 10}, {Operation::store, 5}}));
}

TEST(CountedMemory, ASumInARegisterReadsOnlyItsOperands) {
  const auto x = in_memory<float>(4);
  const auto counts = counted([&] {
    C sum = 0.0f;
    for (const C& v : x) sum += v * v;
  });
  EXPECT_EQ(counts[Operation::load], 8);
  EXPECT_EQ(counts[Operation::store], 0);
  EXPECT_EQ(counts[Operation::fma], 4);
}

TEST(CountedMemory, AProductThatWasStoredIsNoPartOfAMultiplyAdd) {
  const auto counts = counted([] {
    auto a = in_memory<float>(1);
    a[0] = C(2.0f) * C(3.0f);
    (void)(a[0] + C(1.0f));
  });
  EXPECT_EQ(
      counts,
      expected({{Operation::multiply, 1}, {Operation::add, 1}, {Operation::load, 1}, {Operation::store, 1}}));
}

TEST(CountedMemory, EveryOperationReadsItsOperands) {
  auto a = in_memory<float>(2);
  const auto loads = [&](const auto& operation) {
    return counted([&] { (void)operation(); })[Operation::load];
  };
  EXPECT_EQ(loads([&] { return a[0] - a[1]; }), 2);
  EXPECT_EQ(loads([&] { return a[0] / a[1]; }), 2);
  EXPECT_EQ(loads([&] { return a[0] < a[1]; }), 2);
  EXPECT_EQ(loads([&] { return larger_of(a[0], a[1]); }), 2);
  EXPECT_EQ(loads([&] { return select(true, a[0], a[1]); }), 1);
  EXPECT_EQ(loads([&] { return -a[0]; }), 1);
  EXPECT_EQ(loads([&] { return sqrt(a[0]); }), 1);
  EXPECT_EQ(loads([&] { return truncate(a[0]); }), 1);
}

class OnWse2 : public testing::Test {
 protected:
  Machine machine = Machine::read(WAFERMARK_SOURCE_DIR "/inputs/wafers/wse2.toml");
  double startup = machine.vector_startup_cycles, c = machine.vector_cycles_per_element;
};

TEST_F(OnWse2, HalfPrecisionRunsInSoManyLanes) {
  const auto add = expected({{Operation::add, 1}});
  const auto cycles = [&](const Machine& m, Precision p) {
    return Section::vector(m, add, {.precision = p}).cycles(1000);
  };
  EXPECT_DOUBLE_EQ(cycles(machine, Precision::fp32), startup + 1000 * c);
  EXPECT_DOUBLE_EQ(cycles(machine, Precision::fp16), startup + 250 * c);
  EXPECT_DOUBLE_EQ(cycles(machine, Precision::bf16), startup + 250 * c);
  EXPECT_DOUBLE_EQ(cycles(machine, Precision::mixed), startup + 500 * c);
  const Machine wse3 = Machine::read(WAFERMARK_SOURCE_DIR "/inputs/wafers/wse3.toml");
  EXPECT_DOUBLE_EQ(cycles(wse3, Precision::fp16), startup + 125 * c);
}

TEST_F(OnWse2, HalfPrecisionMovesHalfTheWords) {
  const auto add = expected({{Operation::add, 1}});
  const auto words = Section::vector(machine, add, {.precision = Precision::fp16}).operations(101);
  EXPECT_EQ(words[Operation::load], 101);
  EXPECT_EQ(words[Operation::store], 51);
  EXPECT_EQ(words[Operation::add], 101);
}

TEST_F(OnWse2, MultiplyAddsInLanesHaveOnePriceWithTheirWords) {
  const auto fma = expected({{Operation::fma, 1}});
  const OperationCounts counts =
      Section::vector(machine, fma, {.precision = Precision::fp16}).operations(100);
  EXPECT_EQ(counts, expected({{Operation::half_fma, 100}}));
  EXPECT_DOUBLE_EQ(operation_joules(machine, counts), 100e-12 * machine.half_multiply_add_pj);
  // All lanes of all tiles at work draw no more than the system is known to draw.
  const double watts =
      850000.0 * machine.half_lanes * machine.clock_hz * 1e-12 * machine.half_multiply_add_pj;
  EXPECT_LT(machine.idle_watts + watts, 25000.0);
}

TEST_F(OnWse2, OperandsInOneBankTakeTwoCyclesAnElement) {
  const auto two = expected({{Operation::add, 1}, {Operation::multiply, 1}});
  EXPECT_DOUBLE_EQ(Section::vector(machine, two, {.in_one_bank = 1}).cycles(100),
                   2 * startup + 100 * (c + machine.bank_conflict_cycles_per_element));
}

TEST_F(OnWse2, WordsThatAKernelCountsStandInPlaceOfTheRule) {
  EXPECT_EQ(Section::vector(machine, expected({{Operation::multiply, 1}})).of_item()[Operation::load], 2);
  // A word from the fabric is in no memory.
  auto m = in_memory<float>(1);
  const auto of_fabric = counted([&] { m[0] = C(2.0f) * C(3.0f); });
  const auto section = Section::vector(machine, of_fabric);
  EXPECT_EQ(section.of_item()[Operation::load], 0);
  EXPECT_EQ(section.of_item()[Operation::store], 1);
}

TEST_F(OnWse2, BanksFollowFromWhereBuffersLie) {
  TileMemory memory(machine);  // the program fills the first of eight banks
  memory.allocate("a", 6144);
  memory.allocate("b", 3072);
  memory.allocate("c", 6144);
  EXPECT_DOUBLE_EQ(memory.share_a_bank("a", "b"), 0.0);
  EXPECT_DOUBLE_EQ(memory.share_a_bank("b", "c"), 0.5);
  EXPECT_DOUBLE_EQ(memory.share_a_bank("c", "c"), 1.0);
  EXPECT_THROW((void)memory.share_a_bank("a", "d"), std::logic_error);
  memory.begin_bank();
  memory.allocate("d", 100);
  EXPECT_DOUBLE_EQ(memory.share_a_bank("c", "d"), 0.0);
  EXPECT_EQ(memory.used() % 6144, 100);
}

}  // namespace

// What a GPU's memory refuses, a build for CPUs with memory of its own must refuse too (preset
// separate-memory).
#include <gtest/gtest.h>

#include <Kokkos_Core.hpp>

#include "common/spaces.hpp"

namespace {

using namespace wafermark;
using Numbers = Kokkos::View<int*, MemSpace>;
using Columns = Kokkos::View<int**, Kokkos::LayoutLeft, MemSpace>;

Numbers counted(int n) {
  const Numbers numbers("numbers", std::size_t(n));
  Kokkos::parallel_for(
      "count", Kokkos::RangePolicy<ExecSpace>(0, n), KOKKOS_LAMBDA(int i) { numbers(i) = i; });
  return numbers;
}

TEST(SeparateMemory, IsReadByKernelsAndCopies) {
  static_assert(!host_reads_device && on_cpu);
  const Numbers numbers = counted(1000);
  int sum = 0;
  Kokkos::parallel_reduce(
      "sum", Kokkos::RangePolicy<ExecSpace>(0, 1000), KOKKOS_LAMBDA(int i, int& all) { all += numbers(i); },
      sum);
  EXPECT_EQ(sum, 999 * 500);
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), numbers);
  EXPECT_EQ(host(999), 999);
  int one = 0;
  Kokkos::deep_copy(one, Kokkos::subview(numbers, 7));
  EXPECT_EQ(one, 7);
  Kokkos::deep_copy(numbers, 3);
  Kokkos::deep_copy(one, Kokkos::subview(numbers, 8));
  EXPECT_EQ(one, 3);
  EXPECT_EQ(numbers.label(), "numbers");
}

TEST(SeparateMemory, HasMirrorsThatAreCopies) {
  const Numbers numbers = counted(10);
  const auto mirror = Kokkos::create_mirror_view(numbers);
  EXPECT_NE(static_cast<const void*>(mirror.data()), numbers.data());
  mirror(0) = 5;
  int one = -1;
  Kokkos::deep_copy(one, Kokkos::subview(numbers, 0));
  EXPECT_EQ(one, 0);
}

TEST(SeparateMemory, LetsNoHostIn) {
  const Numbers numbers = counted(10);
  EXPECT_DEATH((void)(*static_cast<volatile int*>(numbers.data() + 3)),
               "host code touches device memory, view 'numbers'");
  EXPECT_DEATH(numbers(3) = 1, "host code touches device memory, view 'numbers'");
  const int* gone = counted(10).data();
  EXPECT_DEATH((void)(*static_cast<const volatile int*>(gone)),
               "host code touches device memory, view '.freed.'");
  const KernelScope scope;
  numbers(3) = 1;
}

TEST(SeparateMemory, IsCopiedToAHostInOnePieceOnly) {
  const Columns columns("columns", 10, 3);
  const auto row = Kokkos::subview(columns, 2, Kokkos::ALL);
  const Kokkos::View<int*, Kokkos::HostSpace> host("host", 3);
  EXPECT_DEATH(Kokkos::deep_copy(host, row), "a copy between host and device by a kernel");
  Kokkos::deep_copy(host, Kokkos::subview(columns, Kokkos::make_pair(0, 3), 1));
}

}  // namespace

// Arrays in large pages begin with one, own all that they offer, and small ones stay small.
#include <gtest/gtest.h>

#include "common/large_pages.hpp"

namespace wafermark {
namespace {

TEST(LargePages, LargeArraysBeginWithAPage) {
  for (const std::int64_t bytes : {1 << 20, 1 << 21, (1 << 21) + 1, 7 << 20}) {
    const auto array = large_page_array<unsigned char>("array", bytes);
    ASSERT_EQ(std::int64_t(array.size()), bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.data()) % large_page, 0u) << bytes << " bytes";
    Kokkos::deep_copy(array, 3);
    EXPECT_EQ(int(array(std::size_t(bytes) - 1)), 3);
  }
}

TEST(LargePages, KeepTheirMemoryWhileTheyAreUsed) {
  auto array = large_page_array<double>("first", 1 << 20);
  Kokkos::deep_copy(array, 1.5);
  const auto other = array;
  array = large_page_array<double>("second", 1 << 20);
  Kokkos::deep_copy(array, 2.5);
  EXPECT_EQ(other(0), 1.5);
  EXPECT_EQ(other((1 << 20) - 1), 1.5);
}

TEST(LargePages, SmallArraysAreLikeOthers) {
  EXPECT_EQ(large_page_array<float>("none", 0).size(), 0u);
  EXPECT_EQ(large_page_array<float>("few", 5).size(), 5u);
}

}  // namespace
}  // namespace wafermark

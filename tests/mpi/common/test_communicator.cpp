// Collectives with known answers, and the grid of ranks.
#include <gtest/gtest.h>

#include <numeric>

#include "common/communicator.hpp"
#include "common/errors.hpp"
#include "common/region_timer.hpp"

namespace wafermark {
namespace {

TEST(Communicator, CollectivesGiveTheSumsOfAllRanks) {
  const Communicator c;
  const int n = c.size(), r = c.rank();
  EXPECT_EQ(c.sum(r + 1), n * (n + 1) / 2);
  EXPECT_EQ(c.max(static_cast<double>(r)), n - 1.0);
  EXPECT_EQ(c.min(static_cast<std::int64_t>(r)), 0);
  EXPECT_EQ(c.sum(std::vector<double>{1.0, static_cast<double>(r)}),
            (std::vector<double>{1.0 * n, n * (n - 1) / 2.0}));
  EXPECT_EQ(c.exclusive_scan(2), 2 * r);
  std::vector<int> all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(c.all_gather(r), all);
  // Rank r contributes r values; rank 0 none.
  const auto parts = c.all_gather(std::vector<int>(static_cast<std::size_t>(r), r));
  EXPECT_EQ(parts.size(), static_cast<std::size_t>(n * (n - 1) / 2));
  std::string text = r == n - 1 ? "from the last rank" : "";
  c.broadcast(text, n - 1);
  EXPECT_EQ(text, "from the last rank");
}

TEST(Communicator, AllToAllDeliversUnevenParts) {
  const Communicator c;
  std::vector<std::vector<double>> parts(static_cast<std::size_t>(c.size()));
  for (int to = 0; to < c.size(); ++to)
    parts[static_cast<std::size_t>(to)].assign(static_cast<std::size_t>(to), c.rank());
  const auto got = c.all_to_all(parts);
  for (int from = 0; from < c.size(); ++from)
    EXPECT_EQ(got[static_cast<std::size_t>(from)],
              std::vector<double>(static_cast<std::size_t>(c.rank()), from));
}

TEST(Communicator, OneRanksMistakeIsThrownOnAll) {
  const Communicator c;
  EXPECT_NO_THROW(c.throw_together(false, "fine"));
  try {
    c.throw_together(c.rank() == c.size() - 1, "rank " + std::to_string(c.rank()) + " saw it");
    FAIL();
  } catch (const InputError& e) {
    EXPECT_EQ(std::string(e.what()), "rank " + std::to_string(c.size() - 1) + " saw it");
  }
}

TEST(CartesianGrid, CutsTheLeastSurfaceAndWraps) {
  const Communicator c;
  const CartesianGrid slab(c, {0, 0, 0}, {100, 1, 1});
  EXPECT_EQ(slab.dims(), (std::array<int, 3>{c.size(), 1, 1}));
  EXPECT_EQ(slab.rank_of(slab.coords()), c.rank());
  EXPECT_EQ(slab.neighbour(0, 1), (c.rank() + 1) % c.size());
  EXPECT_EQ(slab.neighbour(1, -1), c.rank());
  const CartesianGrid cube(c, {0, 0, 0}, {1, 1, 1});
  EXPECT_EQ(cube.dims()[0] * cube.dims()[1] * cube.dims()[2], c.size());
  if (c.size() == 8) {
    EXPECT_EQ(cube.dims(), (std::array<int, 3>{2, 2, 2}));
  }
  EXPECT_EQ(CartesianGrid(c, {1, 0, 1}, {100, 1, 1}).dims()[1], c.size());
  EXPECT_THROW(CartesianGrid(c, {c.size() + 1, 0, 0}, {1, 1, 1}), InputError);
}

TEST(RegionTimes, ReduceOverRanksEvenWhenOnlySomeTimedARegion) {
  const Communicator c;
  RegionTimes times;
  times.add("all", 1.0 + c.rank());
  if (c.rank() == c.size() - 1) times.add("last only", 5.0);
  const auto summary = times.reduce(c);
  ASSERT_EQ(summary.size(), 2u);
  EXPECT_EQ(summary[0].min_seconds, 1.0);
  EXPECT_EQ(summary[0].max_seconds, c.size());
  EXPECT_EQ(summary[1].max_seconds, 5.0);
  EXPECT_DOUBLE_EQ(summary[1].mean_seconds, 5.0 / c.size());
}

}  // namespace
}  // namespace wafermark

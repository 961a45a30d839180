// Collectives with known answers, and the grid of ranks.
#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>

#include "common/communicator.hpp"
#include "common/errors.hpp"
#include "common/pending_messages.hpp"
#include "common/rank_ring.hpp"
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

/// Every call gives the same with messages of at most `elements` elements, as arrays of more than 2^31 need.
TEST(Communicator, LongArraysGoInPieces) {
  Communicator c;
  const int n = c.size(), r = c.rank();
  for (const std::int64_t elements : {1, 2, 3, 7, 1000}) {
    c.set_largest_message(elements);
    std::vector<std::int64_t> values(10);
    std::iota(values.begin(), values.end(), r);
    const auto sums = c.sum(values);
    for (int k = 0; k < 10; ++k) EXPECT_EQ(sums[static_cast<std::size_t>(k)], n * k + n * (n - 1) / 2);
    c.max_in_place(values.data(), 10);
    EXPECT_EQ(values[9], 9 + n - 1);
    std::vector<float> bits(5, 0.0f);
    if (r == n - 1) bits = {1.5f, -2.0f, 0.0f, 1e-40f, 3.0f};
    c.or_bits_in_place(bits.data(), 5);
    EXPECT_EQ(bits, (std::vector<float>{1.5f, -2.0f, 0.0f, 1e-40f, 3.0f}));
    // Rank r contributes 3 r values.
    const auto all = c.all_gather(std::vector<int>(static_cast<std::size_t>(3 * r), r));
    std::vector<int> expected;
    for (int from = 0; from < n; ++from)
      expected.insert(expected.end(), static_cast<std::size_t>(3 * from), from);
    EXPECT_EQ(all, expected);
    std::string text = r == 0 ? "a text of some length" : "";
    c.broadcast(text);
    EXPECT_EQ(text, "a text of some length");
    std::vector<std::vector<double>> parts(static_cast<std::size_t>(n));
    for (int to = 0; to < n; ++to)
      for (int k = 0; k < to + 2 * r; ++k) parts[static_cast<std::size_t>(to)].push_back(100 * r + k);
    const auto got = c.all_to_all(parts);
    for (int from = 0; from < n; ++from) {
      ASSERT_EQ(got[static_cast<std::size_t>(from)].size(), static_cast<std::size_t>(r + 2 * from));
      for (int k = 0; k < r + 2 * from; ++k)
        EXPECT_EQ(got[static_cast<std::size_t>(from)][static_cast<std::size_t>(k)], 100 * from + k);
    }
  }
}

TEST(Communicator, MessagesRoundARingArriveWhateverTheirLengths) {
  Communicator c;
  const int n = c.size(), r = c.rank(), to = (r + 1) % n, from = (r + n - 1) % n;
  for (const std::int64_t elements : {1, 4, 1000}) {
    c.set_largest_message(elements);
    std::vector<double> out(static_cast<std::size_t>(5 * r), r), in(static_cast<std::size_t>(5 * from), -1.0);
    c.send_receive(out.data(), 5 * r, to, in.data(), 5 * from, from);
    EXPECT_EQ(in, std::vector<double>(static_cast<std::size_t>(5 * from), from));
    std::fill(in.begin(), in.end(), -1.0);
    PendingMessages messages(c);
    messages.receive(in.data(), 5 * from, from);
    messages.send(out.data(), 5 * r, to);
    messages.wait();
    EXPECT_EQ(in, std::vector<double>(static_cast<std::size_t>(5 * from), from));
  }
  const int value = r + 1;
  int received = 0;  // stays, where nobody sends
  c.send_receive(&value, 1, r + 1 < n ? r + 1 : MPI_PROC_NULL, &received, 1, r > 0 ? r - 1 : MPI_PROC_NULL);
  EXPECT_EQ(received, r);
}

TEST(RankRing, SharesOfSumsComeHomeAndGoToAll) {
  Communicator c;
  const int n = c.size(), r = c.rank();
  for (const std::int64_t size : {0, 1, 2, 5, 1000})
    for (const std::int64_t elements : {1, 7, 1000}) {
      c.set_largest_message(elements);
      std::vector<double> values(static_cast<std::size_t>(size));
      std::iota(values.begin(), values.end(), r);
      sum_to_shares(c, values.data(), size);
      const Share own = share_of(size, r, n);
      for (std::int64_t i = 0; i < size; ++i) {
        double& value = values[static_cast<std::size_t>(i)];
        if (i < own.first || i >= own.end())
          value = -1;
        else
          EXPECT_EQ(value, static_cast<double>(n * i + n * (n - 1) / 2)) << i << " of " << size;
      }
      gather_shares(c, values.data(), size);
      for (std::int64_t i = 0; i < size; ++i)
        EXPECT_EQ(values[static_cast<std::size_t>(i)], static_cast<double>(n * i + n * (n - 1) / 2));
    }
}

TEST(RankRing, SharesOfMoreThan31BitsAreEvenAndWhole) {
  for (const std::int64_t total :
       {std::int64_t{6738415616}, std::int64_t{70553706496}, std::int64_t{1} << 40})
    for (const int ranks : {1, 3, 7, 1024, 100000}) {
      std::int64_t next = 0;
      for (int r = 0; r < ranks; ++r) {
        const Share s = share_of(total, r, ranks);
        ASSERT_EQ(s.first, next);
        ASSERT_LE(std::abs(s.count - total / ranks), 1);
        next = s.end();
      }
      EXPECT_EQ(next, total);
    }
}

TEST(Communicator, RanksOfANodeAreAtMostAll) {
  const Communicator c, node = c.on_this_node();
  EXPECT_GE(node.size(), 1);
  EXPECT_LE(node.size(), c.size());
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

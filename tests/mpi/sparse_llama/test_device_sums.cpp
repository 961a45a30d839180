// Sums over ranks by NCCL, of which a library stands in that sums by MPI: the tokens are those of MPI's sums,
// and whatever NCCL refuses ends in MPI's sums on all ranks, or in one line.
#include <gmock/gmock.h>

#include <memory>
#include <numeric>
#include <optional>

#include "common/errors.hpp"
#include "common/loaded_library.hpp"
#include "environment_setting.hpp"
#include "reference_model.hpp"
#include "sparse_llama/cluster/decoder.hpp"
#include "sparse_llama/cluster/device_sums.hpp"

namespace wafermark::llama {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct DeviceSumsTest : public ::testing::Test {
  Communicator comm;
  std::string on_device = std::to_string(comm.rank());  ///< one of its own for each rank

  void SetUp() override {
    if (comm.size() == 1) GTEST_SKIP() << "nothing to sum";
    if (!host_reads_device) GTEST_SKIP() << "the library that stands in sums in host memory";
  }
  std::string by(const std::string& library) { return device_sums(comm, library, on_device)->by(); }
};

void expect_sums(const Communicator& comm, DeviceSums& sums) {
  std::vector<float> values(1000);
  std::iota(values.begin(), values.end(), float(comm.rank()));
  const Kokkos::View<float*, MemSpace> on("values", values.size());
  const Kokkos::View<float*, Kokkos::HostSpace> host(values.data(), values.size());
  Kokkos::deep_copy(on, host);
  sums.sum_in_place(on.data(), 900);
  Kokkos::deep_copy(host, on);
  const int n = comm.size();
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(values[std::size_t(i)], i < 900 ? n * i + n * (n - 1) / 2 : i + comm.rank()) << sums.by();
}

TEST_F(DeviceSumsTest, AreSums) {
  const auto sums = device_sums(comm, FAKE_NCCL, on_device);
  EXPECT_EQ(sums->by(), "NCCL 2.28.9 (" FAKE_NCCL ")");
  expect_sums(comm, *sums);
}

/// Greedy and drawn, by the kernels of CPUs and of devices: prompts, batches, a token at a time.
TEST_F(DeviceSumsTest, GiveTheTokensOfMpi) {
  Configuration c{72, 2, 16, 4, 12, 172, 101, 64, 1e-5, 1e4, {}, false};
  const WeightSource source =
      checkpoint_source("random", std::make_shared<const DenseWeights>(random_model(c, 7)));
  for (const KernelForm form : {KernelForm::host, KernelForm::device}) {
    const RankWeights weights =
        pack_rank_weights(comm, source, Format::bit_mask, ValueType::fp32, std::nullopt, form);
    RegionTimes times;
    Decoder by_mpi(comm, weights, 2, 64, times, form),
        by_nccl(comm, weights, 2, 64, times, form, ValueType::fp32, device_sums(comm, FAKE_NCCL, on_device));
    std::vector<TokenRow> rows{{1, 0, 0}, {1, 1, 0}, {5, 0, 1}, {9, 1, 1}};
    std::vector<std::int64_t> wanted{2, 3};
    for (std::int64_t position = 2; position < 20; ++position) {
      ASSERT_EQ(by_nccl.forward(rows, wanted), by_mpi.forward(rows, wanted));
      const std::vector<TokenChoice> choices{{}, {position % 2 == 0 ? 0.8 : 0.0, 0.9, 0.3}};
      const auto tokens = by_mpi.next_tokens(rows, wanted, choices);
      ASSERT_EQ(by_nccl.next_tokens(rows, wanted, choices), tokens);
      ASSERT_EQ(tokens.has_value(), form == KernelForm::device);
      rows = {{tokens ? (*tokens)[0] : 7, 0, position}, {tokens ? (*tokens)[1] : 8, 1, position}};
      wanted = {0, 1};
    }
  }
}

TEST_F(DeviceSumsTest, AreMpisOnAllRanksWhereOneCannot) {
  EXPECT_EQ(by(""), std::string("MPI (") + ExecSpace::name() + " has no NCCL)");
  EXPECT_EQ(by("libno-such-nccl.so"), "MPI (no libno-such-nccl.so)");
  EXPECT_EQ(by("libm.so.6"), "MPI (libm.so.6 lacks functions of NCCL)");
  const bool last = comm.rank() == comm.size() - 1;
  EXPECT_EQ(by(last ? "libno-such-nccl.so" : FAKE_NCCL), "MPI (no libno-such-nccl.so)");
  {
    const EnvironmentSetting setting("FAKE_NCCL_FAILS", "ncclGetUniqueId");
    EXPECT_EQ(by(FAKE_NCCL), "MPI (ncclGetUniqueId: invalid usage)");
  }
  {
    const EnvironmentSetting setting("FAKE_NCCL_FAILS", last ? "ncclCommInitRank" : "nothing");
    EXPECT_EQ(by(FAKE_NCCL), "MPI (ncclCommInitRank: invalid usage)");
  }
  on_device = last ? std::to_string(0) : on_device;
  EXPECT_EQ(by(FAKE_NCCL), "MPI (two ranks have one device)");
  const LoadedLibrary fake(FAKE_NCCL);
  EXPECT_EQ((*fake.find<int()>("fake_nccl_communicators"))(), 0);
}

TEST_F(DeviceSumsTest, EndInOneLineWhereNcclFailsLater) {
  const auto sums = device_sums(comm, FAKE_NCCL, on_device);
  const EnvironmentSetting setting("FAKE_NCCL_FAILS", "ncclAllReduce");
  float value = 1;
  EXPECT_THAT([&] { sums->sum_in_place(&value, 1); },
              testing::ThrowsMessage<std::runtime_error>("rank " + std::to_string(comm.rank()) + " of " +
                                                         std::to_string(comm.size()) +
                                                         ": ncclAllReduce: invalid usage"));
}

/// An error on one rank, before which its sums are left: nobody else comes to take them down.
TEST_F(DeviceSumsTest, AreLeftWithoutTheOthersBehindAnError) {
  const bool last = comm.rank() == comm.size() - 1;
  auto sums = device_sums(comm, FAKE_NCCL, on_device);
  const LoadedLibrary fake(FAKE_NCCL);
  const auto communicators = fake.find<int()>("fake_nccl_communicators");
  if (last) try {
      const auto own = std::move(sums);
      throw std::runtime_error("a rank's own");
    } catch (const std::runtime_error&) {
    }
  EXPECT_EQ(communicators(), last ? 0 : 1);
  if (last) MPI_Barrier(MPI_COMM_WORLD);  // that of the fake, in which the others take theirs down
}

TEST_F(DeviceSumsTest, AreWhatTheSiteWants) {
  {
    const EnvironmentSetting setting("WAFERMARK_NCCL", "0");
    EXPECT_EQ(by(FAKE_NCCL), "MPI (WAFERMARK_NCCL)");
  }
  {
    std::optional<EnvironmentSetting> of_rank_0_alone;  // whose launcher sets it for no other
    if (comm.is_root()) of_rank_0_alone.emplace("WAFERMARK_NCCL", "0");
    EXPECT_EQ(by(FAKE_NCCL), "MPI (WAFERMARK_NCCL)");
  }
  {
    const EnvironmentSetting setting("WAFERMARK_NCCL", "1");
    EXPECT_THAT(by(FAKE_NCCL), StartsWith("NCCL"));
    EXPECT_THAT([&] { by("libno-such-nccl.so"); },
                testing::ThrowsMessage<InputError>(
                    "WAFERMARK_NCCL = 1: found no libno-such-nccl.so, expected NCCL or RCCL to sum"));
  }
  const EnvironmentSetting setting("WAFERMARK_NCCL", "yes");
  EXPECT_THAT([&] { by(FAKE_NCCL); },
              testing::ThrowsMessage<InputError>("WAFERMARK_NCCL = 'yes': expected 0 or 1"));
}

TEST(NativeSums, AreSums) {
  const Communicator comm;
  const auto sums = device_sums(comm);
  expect_sums(comm, *sums);
  if (comm.size() == 1) {
    EXPECT_THAT(sums->by(), StartsWith("MPI"));
  }
}

/// The true library is loaded, and what it answers is understood. Without a device for each rank it does not
/// start.
TEST(TrueNccl, IsUnderstood) {
  const Communicator comm;
  if (comm.size() == 1) GTEST_SKIP() << "nothing to sum";
  const std::string by = device_sums(comm, "libnccl.so.2")->by();
  if (by == "MPI (no libnccl.so.2)") GTEST_SKIP() << by;
  EXPECT_THAT(by, testing::AnyOf(StartsWith("NCCL 2."), HasSubstr("ncclCommInitRank: "),
                                 HasSubstr("two ranks have one device")));
}

}  // namespace
}  // namespace wafermark::llama

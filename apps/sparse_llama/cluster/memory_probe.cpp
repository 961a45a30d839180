#include "sparse_llama/cluster/memory_probe.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <chrono>

#include "common/large_pages.hpp"
#include "sparse_llama/cluster/lanes.hpp"

namespace wafermark::llama {
namespace {

constexpr std::int64_t block_words = 1 << 13;                 // of 8 bytes
constexpr std::int64_t least_blocks = std::int64_t(1) << 12;  // 256 MiB

struct Block {
  const std::uint64_t* words;
};

/// The whole blocks of an array.
template <class View>
void add_blocks(const View& array, std::vector<Block>& to) {
  const auto* words =
      reinterpret_cast<const std::uint64_t*>(array.data());  // arrays begin at multiples of 64 bytes
  const auto all = std::int64_t(array.size() * sizeof(typename View::value_type) / sizeof(std::uint64_t));
  for (std::int64_t i = 0; i + block_words <= all; i += block_words) to.push_back({words + i});
}

/// The sum of a block's words, by a thread of a host or by the lanes of a device's team, neighbours of which
/// read neighbouring words. Whole numbers: their sum has no order, so compilers use vectors.
struct ReadBlock {
  using value_type = std::uint64_t;
  Kokkos::View<Block*, MemSpace> blocks;

  KOKKOS_FUNCTION void operator()(std::int64_t b, std::uint64_t& all) const {
    const std::uint64_t* words = blocks(b).words;
    std::uint64_t part = 0;
    for (std::int64_t i = 0; i < block_words; ++i) part += words[i];
    all += part;
  }
  KOKKOS_FUNCTION void operator()(const Team::member_type& team, std::uint64_t& all) const {
    const std::uint64_t* words = blocks(team.league_rank()).words;
    std::uint64_t part = 0;
    Kokkos::parallel_reduce(
        Kokkos::TeamVectorRange(team, int(block_words)), [&](int i, std::uint64_t& sum) { sum += words[i]; },
        part);
    Kokkos::single(Kokkos::PerTeam(team), [&] { all += part; });
  }
};

std::uint64_t sum_of_blocks(const Kokkos::View<Block*, MemSpace>& blocks) {
  std::uint64_t sum = 0;
  const auto n = std::int64_t(blocks.size());
  if constexpr (host_reads_device)
    Kokkos::parallel_reduce("read the probe", IndexRange(0, n), ReadBlock{blocks}, sum);
  else
    Kokkos::parallel_reduce("read the probe", warps_of_teams(n, 8), ReadBlock{blocks}, sum);
  return sum;
}

}  // namespace

double memory_read_bandwidth(const Communicator& comm, const RankWeights& weights) {
  constexpr int sweeps = 4;
  std::vector<Block> listed;
  weights.each_multiplied([&](const PackedMatrix& m) {
    add_blocks(m.mask, listed);
    add_blocks(m.values, listed);
  });
  Kokkos::View<std::uint64_t*, MemSpace> array;
  if (std::int64_t(listed.size()) < least_blocks) {
    array = large_page_array<std::uint64_t, MemSpace>("memory probe", least_blocks * block_words);
    Kokkos::parallel_for(
        "fill the probe", IndexRange(0, least_blocks * block_words),
        KOKKOS_LAMBDA(std::int64_t i) { array(i) = std::uint64_t(i); });
    listed.clear();
    add_blocks(array, listed);
  }
  const Kokkos::View<const Block*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>> host(
      listed.data(), listed.size());
  const Kokkos::View<Block*, MemSpace> blocks("blocks of the probe", listed.size());
  Kokkos::deep_copy(blocks, host);
  const double bytes = double(comm.sum(std::int64_t(listed.size())) * block_words) * sizeof(std::uint64_t);
  double best = 0;
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    Kokkos::fence("before a sweep");
    comm.barrier();
    const auto start = std::chrono::steady_clock::now();
    sum_of_blocks(blocks);
    const double seconds =
        comm.max(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    best = std::max(best, bytes / seconds);
  }
  return best;
}

}  // namespace wafermark::llama

#include "sparse_llama/cluster/memory_probe.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <chrono>

#include "common/large_pages.hpp"

namespace wafermark::llama {

double memory_read_bandwidth(const Communicator& comm) {
  constexpr std::int64_t block = 1 << 13, blocks = 1 << 12;  // 256 MiB of 8-byte words
  constexpr int sweeps = 6;
  // As the weights are kept.
  const auto array = large_page_array<std::uint64_t, Kokkos::DefaultExecutionSpace::memory_space>(
      "memory probe", block * blocks);
  using Range = Kokkos::RangePolicy<Kokkos::IndexType<std::int64_t>>;
  Kokkos::parallel_for(
      "fill the probe", Range(0, block * blocks),
      KOKKOS_LAMBDA(std::int64_t i) { array(i) = std::uint64_t(i); });
  double best = 0;
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    Kokkos::fence("before a sweep");
    comm.barrier();
    const auto start = std::chrono::steady_clock::now();
    std::uint64_t sum = 0;
    // Whole numbers: their sum has no order, so compilers use vectors.
    Kokkos::parallel_reduce(
        "read the probe", Range(0, blocks),
        KOKKOS_LAMBDA(std::int64_t b, std::uint64_t & all) {
          const std::uint64_t* words = array.data() + b * block;
          std::uint64_t part = 0;
          for (std::int64_t i = 0; i < block; ++i) part += words[i];
          all += part;
        },
        sum);
    const double seconds =
        comm.max(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    if (sum != 0) best = std::max(best, double(block * blocks * 8) / seconds);
  }
  return best * comm.size();
}

}  // namespace wafermark::llama

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <bit>
#include <cmath>

#include "sparse_llama/compress/pruning.hpp"
#include "sparse_llama/compress/smallest.hpp"

namespace wafermark::llama {
namespace {

/// Magnitudes in the order of these numbers.
std::uint32_t bits_of_magnitude(float value) { return std::bit_cast<std::uint32_t>(value) & 0x7fffffffu; }

using Counts = std::vector<std::int64_t>;

/// How many values of each upper (lower) half of the bits there are, over ranks; lower halves of those only
/// whose upper half is `upper`.
Counts count_halves(const Communicator& comm, const EachValues& each, std::optional<std::uint32_t> upper) {
  Counts counts(1 << 16, 0);
  each([&](const float* values, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      const std::uint32_t bits = bits_of_magnitude(values[i]);
      if (!upper)
        ++counts[bits >> 16];
      else if (bits >> 16 == *upper)
        ++counts[bits & 0xffff];
    }
  });
  return comm.sum(std::move(counts));
}

/// The half that value number `wanted` has, which becomes its number among those.
std::uint32_t half_with(const Counts& counts, std::int64_t& wanted) {
  std::uint32_t half = 0;
  for (; half + 1 < counts.size() && wanted >= counts[half]; ++half) wanted -= counts[half];
  return half;
}

}  // namespace

MagnitudeCut::MagnitudeCut(const Communicator& comm, std::int64_t count, const EachValues& each)
    : comm_(comm) {
  std::int64_t left = count;  // the cut is at value number `count` of the sorted ones
  const std::uint32_t upper = half_with(count_halves(comm, each, std::nullopt), left);
  bits_ = upper << 16 | half_with(count_halves(comm, each, upper), left);
  equal_ = left;
}

void MagnitudeCut::prune(const PrunedRows& rows) {
  const std::int64_t size = rows.count * rows.columns;
  std::int64_t own = 0;
  for (std::int64_t i = 0; i < size; ++i) own += bits_of_magnitude(rows.weights[i]) == bits_;
  const std::int64_t before = comm_.exclusive_scan(own), all = comm_.sum(own);
  std::int64_t left = std::max<std::int64_t>(0, equal_ - before);
  for (std::int64_t i = 0; i < size; ++i) {
    const std::uint32_t bits = bits_of_magnitude(rows.weights[i]);
    if (bits < bits_ || (bits == bits_ && left-- > 0)) rows.weights[i] = 0;
  }
  equal_ -= std::min(equal_, all);
}

void prune_by_magnitude(const Communicator& comm, const PrunedRows& rows, const Pattern& pattern) {
  const std::int64_t size = rows.count * rows.columns;
  if (!pattern.two_of_four)
    return MagnitudeCut(comm, share_of(pattern.sparsity, rows.all * rows.columns),
                        [&](const auto& visit) { visit(rows.weights, size); })
        .prune(rows);
  const auto score = [&](std::int64_t i) { return std::abs(rows.weights[i]); };
  for (std::int64_t i = 0; i < size; i += 4)
    for (const std::int64_t j : smallest(2, i, i + 4, score)) rows.weights[j] = 0;
}

void prune_by_wanda(const PrunedRows& rows, const Pattern& pattern, const InputStatistics& inputs) {
  const std::int64_t n = rows.columns;
  std::vector<double> norms;
  for (std::int64_t j = 0; j < n; ++j) norms.push_back(std::sqrt(inputs.at(j, j)));
  Kokkos::parallel_for(
      "wanda", Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>(0, rows.count), [&](std::int64_t r) {
        float* row = rows.weights + r * n;
        const auto score = [&](std::int64_t j) { return std::abs(double(row[j])) * norms[std::size_t(j)]; };
        const std::int64_t group = pattern.two_of_four ? 4 : n,
                           count = pattern.two_of_four ? 2 : share_of(pattern.sparsity, n);
        for (std::int64_t first = 0; first < n; first += group)
          for (const std::int64_t j : smallest(count, first, first + group, score)) row[j] = 0;
      });
}

}  // namespace wafermark::llama

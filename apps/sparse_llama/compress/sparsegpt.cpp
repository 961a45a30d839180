#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>

#include "sparse_llama/compress/cholesky.hpp"
#include "sparse_llama/compress/pruning.hpp"
#include "sparse_llama/compress/smallest.hpp"
#include "sparse_llama/model/matrix_product.hpp"

namespace wafermark::llama {
namespace {

constexpr std::int64_t lazy_columns = 128;  // whose updates reach the columns behind them in one product
constexpr double gone_before = -1;          // the score of what an earlier pruning has taken

/// A rank's rows while columns are removed from left to right.
struct Removal {
  const Communicator& comm;
  const PrunedRows& rows;
  const std::vector<double>& upper;
  std::vector<double> w;           ///< [rows.count, rows.columns], updated
  std::vector<std::uint8_t> goes;  ///< the same

  double score(std::int64_t i) const {
    if (rows.weights[i] == 0) return gone_before;  // stays so, whatever the updates have made of it
    const double d = upper[std::size_t((i % rows.columns) * (rows.columns + 1))],
                 value = w[std::size_t(i)] / d;
    return value * value;
  }

  /// Marks those of columns [first, last) that go so that the share holds up to `last`, exactly, in the rows
  /// of all ranks. `gone`: before these columns; returns it with them.
  std::int64_t choose(std::int64_t first, std::int64_t last, double sparsity, std::int64_t gone) {
    const std::int64_t width = last - first;
    std::vector<double> own(std::size_t(rows.count * width));
    for (std::int64_t r = 0; r < rows.count; ++r)
      for (std::int64_t k = 0; k < width; ++k)
        own[std::size_t(r * width + k)] = score(r * rows.columns + first + k);
    const std::int64_t before = comm.exclusive_scan(std::int64_t(own.size()));
    const std::vector<double> all = comm.size() == 1 ? std::move(own) : comm.all_gather(own);
    const auto already = std::int64_t(std::count(all.begin(), all.end(), gone_before));
    const std::int64_t count =
        std::clamp(share_of(sparsity, rows.all * last) - gone, already, rows.all * width);
    for (const std::int64_t k :
         smallest(count, 0, std::int64_t(all.size()), [&](std::int64_t i) { return all[std::size_t(i)]; }))
      if (const std::int64_t i = k - before; i >= 0 && i < rows.count * width)
        goes[std::size_t(i / width * rows.columns + first + i % width)] = 1;
    return gone + count;
  }

  /// Removes the marked ones of columns [first, last) of a row, and makes up for each in the columns to its
  /// right up to `last`; what those behind are owed goes to `errors`. 2:4: marks two of each four first.
  void remove(std::int64_t r, std::int64_t first, std::int64_t last, bool two_of_four, double* errors) {
    double* row = w.data() + r * rows.columns;
    std::uint8_t* own = goes.data() + r * rows.columns;
    for (std::int64_t j = first; j < last; ++j) {
      if (two_of_four && j % 4 == 0) {
        const std::int64_t i = r * rows.columns + j;
        for (const std::int64_t k : smallest(2, i, i + 4, [&](std::int64_t at) { return score(at); }))
          goes[std::size_t(k)] = 1;
      }
      const double* u = upper.data() + j * rows.columns;
      const double error = own[j] != 0 ? row[j] / u[j] : 0.0;
      errors[j - first] = error;
      if (error == 0) continue;
      for (std::int64_t k = j; k < last; ++k) row[k] -= error * u[k];
    }
  }

  void remove(std::int64_t first, std::int64_t last, bool two_of_four) {
    const std::int64_t width = last - first, n = rows.columns;
    std::vector<double> errors(std::size_t(rows.count * width));
    Kokkos::parallel_for(
        "remove columns", Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>(0, rows.count),
        [&](std::int64_t r) { remove(r, first, last, two_of_four, errors.data() + r * width); });
    if (last < n && rows.count > 0)
      matrix_product(Op::none, Op::none, rows.count, n - last, width, -1.0, errors.data(), width,
                     upper.data() + first * n + last, n, 1.0, w.data() + last, n);
  }
};

}  // namespace

std::vector<double> sparsegpt_factor(const InputStatistics& inputs, double damping) {
  const std::int64_t n = inputs.columns;
  std::vector<double> h = inputs.products;
  double trace = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    double& diagonal = h[std::size_t(i * n + i)];
    if (diagonal == 0) diagonal = 1;  // an input that never was anything but zero: its weights cost nothing
    trace += diagonal;
  }
  for (std::int64_t i = 0; i < n; ++i) h[std::size_t(i * n + i)] += damping * trace / double(n);
  invert_symmetric(h, n);
  factor_upper(h, n);
  return h;
}

void prune_by_sparsegpt(const Communicator& comm, const PrunedRows& rows, const Pattern& pattern,
                        const InputStatistics& inputs, const std::vector<double>& factor,
                        std::int64_t block) {
  const std::int64_t n = rows.columns, size = rows.count * n;
  Removal removal{comm, rows, factor, std::vector<double>(rows.weights, rows.weights + size),
                  std::vector<std::uint8_t>(std::size_t(size), 0)};
  for (std::int64_t j = 0; j < n; ++j)  // dead inputs
    if (inputs.at(j, j) == 0)
      for (std::int64_t r = 0; r < rows.count; ++r) removal.w[std::size_t(r * n + j)] = 0;
  std::int64_t gone = 0;
  for (std::int64_t first = 0; first < n; first += block) {
    const std::int64_t last = std::min(first + block, n);
    if (!pattern.two_of_four) gone = removal.choose(first, last, pattern.sparsity, gone);
    for (std::int64_t lazy = first; lazy < last; lazy += lazy_columns)
      removal.remove(lazy, std::min(lazy + lazy_columns, last), pattern.two_of_four);
  }
  for (std::int64_t i = 0; i < size; ++i)
    rows.weights[i] = removal.goes[std::size_t(i)] != 0 ? 0.0f : float(removal.w[std::size_t(i)]);
}

}  // namespace wafermark::llama

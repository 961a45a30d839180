#include <algorithm>
#include <cmath>

#include "sparse_llama/compress/cholesky.hpp"
#include "sparse_llama/compress/pruning.hpp"
#include "sparse_llama/compress/smallest.hpp"

namespace wafermark::llama {
namespace {

/// X X^T, damped; inputs that never were anything but zero get 1 on the diagonal (their weights cost
/// nothing).
std::vector<double> hessian(const InputStatistics& inputs, double damping) {
  const std::int64_t n = inputs.columns;
  std::vector<double> h = inputs.products;
  double trace = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    double& diagonal = h[std::size_t(i * n + i)];
    if (diagonal == 0) diagonal = 1;
    trace += diagonal;
  }
  for (std::int64_t i = 0; i < n; ++i) h[std::size_t(i * n + i)] += damping * trace / double(n);
  return h;
}

}  // namespace

void prune_by_sparsegpt(float* weights, std::int64_t rows, std::int64_t columns, const Pattern& pattern,
                        const InputStatistics& inputs, std::int64_t block, double damping) {
  // Row i of `upper`, from the diagonal on, divided by it, is the update that removing column i calls for
  // when the columns before i are settled: the Cholesky factor holds the inverses of all trailing Hessians at
  // once.
  std::vector<double> upper = hessian(inputs, damping);
  invert_symmetric(upper, columns);
  factor_upper(upper, columns);
  std::vector<double> w(weights, weights + rows * columns);
  for (std::int64_t r = 0; r < rows; ++r)  // dead inputs
    for (std::int64_t j = 0; j < columns; ++j)
      if (inputs.at(j, j) == 0) w[std::size_t(r * columns + j)] = 0;

  std::vector<std::uint8_t> goes(std::size_t(rows * columns), 0);
  const auto score = [&](std::int64_t i) {
    if (weights[i] == 0) return -1.0;  // pruned before: stays so, whatever the updates have made of it
    const double d = upper[std::size_t((i % columns) * (columns + 1))], value = w[std::size_t(i)] / d;
    return value * value;
  };
  std::int64_t gone = 0;
  for (std::int64_t first = 0; first < columns; first += block) {
    const std::int64_t last = std::min(first + block, columns), width = last - first;
    if (!pattern.two_of_four) {  // so many that the share holds up to here, exactly
      std::int64_t before = 0;   // zeros of an earlier pruning, in this block
      for (std::int64_t k = 0; k < rows * width; ++k)
        before += weights[k / width * columns + first + k % width] == 0;
      const std::int64_t count =
          std::clamp(share_of(pattern.sparsity, rows * last) - gone, before, rows * width);
      const auto of_block = [&](std::int64_t k) { return score(k / width * columns + first + k % width); };
      for (const std::int64_t k : smallest(count, 0, rows * width, of_block))
        goes[std::size_t(k / width * columns + first + k % width)] = 1;
      gone += count;
    }
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t j = first; j < last; ++j) {
        if (pattern.two_of_four && j % 4 == 0)
          for (const std::int64_t i : smallest(2, r * columns + j, r * columns + j + 4, score))
            goes[std::size_t(i)] = 1;
        if (goes[std::size_t(r * columns + j)] == 0) continue;
        double* row = w.data() + r * columns;
        const double* u = upper.data() + j * columns;
        const double error = row[j] / u[j];
        for (std::int64_t k = j; k < columns; ++k) row[k] -= error * u[k];
      }
  }
  for (std::int64_t i = 0; i < rows * columns; ++i)
    weights[i] = goes[std::size_t(i)] != 0 ? 0.0f : float(w[std::size_t(i)]);
}

}  // namespace wafermark::llama

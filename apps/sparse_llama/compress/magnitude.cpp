#include <algorithm>
#include <cmath>
#include <numeric>

#include "sparse_llama/compress/pruning.hpp"
#include "sparse_llama/compress/smallest.hpp"

namespace wafermark::llama {

void prune_by_magnitude(float* weights, std::int64_t rows, std::int64_t columns, const Pattern& pattern) {
  const auto score = [&](std::int64_t i) { return std::abs(weights[i]); };
  if (pattern.two_of_four) {
    for (std::int64_t i = 0; i < rows * columns; i += 4)
      for (const std::int64_t j : smallest(2, i, i + 4, score)) weights[j] = 0;
    return;
  }
  for (const std::int64_t i : smallest(share_of(pattern.sparsity, rows * columns), 0, rows * columns, score))
    weights[i] = 0;
}

void prune_by_wanda(float* weights, std::int64_t rows, std::int64_t columns, const Pattern& pattern,
                    const InputStatistics& inputs) {
  for (std::int64_t r = 0; r < rows; ++r) {
    float* row = weights + r * columns;
    const auto score = [&](std::int64_t j) { return std::abs(double(row[j])) * std::sqrt(inputs.at(j, j)); };
    if (pattern.two_of_four) {
      for (std::int64_t first = 0; first < columns; first += 4)
        for (const std::int64_t j : smallest(2, first, first + 4, score)) row[j] = 0;
      continue;
    }
    for (const std::int64_t j : smallest(share_of(pattern.sparsity, columns), 0, columns, score)) row[j] = 0;
  }
}

}  // namespace wafermark::llama

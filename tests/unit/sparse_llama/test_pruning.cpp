// Pruning: exact sparsity, order of the methods on a correlated layer, SparseGPT against least squares.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "common/errors.hpp"
#include "sparse_llama/compress/cholesky.hpp"
#include "sparse_llama/compress/pruning.hpp"

namespace wafermark::llama {
namespace {

struct Layer {
  std::int64_t rows, columns;
  std::vector<float> weights;
  InputStatistics inputs;
};

/// Gaussian weights; inputs that are mixtures of fewer sources, with very different strengths.
Layer correlated_layer(std::int64_t rows, std::int64_t columns, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  Layer layer{rows, columns, {}, InputStatistics(columns)};
  for (std::int64_t i = 0; i < rows * columns; ++i) layer.weights.push_back(float(normal(random)));
  const std::int64_t sources = columns / 2;
  std::vector<double> mixing, strength;
  for (std::int64_t i = 0; i < columns * sources; ++i) mixing.push_back(normal(random));
  for (std::int64_t i = 0; i < columns; ++i) strength.push_back(std::exp(normal(random)));
  for (int token = 0; token < 600; ++token) {
    std::vector<double> source, x;
    for (std::int64_t s = 0; s < sources; ++s) source.push_back(normal(random));
    for (std::int64_t i = 0; i < columns; ++i) {
      double sum = 0.3 * normal(random);
      for (std::int64_t s = 0; s < sources; ++s)
        sum += mixing[std::size_t(i * sources + s)] * source[std::size_t(s)];
      x.push_back(strength[std::size_t(i)] * sum);
    }
    for (std::int64_t i = 0; i < columns; ++i)
      for (std::int64_t j = 0; j < columns; ++j)
        layer.inputs.products[std::size_t(i * columns + j)] += x[std::size_t(i)] * x[std::size_t(j)];
  }
  return layer;
}

/// ||(W' - W) X||^2 by plain loops.
double output_error(const Layer& layer, const std::vector<float>& pruned) {
  double sum = 0;
  const std::int64_t n = layer.columns;
  for (std::int64_t r = 0; r < layer.rows; ++r)
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < n; ++j) {
        const auto a = std::size_t(r * n + i), b = std::size_t(r * n + j);
        sum += (double(pruned[a]) - double(layer.weights[a])) * layer.inputs.at(i, j) *
               (double(pruned[b]) - double(layer.weights[b]));
      }
  return sum;
}

std::int64_t zeros(const std::vector<float>& w) { return std::count(w.begin(), w.end(), 0.0f); }

std::vector<float> pruned(const Layer& layer, PruningMethod method, Pattern pattern,
                          std::int64_t block = 32) {
  std::vector<float> w = layer.weights;
  const Communicator comm(MPI_COMM_SELF);
  const PrunedRows rows{w.data(), layer.rows, layer.columns, layer.rows};
  if (method == PruningMethod::magnitude) prune_by_magnitude(comm, rows, pattern);
  if (method == PruningMethod::wanda) prune_by_wanda(rows, pattern, layer.inputs);
  if (method == PruningMethod::sparsegpt)
    prune_by_sparsegpt(comm, rows, pattern, layer.inputs, sparsegpt_factor(layer.inputs, 0.01), block);
  return w;
}

constexpr PruningMethod methods[] = {PruningMethod::magnitude, PruningMethod::wanda,
                                     PruningMethod::sparsegpt};

TEST(Pruning, LeavesExactlyTheAskedShareOfWeights) {
  const Layer layer = correlated_layer(24, 80, 1);
  for (const auto method : methods)
    for (const double sparsity : {0.0, 0.137, 0.5, 0.7, 0.95, 1.0}) {
      const std::int64_t expected = method == PruningMethod::wanda ? 24 * std::llround(sparsity * 80)
                                                                   : std::llround(sparsity * 24 * 80);
      EXPECT_EQ(zeros(pruned(layer, method, {sparsity, false})), expected) << int(method) << " " << sparsity;
    }
}

TEST(Pruning, LeavesTwoOfEachFourNeighbours) {
  const Layer layer = correlated_layer(16, 64, 2);
  for (const auto method : methods) {
    const auto w = pruned(layer, method, {0, true});
    for (std::size_t i = 0; i < w.size(); i += 4)
      EXPECT_EQ(std::count(w.begin() + std::ptrdiff_t(i), w.begin() + std::ptrdiff_t(i) + 4, 0.0f), 2)
          << int(method);
  }
}

TEST(Pruning, SparseGptKeepsTheOutputsBetterThanWandaAndMagnitude) {
  for (const unsigned seed : {3u, 4u, 5u}) {
    const Layer layer = correlated_layer(32, 96, seed);
    for (const Pattern pattern : {Pattern{0.5, false}, Pattern{0.7, false}, Pattern{0, true}}) {
      const double magnitude = output_error(layer, pruned(layer, PruningMethod::magnitude, pattern));
      const double wanda = output_error(layer, pruned(layer, PruningMethod::wanda, pattern));
      const double sparsegpt = output_error(layer, pruned(layer, PruningMethod::sparsegpt, pattern));
      EXPECT_LT(wanda, magnitude);
      EXPECT_LT(sparsegpt, 0.7 * wanda);
    }
  }
}

TEST(Pruning, FurtherPruningKeepsTheZerosThatAreThere) {
  const Layer layer = correlated_layer(24, 64, 6);
  for (const auto method : methods) {
    Layer half = layer;
    half.weights = pruned(layer, method, {0.5, false});
    const auto w = pruned(half, method, {0.75, false});
    for (std::size_t i = 0; i < w.size(); ++i)
      if (half.weights[i] == 0) {
        EXPECT_EQ(w[i], 0.0f) << int(method);
      }
    EXPECT_EQ(zeros(w), 24 * 64 * 3 / 4) << int(method);
  }
}

/// With all of a row's pruned columns on the left, nothing is frozen before the updates end: what SparseGPT
/// leaves in the other columns is the exact minimiser of the damped error, which normal equations give too.
TEST(Pruning, SparseGptUpdateIsTheLeastSquaresSolution) {
  Layer layer = correlated_layer(1, 12, 7);
  const std::int64_t n = 12, gone = 5;
  for (std::int64_t i = 0; i < gone; ++i) layer.weights[std::size_t(i)] *= 1e-2f;  // surely the ones to go
  auto w = layer.weights;
  const double damping = 0.01;
  prune_by_sparsegpt(Communicator(MPI_COMM_SELF), {w.data(), 1, n, 1}, {double(gone) / double(n), false},
                     layer.inputs, sparsegpt_factor(layer.inputs, damping), n);
  ASSERT_EQ(zeros(w), gone);

  std::vector<double> h = layer.inputs.products;
  double trace = 0;
  for (std::int64_t i = 0; i < n; ++i) trace += h[std::size_t(i * n + i)];
  for (std::int64_t i = 0; i < n; ++i) h[std::size_t(i * n + i)] += damping * trace / double(n);
  // minimise d^T H d with d = -w on the pruned part: H_kk d_k = H_kp w_p on the kept part, by Gauss
  // elimination
  const std::int64_t m = n - gone;
  std::vector<std::vector<double>> a(std::size_t(m), std::vector<double>(std::size_t(m) + 1));
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < m; ++j)
      a[std::size_t(i)][std::size_t(j)] = h[std::size_t((gone + i) * n + gone + j)];
    for (std::int64_t p = 0; p < gone; ++p)
      a[std::size_t(i)][std::size_t(m)] +=
          h[std::size_t((gone + i) * n + p)] * double(layer.weights[std::size_t(p)]);
  }
  for (std::size_t i = 0; i < std::size_t(m); ++i)
    for (std::size_t k = 0; k < std::size_t(m); ++k)
      if (k != i) {
        const double factor = a[k][i] / a[i][i];
        for (std::size_t j = i; j <= std::size_t(m); ++j) a[k][j] -= factor * a[i][j];
      }
  for (std::size_t i = 0; i < std::size_t(m); ++i) {
    const std::size_t at = std::size_t(gone) + i;
    EXPECT_NEAR(w[at] - layer.weights[at], a[i][std::size_t(m)] / a[i][i], 2e-7 * std::abs(layer.weights[at]))
        << i;
  }
}

/// SparseGPT as published, column by column over whole rows, and the inverse by Gauss elimination.
std::vector<float> pruned_column_by_column(const Layer& layer, double sparsity, std::int64_t block) {
  const std::int64_t n = layer.columns;
  std::vector<double> h = layer.inputs.products;
  double trace = 0;
  for (std::int64_t i = 0; i < n; ++i) trace += h[std::size_t(i * n + i)];
  for (std::int64_t i = 0; i < n; ++i) h[std::size_t(i * n + i)] += 0.01 * trace / double(n);
  std::vector<std::vector<double>> inverses;  // of the trailing Hessians
  for (std::int64_t j = 0; j < n; ++j) {
    const std::int64_t m = n - j;
    std::vector<double> a(std::size_t(m * m)), b(std::size_t(m * m), 0.0);
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t k = 0; k < m; ++k) a[std::size_t(i * m + k)] = h[std::size_t((j + i) * n + j + k)];
      b[std::size_t(i * m + i)] = 1;
    }
    for (std::int64_t i = 0; i < m; ++i) {
      const double pivot = a[std::size_t(i * m + i)];
      for (std::int64_t k = 0; k < m; ++k)
        a[std::size_t(i * m + k)] /= pivot, b[std::size_t(i * m + k)] /= pivot;
      for (std::int64_t r = 0; r < m; ++r) {
        const double factor = r == i ? 0 : a[std::size_t(r * m + i)];
        if (factor == 0) continue;
        for (std::int64_t k = 0; k < m; ++k) {
          a[std::size_t(r * m + k)] -= factor * a[std::size_t(i * m + k)];
          b[std::size_t(r * m + k)] -= factor * b[std::size_t(i * m + k)];
        }
      }
    }
    inverses.push_back(b);
  }
  std::vector<double> w(layer.weights.begin(), layer.weights.end());
  std::vector<std::uint8_t> goes(w.size(), 0);
  std::int64_t gone = 0;
  for (std::int64_t first = 0; first < n; first += block) {
    const std::int64_t last = std::min(n, first + block);
    std::vector<std::pair<double, std::int64_t>> scores;
    for (std::int64_t r = 0; r < layer.rows; ++r)
      for (std::int64_t j = first; j < last; ++j)
        scores.emplace_back(
            w[std::size_t(r * n + j)] * w[std::size_t(r * n + j)] / inverses[std::size_t(j)][0], r * n + j);
    std::sort(scores.begin(), scores.end());
    const std::int64_t count = std::llround(sparsity * double(layer.rows * last)) - gone;
    for (std::int64_t k = 0; k < count; ++k) goes[std::size_t(scores[std::size_t(k)].second)] = 1;
    gone += count;
    for (std::int64_t r = 0; r < layer.rows; ++r)
      for (std::int64_t j = first; j < last; ++j)
        if (const auto& inverse = inverses[std::size_t(j)]; goes[std::size_t(r * n + j)] != 0) {
          const double error = w[std::size_t(r * n + j)] / inverse[0];
          for (std::int64_t k = j; k < n; ++k)
            w[std::size_t(r * n + k)] -= error * inverse[std::size_t(k - j)];
        }
  }
  std::vector<float> out;
  for (std::size_t i = 0; i < w.size(); ++i) out.push_back(goes[i] != 0 ? 0.0f : float(w[i]));
  return out;
}

TEST(Pruning, LazyUpdatesChooseAndChangeAsThoseOfOneColumnAfterTheOther) {
  const Layer layer = correlated_layer(12, 300, 9);  // more columns than one lazy block
  for (const std::int64_t block : {32, 128, 300}) {
    const auto lazy = pruned(layer, PruningMethod::sparsegpt, {0.6, false}, block),
               plain = pruned_column_by_column(layer, 0.6, block);
    for (std::size_t i = 0; i < lazy.size(); ++i) {
      EXPECT_EQ(lazy[i] == 0, plain[i] == 0) << block << " " << i;
      EXPECT_NEAR(lazy[i], plain[i], 1e-5 * std::max(1.0f, std::abs(plain[i]))) << block << " " << i;
    }
    const double error = output_error(layer, plain);
    EXPECT_NEAR(output_error(layer, lazy), error, 1e-3 * error);
    const OutputSquares squares = output_squares(lazy.data(), layer.weights.data(), layer.rows, layer.inputs);
    EXPECT_NEAR(squares.lost, output_error(layer, lazy), 1e-9 * error);
  }
}

TEST(Pruning, OfEqualMagnitudesTheFirstGo) {
  std::vector<float> w{3, -1, 1, 0, 1, -1, 2, -0.0f};
  const Communicator comm(MPI_COMM_SELF);
  for (std::int64_t count = 0; count <= 8; ++count) {
    std::vector<std::pair<float, std::size_t>> sorted;
    for (std::size_t i = 0; i < w.size(); ++i) sorted.emplace_back(std::abs(w[i]), i);
    std::sort(sorted.begin(), sorted.end());
    std::vector<float> expected = w, found = w;
    for (std::int64_t i = 0; i < count; ++i) expected[sorted[std::size_t(i)].second] = 0;
    prune_by_magnitude(comm, {found.data(), 2, 4, 2}, {double(count) / 8, false});
    EXPECT_EQ(found, expected) << count;
  }
}

TEST(Pruning, InverseThroughTheFactorIsTheInverse) {
  const Layer layer = correlated_layer(1, 20, 8);
  auto inverse = layer.inputs.products;
  for (std::size_t i = 0; i < 20; ++i) inverse[i * 20 + i] += 1;
  const auto h = inverse;
  invert_symmetric(inverse, 20);
  for (std::size_t i = 0; i < 20; ++i)
    for (std::size_t j = 0; j < 20; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < 20; ++k) sum += h[i * 20 + k] * inverse[k * 20 + j];
      EXPECT_NEAR(sum, i == j ? 1 : 0, 1e-9);
    }
}

}  // namespace
}  // namespace wafermark::llama

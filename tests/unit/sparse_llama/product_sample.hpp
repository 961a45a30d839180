// A packed matrix and vectors with their products by definition in double precision, for tests of the
// products that a device runs.
#pragma once

#include <cmath>
#include <random>

#include "sparse_llama/cluster/pair_products.hpp"
#include "sparse_llama/cluster/tile_products.hpp"

namespace wafermark::llama {

/// n numbers, a share `density` of which is not zero.
inline std::vector<float> numbers(std::int64_t n, double density = 1, unsigned seed = 1) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  std::bernoulli_distribution kept(density);
  std::vector<float> x;
  for (std::int64_t i = 0; i < n; ++i) x.push_back(kept(engine) ? normal(engine) : 0.0f);
  return x;
}

template <class View>
void fill(const View& view, const std::vector<float>& values) {
  const auto host = Kokkos::create_mirror_view(view);
  std::copy(values.begin(), values.end(), host.data());
  Kokkos::deep_copy(view, host);
}
template <class View>
auto on_host_of(const View& view) {
  return Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
}

/// A matrix, vectors of so many numbers, and their products by definition.
struct Sample {
  std::int64_t rows, columns, vectors;
  PackedMatrix m;
  std::vector<float> x, norm;
  bool normed;
  std::vector<double> exact, size;  // [vector][row]: the product, and of the sizes of its terms

  Sample(Format format, ValueType type, std::int64_t r, std::int64_t c, std::int64_t n, double density,
         bool with_norm)
      : rows(r), columns(c), vectors(n), x(numbers(n * c, 1, 2)), norm(numbers(c, 1, 3)), normed(with_norm) {
    auto w = numbers(rows * columns, density);
    const FormatRow& f = row_of(format);
    for (std::size_t i = 0; i < w.size() && f.kept < f.of; ++i)
      if (std::int64_t(i) % columns % f.of >= f.kept) w[i] = 0;
    m = pack(
        rows, columns, format, type,
        [&](std::int64_t row, float* out) { std::copy_n(w.data() + row * columns, columns, out); }, "matrix",
        1);
    std::vector<float> row(static_cast<std::size_t>(columns));
    for (std::int64_t v = 0; v < vectors; ++v) {
      double squares = 0;
      for (std::int64_t j = 0; j < columns; ++j) squares += std::pow(double(x[std::size_t(v * c + j)]), 2);
      const double scale = normed ? 1 / std::sqrt(squares / double(columns) + 1e-5) : 1;
      for (std::int64_t k = 0; k < rows; ++k) {
        unpack_row(m, k, row.data());
        double sum = 0, sizes = 1;
        for (std::int64_t j = 0; j < columns; ++j) {
          const double term = double(row[std::size_t(j)]) * double(x[std::size_t(v * c + j)]) * scale *
                              (normed ? double(norm[std::size_t(j)]) : 1);
          sum += term;
          sizes += std::abs(term);
        }
        exact.push_back(sum);
        size.push_back(sizes);
      }
    }
  }

  /// By multiply(kernels, matrix, in, out). Vectors are `padding` further apart than they need.
  template <class Multiply>
  Rows multiplied(const Multiply& multiply, PairEnd end, SquareSums* squares, float threshold = -1,
                  const Kokkos::View<std::int64_t, MemSpace>& zeros = {}) const {
    constexpr std::int64_t padding = 3;
    Rows in("in", std::size_t(vectors), std::size_t(columns + padding)),
        out("out", std::size_t(vectors), std::size_t(rows));
    const auto host = Kokkos::create_mirror_view(in);
    for (std::int64_t v = 0; v < vectors; ++v) {
      std::copy_n(x.data() + v * columns, columns, &host(v, 0));
      for (std::int64_t j = 0; j < padding; ++j) host(v, columns + j) = NAN;
    }
    Kokkos::deep_copy(in, host);
    Kokkos::deep_copy(out, 1.0f);
    Kokkos::View<float*, MemSpace> weight("norm", norm.size());
    fill(weight, norm);
    SquareSums of_x{Kokkos::View<float*, MemSpace>("squares", std::size_t(vectors * 2)), 2};  // in two parts
    const auto parts = Kokkos::create_mirror_view(of_x.sums);
    for (std::int64_t v = 0; v < vectors; ++v)
      for (std::int64_t j = 0; j < columns; ++j)
        parts(v * 2 + j % 2) += x[std::size_t(v * columns + j)] * x[std::size_t(v * columns + j)];
    Kokkos::deep_copy(of_x.sums, parts);
    KernelChain kernels;
    multiply(kernels, m,
             {in.data(), std::int64_t(in.stride(0)), vectors, normed ? weight.data() : nullptr, &of_x, 1e-5f},
             {out.data(), std::int64_t(out.stride(0)), end, squares, threshold, zeros.data()});
    return out;
  }
};

}  // namespace wafermark::llama

#include "sparse_llama/compress/cholesky.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace wafermark::llama {

void factor_upper(std::vector<double>& a, std::int64_t n) {
  const auto row = [&](std::int64_t i) { return a.data() + i * n; };
  for (std::int64_t i = 0; i < n; ++i) {
    double* u = row(i);
    if (!(u[i] > 0)) throw std::domain_error("Cholesky factor: the matrix is not positive definite");
    const double d = std::sqrt(u[i]);
    for (std::int64_t j = i; j < n; ++j) u[j] /= d;
    for (std::int64_t k = i + 1; k < n; ++k) {
      double* below = row(k);
      const double factor = u[k];
      for (std::int64_t j = k; j < n; ++j) below[j] -= factor * u[j];
    }
  }
  for (std::int64_t i = 1; i < n; ++i) std::fill_n(row(i), i, 0.0);
}

void invert_symmetric(std::vector<double>& a, std::int64_t n) {
  factor_upper(a, n);
  // V = U^-1, upper triangular, row by row from the last; A^-1 = V V^T.
  std::vector<double> v(std::size_t(n * n));
  for (std::int64_t i = n - 1; i >= 0; --i) {
    double* out = v.data() + i * n;
    out[i] = 1;
    for (std::int64_t k = i + 1; k < n; ++k) {
      const double factor = a[std::size_t(i * n + k)];
      const double* in = v.data() + k * n;
      for (std::int64_t j = k; j < n; ++j) out[j] -= factor * in[j];
    }
    const double d = a[std::size_t(i * n + i)];
    for (std::int64_t j = i; j < n; ++j) out[j] /= d;
  }
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = i; j < n; ++j) {
      double sum = 0;
      for (std::int64_t k = j; k < n; ++k) sum += v[std::size_t(i * n + k)] * v[std::size_t(j * n + k)];
      a[std::size_t(i * n + j)] = a[std::size_t(j * n + i)] = sum;
    }
}

}  // namespace wafermark::llama

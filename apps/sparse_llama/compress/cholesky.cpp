#include "sparse_llama/compress/cholesky.hpp"

#include <algorithm>
#include <stdexcept>

// LAPACK's own names. The upper triangle of a row-major matrix is the lower one of the same array by columns.
extern "C" {
void dpotrf_(const char* triangle, const int* n, double* a, const int* lda, int* info);
void dpotri_(const char* triangle, const int* n, double* a, const int* lda, int* info);
}

namespace wafermark::llama {
namespace {

void factor(std::vector<double>& a, std::int64_t n) {
  const int size = int(n);
  int info = 0;
  dpotrf_("L", &size, a.data(), &size, &info);
  if (info != 0) throw std::domain_error("Cholesky factor: the matrix is not positive definite");
}

}  // namespace

void factor_upper(std::vector<double>& a, std::int64_t n) {
  factor(a, n);
  for (std::int64_t i = 1; i < n; ++i) std::fill_n(a.data() + i * n, i, 0.0);
}

void invert_symmetric(std::vector<double>& a, std::int64_t n) {
  factor(a, n);
  const int size = int(n);
  int info = 0;
  dpotri_("L", &size, a.data(), &size, &info);
  if (info != 0) throw std::domain_error("inverse: the matrix is not positive definite");
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < i; ++j) a[std::size_t(i * n + j)] = a[std::size_t(j * n + i)];
}

}  // namespace wafermark::llama

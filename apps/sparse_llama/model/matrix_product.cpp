#include "sparse_llama/model/matrix_product.hpp"

#include <cblas.h>

#include <Kokkos_Core.hpp>
#include <algorithm>

// Of OpenBLAS and BLIS; null where the BLAS is another one.
extern "C" {
[[gnu::weak]] void openblas_set_num_threads(int);
[[gnu::weak]] int openblas_get_num_threads();
[[gnu::weak]] void bli_thread_set_num_threads(std::int64_t);
[[gnu::weak]] std::int64_t bli_thread_get_num_threads();
}

namespace wafermark::llama {
namespace {
CBLAS_TRANSPOSE blas(Op op) { return op == Op::none ? CblasNoTrans : CblasTrans; }
}  // namespace

namespace {
void set_blas_threads(int n) {
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(n);
  if (bli_thread_set_num_threads != nullptr) bli_thread_set_num_threads(n);
}
int blas_threads() {
  if (openblas_get_num_threads != nullptr) return openblas_get_num_threads();
  return bli_thread_get_num_threads != nullptr ? std::max(1, int(bli_thread_get_num_threads())) : 1;
}
}  // namespace

void one_blas_thread() { set_blas_threads(1); }
OneBlasThread::OneBlasThread() : before_(blas_threads()) {
  if (before_ != 1) set_blas_threads(1);
}
OneBlasThread::~OneBlasThread() {
  if (before_ != 1) set_blas_threads(before_);
}

template <>
void matrix_product(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
                    const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c,
                    std::int64_t ldc) {
  cblas_sgemm(CblasRowMajor, blas(op_a), blas(op_b), int(m), int(n), int(k), alpha, a, int(lda), b, int(ldb),
              beta, c, int(ldc));
}

template <>
void matrix_product(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, double alpha,
                    const double* a, std::int64_t lda, const double* b, std::int64_t ldb, double beta,
                    double* c, std::int64_t ldc) {
  cblas_dgemm(CblasRowMajor, blas(op_a), blas(op_b), int(m), int(n), int(k), alpha, a, int(lda), b, int(ldb),
              beta, c, int(ldc));
}

template <class T>
void shared_product(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const T* a,
                    std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc) {
  using Host = Kokkos::DefaultHostExecutionSpace;
  constexpr double worth_sharing = 1 << 19;  // multiplications: some microseconds, as starting a loop takes
  constexpr std::int64_t whole_panels = 16;  // of BLAS' kernels
  const OneBlasThread one;
  const std::int64_t threads = Host().concurrency();
  if (threads == 1 || double(m) * double(n) * double(k) < worth_sharing) {
    matrix_product(op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    return;
  }
  const bool by_rows = m >= n;
  const std::int64_t all = by_rows ? m : n, each = (all + threads - 1) / threads,
                     piece = (each + whole_panels - 1) / whole_panels * whole_panels;
  Kokkos::parallel_for(
      "product", Kokkos::RangePolicy<Host>(0, (all + piece - 1) / piece, Kokkos::ChunkSize(1)),
      [=](std::int64_t i) {
        const std::int64_t first = i * piece, count = std::min(piece, all - first);
        if (by_rows)
          matrix_product(op_a, op_b, count, n, k, alpha, a + first * (op_a == Op::none ? lda : 1), lda, b,
                         ldb, beta, c + first * ldc, ldc);
        else
          matrix_product(op_a, op_b, m, count, k, alpha, a, lda, b + first * (op_b == Op::none ? 1 : ldb),
                         ldb, beta, c + first, ldc);
      });
}
template void shared_product(Op, Op, std::int64_t, std::int64_t, std::int64_t, float, const float*,
                             std::int64_t, const float*, std::int64_t, float, float*, std::int64_t);
template void shared_product(Op, Op, std::int64_t, std::int64_t, std::int64_t, double, const double*,
                             std::int64_t, const double*, std::int64_t, double, double*, std::int64_t);

void add_gram(std::int64_t n, std::int64_t k, const double* x, double* c) {
  cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, int(n), int(k), 1.0, x, int(n), 1.0, c, int(n));
}

void times_symmetric(std::int64_t m, std::int64_t n, const double* a, const double* s, double* c) {
  cblas_dsymm(CblasRowMajor, CblasRight, CblasUpper, int(m), int(n), 1.0, s, int(n), a, int(n), 0.0, c,
              int(n));
}

}  // namespace wafermark::llama

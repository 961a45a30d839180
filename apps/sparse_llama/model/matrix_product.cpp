#include "sparse_llama/model/matrix_product.hpp"

#include <cblas.h>

// Of OpenBLAS and BLIS; null where the BLAS is another one.
extern "C" {
[[gnu::weak]] void openblas_set_num_threads(int);
[[gnu::weak]] void bli_thread_set_num_threads(std::int64_t);
}

namespace wafermark::llama {
namespace {
CBLAS_TRANSPOSE blas(Op op) { return op == Op::none ? CblasNoTrans : CblasTrans; }
}  // namespace

void one_blas_thread() {
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
  if (bli_thread_set_num_threads != nullptr) bli_thread_set_num_threads(1);
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

void add_gram(std::int64_t n, std::int64_t k, const double* x, double* c) {
  cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, int(n), int(k), 1.0, x, int(n), 1.0, c, int(n));
}

void times_symmetric(std::int64_t m, std::int64_t n, const double* a, const double* s, double* c) {
  cblas_dsymm(CblasRowMajor, CblasRight, CblasUpper, int(m), int(n), 1.0, s, int(n), a, int(n), 0.0, c,
              int(n));
}

}  // namespace wafermark::llama

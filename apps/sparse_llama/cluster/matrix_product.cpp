#include "sparse_llama/cluster/matrix_product.hpp"

#include <cblas.h>

namespace wafermark::llama {
namespace {
CBLAS_TRANSPOSE blas(Op op) { return op == Op::none ? CblasNoTrans : CblasTrans; }
}  // namespace

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

}  // namespace wafermark::llama

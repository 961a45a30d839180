// Dense matrix products of prefill, training and pruning, by BLAS. The only place that knows the BLAS
// interface.
#pragma once

#include <cstdint>

namespace wafermark::llama {

enum class Op { none, transpose };

/// C = alpha op(A) op(B) + beta C; row-major, op(A) is [m, k], op(B) [k, n], C [m, n]; ld: elements from row
/// to row of the matrix as stored. T = float or double.
template <class T>
void matrix_product(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const T* a,
                    std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc);

/// The same, dealt to the threads of Kokkos' host space by rows or columns of C. BLAS' own threads and
/// Kokkos', which keep their cores for a while after each loop, would take turns on the cores. Not from
/// within a parallel loop.
template <class T>
void shared_product(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const T* a,
                    std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc);

/// The upper triangle of C [n, n] += X^T X; X [k, n].
void add_gram(std::int64_t n, std::int64_t k, const double* x, double* c);

/// C [m, n] = A S with the symmetric S [n, n], whose upper triangle is read.
void times_symmetric(std::int64_t m, std::int64_t n, const double* a, const double* s, double* c);

/// From here on a product runs on the thread that asks for it: for callers that are many threads themselves.
void one_blas_thread();
/// The same while the object lives.
class OneBlasThread {
 public:
  OneBlasThread();
  ~OneBlasThread();
  OneBlasThread(const OneBlasThread&) = delete;
  OneBlasThread& operator=(const OneBlasThread&) = delete;

 private:
  int before_;
};

/// y[n, out] = x[n, in] W^T with W[out, in]; adds to y where beta is 1.
template <class T>
void linear(const T* x, const T* w, T* y, std::int64_t n, std::int64_t in, std::int64_t out, T beta = T(0)) {
  shared_product(Op::none, Op::transpose, n, out, in, T(1), x, in, w, in, beta, y, out);
}

/// Backward pass of linear(): adds dy^T x to dw, and dy W to dx (beta 1) or sets it (beta 0).
template <class T>
void linear_backward(const T* x, const T* w, const T* dy, T* dw, T beta, T* dx, std::int64_t n,
                     std::int64_t in, std::int64_t out) {
  shared_product(Op::transpose, Op::none, out, in, n, T(1), dy, out, x, in, T(1), dw, in);
  shared_product(Op::none, Op::none, n, in, out, T(1), dy, out, w, in, beta, dx, in);
}

}  // namespace wafermark::llama

// Cholesky factors of symmetric matrices, row-major [n, n], in double, by LAPACK.
#pragma once

#include <cstdint>
#include <vector>

namespace wafermark::llama {

/// A, whose upper triangle is read, becomes U, upper triangular with A = U^T U; what lies below the diagonal
/// becomes zero. Throws std::domain_error when A is not positive definite.
void factor_upper(std::vector<double>& a, std::int64_t n);

/// A, whose upper triangle is read, becomes its inverse, through its factor.
void invert_symmetric(std::vector<double>& a, std::int64_t n);

}  // namespace wafermark::llama

// A matrix that is stored by inputs times vectors that hold zeros: the weights of inputs that are zero are
// not read.
#pragma once

#include "sparse_llama/cluster/matrix_vectors.hpp"

namespace wafermark::llama {

class ActiveInputs {
 public:
  /// out[v] = sum over inputs i of x[v][i] times row i, or out[v] += that; matrix [inputs][outputs], dense or
  /// bit_mask; x [n >= vectors][inputs], out [n >= vectors][outputs]. Several vectors (a prompt) are
  /// multiplied by BLAS on hosts, zeros and all. Sums do not depend on the number of threads.
  void multiply(const PackedMatrix& matrix, const Rows& x, std::int64_t vectors, bool accumulate,
                const Rows& out);

 private:
  template <class Value>
  void add_rows(const PackedMatrix& matrix, const Rows& x, std::int64_t vectors, bool accumulate,
                const Rows& out);
  template <class Value>
  void multiply_expanded(const PackedMatrix& matrix, const Rows& x, std::int64_t vectors, bool accumulate,
                         const Rows& out);

  Kokkos::View<float*, MemSpace> partial_, expanded_;
};

}  // namespace wafermark::llama

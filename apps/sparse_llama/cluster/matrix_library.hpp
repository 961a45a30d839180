// Dense matrix products by the library of whoever made the device, which knows its tensor cores: cuBLAS,
// rocBLAS; on CPUs BLAS stands in their place, so that what surrounds them runs there too. One source for
// each, chosen by CMake (WAFERMARK_MATRIX_LIBRARY): the only ones that know the libraries' interfaces.
#pragma once

#include <memory>
#include <string>

#include "sparse_llama/cluster/kernel_form.hpp"
#include "sparse_llama/kernels/value_types.hpp"

namespace wafermark::llama {

/// out[v][r] = sum over c of rows[r][c] x[v][c], or out[v][r] += that.
struct DenseProduct {
  const BFloat16* rows;  ///< [count][columns]
  const BFloat16* x;     ///< [vectors][columns]
  std::int64_t count, vectors, columns;
  float* out;           ///< [vectors][stride]
  std::int64_t stride;  ///< at least `count`
  bool accumulate;
};

class MatrixLibrary {
 public:
  /// Whether this build has one.
  static bool there();
  /// Takes what the library works in from the device, once. Throws std::runtime_error where it cannot.
  MatrixLibrary();
  ~MatrixLibrary();
  MatrixLibrary(const MatrixLibrary&) = delete;
  MatrixLibrary& operator=(const MatrixLibrary&) = delete;

  /// With its version, for results: "cuBLAS 13.0.2".
  std::string name() const;

  /// Started behind what `space` runs, and not waited for. Numbers of bf16 are multiplied exactly and summed
  /// in fp32.
  void multiply(const ExecSpace& space, const DenseProduct& product);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace wafermark::llama

// A packed matrix times one or several vectors: decoding and prefill.
#pragma once

#include "sparse_llama/cluster/tile_products.hpp"

namespace wafermark::llama {

/// Multiplies, and keeps room for the vectors in the layout that the kernels want them in.
class MatrixVectors {
 public:
  /// `bf16`: pairs only where this CPU multiplies them (bf16_products.hpp).
  explicit MatrixVectors(Bf16Products bf16) : bf16_(bf16) {}

  /// out[v] = matrix x[v], or out[v] += matrix x[v]; x [n >= vectors][columns], out [n >= vectors][rows].
  void multiply(const PackedMatrix& matrix, const Rows& x, std::int64_t vectors, bool accumulate,
                const Rows& out);

  /// out[v] = row numbers[v] of a dense matrix, zeros where the number is negative; numbers [n >= vectors].
  static void take_rows(const PackedMatrix& matrix, const Kokkos::View<std::int64_t*, MemSpace>& numbers,
                        std::int64_t vectors, const Rows& out);

 private:
  template <class Value, Bf16Products products>
  void multiply_rows(const PackedMatrix& matrix, const Rows& x, std::int64_t first, std::int64_t vectors,
                     bool accumulate, const Rows& out);
  template <class Value>
  void multiply_rows(const PackedMatrix& matrix, const Rows& x, std::int64_t first, std::int64_t vectors,
                     bool accumulate, const Rows& out);
  template <class Value>
  void multiply_block(const PackedMatrix& matrix, const Rows& x, std::int64_t first, std::int64_t vectors,
                      bool accumulate, const Rows& out);
  template <class Value>
  void multiply_panels(const PackedMatrix& matrix, const Rows& x, std::int64_t vectors, bool accumulate,
                       const Rows& out);

  Bf16Products bf16_;
  TileProducts tiles_;
  Kokkos::View<float*, MemSpace> arranged_, scales_, panel_;
  Kokkos::View<std::int16_t*, MemSpace> arranged_int16_;
  Kokkos::View<std::int8_t*, MemSpace> arranged_int8_;
};

}  // namespace wafermark::llama

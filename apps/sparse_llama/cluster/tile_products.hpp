// A matrix in tiles, dense or masked, (kernels/tile_dots.hpp) times any number of vectors.
#pragma once

#include "sparse_llama/cluster/packed_rows.hpp"

namespace wafermark::llama {

using Rows = Kokkos::View<float**, Kokkos::LayoutRight, MemSpace>;  ///< [vectors][elements], on the device

/// Multiplies, and keeps room for the vectors in the order that the kernels want them in.
class TileProducts {
 public:
  /// out[v] = matrix x[v], or out[v] += matrix x[v]; x [n >= vectors][columns], out [n >= vectors][rows].
  template <class Value>
  void multiply(const PackedMatrix& matrix, const Rows& x, std::int64_t vectors, bool accumulate,
                const Rows& out);

 private:
  Kokkos::View<float*, MemSpace> floats_, scales_;
  Kokkos::View<std::int8_t*, MemSpace> bytes_;
  Kokkos::View<std::int32_t*, MemSpace> sums_;
};

}  // namespace wafermark::llama

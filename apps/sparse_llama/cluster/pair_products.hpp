// Products of packed rows and vectors as a device runs them: a warp multiplies a pair of rows, and what comes
// before (RMSNorm, rounding to integers) and behind (the residual stream, SwiGLU) happens in the same launch.
// Rows are not in slices or tiles.
#pragma once

#include "sparse_llama/cluster/kernel_graph.hpp"
#include "sparse_llama/cluster/packed_rows.hpp"
#include "sparse_llama/kernels/hard_threshold.hpp"
#include "sparse_llama/kernels/swiglu.hpp"

namespace wafermark::llama {

/// Sums of the squares of vectors, left by whoever wrote the vectors: [vector][part].
struct SquareSums {
  Kokkos::View<float*, MemSpace> sums;
  std::int64_t parts = 0;  ///< of this pass
};

/// Vectors that are multiplied.
struct ProductInput {
  const float* x;
  std::int64_t stride, count;
  const float* norm = nullptr;  ///< RMSNorm's weight: the normed vectors are multiplied; null: as they are
  const SquareSums* squares = nullptr;  ///< of the vectors, where there is a norm
  float epsilon = 0;
};

/// What becomes of the sums of a pair of rows.
enum class PairEnd {
  store,   ///< out[v][r]; the pair are neighbours
  add,     ///< added to out[v][r]
  swiglu,  ///< out[v][p] from rows p and p + rows / 2, gate and up of a hidden unit
};

struct ProductOutput {
  float* out;
  std::int64_t stride;
  PairEnd end = PairEnd::store;
  SquareSums* squares = nullptr;  ///< add: of the new numbers, where given
  /// swiglu: numbers at most so large in size become zero, and zeros are counted; negative: none.
  float threshold = -1;
  std::int64_t* zeros = nullptr;
};

/// A hidden unit, which `out` may drop and then counts.
KOKKOS_INLINE_FUNCTION float hidden_unit(float gate, float up, const ProductOutput& out) {
  const float unit = swiglu(gate, up);
  if (out.threshold < 0) return unit;
  const float kept = hard_threshold(unit, out.threshold);
  if (kept == 0.0f) Kokkos::atomic_inc(out.zeros);
  return kept;
}

/// Whether the matrix can be multiplied so: rows not in slices or tiles, of values that lanes multiply.
bool suits_pairs(const PackedMatrix& matrix);

/// One kernel. Room for the sums of squares is made where it is too small.
void multiply_pairs(KernelChain& kernels, const PackedMatrix& matrix, const ProductInput& in,
                    const ProductOutput& out);

/// Parts in which a product with so many rows leaves sums of squares.
std::int64_t square_parts(std::int64_t rows);

}  // namespace wafermark::llama

// Tiles of a matrix times N vectors at once. A tile is sixteen rows in words of four columns of all sixteen,
// with a mask for each word or, of a dense matrix, whole (masked = false): expanded, a register of 64 bytes
// has a 32-bit lane for each row, so that sums need no folding, one load with broadcast brings an element of
// a vector to sixteen rows, and a scale is applied once for 128 columns of sixteen rows. What more vectors
// cost is their multiplications alone. (The same order fills the tiles of matrix units: 16 mask words of int8
// are 16 rows of 64 bytes.)
#pragma once

#include "sparse_llama/kernels/gpu_compiler.hpp"
#include "sparse_llama/kernels/row_dots.hpp"

namespace wafermark::llama {

/// Columns that a word of a tile covers.
inline constexpr std::int64_t tile_columns = mask_columns / tile_rows;

/// The bit of a tile's word that stands for a row and one of the four columns; values follow each other
/// in this order. As many columns as fill 32 bits lie side by side, row after row.
KOKKOS_INLINE_FUNCTION constexpr int tile_bit(int row, int column, int value_bytes) {
  const int side = 4 / value_bytes;
  return (column / side * tile_rows + row) * side + column % side;
}
KOKKOS_INLINE_FUNCTION constexpr int tile_row(int bit, int value_bytes) {
  return bit / (4 / value_bytes) % tile_rows;
}
KOKKOS_INLINE_FUNCTION constexpr int tile_column(int bit, int value_bytes) {
  const int side = 4 / value_bytes;
  return bit / (side * tile_rows) * side + bit % side;
}

/// N vectors side by side, four columns of each after the other, zeros past the matrix's columns: for each
/// mask word [N][4] numbers. For int8 rows an element is an integer within +-activation_range (as in
/// row_dots.hpp) q = 128 high + low with two integers of 8 bits: for each mask word [N][4 high, 4 low]. For
/// int4 rows an element is an integer of 8 bits.
template <class Value>
struct TileVectors {
  static constexpr bool int8 = std::is_same_v<Value, std::int8_t>;
  static constexpr std::int64_t elements = int8 ? 2 * tile_columns : tile_columns;  ///< of a mask word
  using X = std::conditional_t<is_scaled<Value>, std::int8_t, float>;
  const X* x;
  const float* scales;       ///< int8, int4: [N][groups]
  const std::int32_t* sums;  ///< int8, int4: [N][groups], sums of the integers
};

namespace portable {

/// 64 elements of one of N vectors, which begins at `to`; int8, int4: integers, `inverse_scale` times them.
/// Returns the sum of these.
template <class Value, class X>
KOKKOS_INLINE_FUNCTION std::int32_t arrange_for_tiles(const float* from, float inverse_scale, int N, X* to) {
  std::int32_t sum = 0;
  constexpr std::int64_t elements = TileVectors<Value>::elements;
  for (std::int64_t j = 0; j < mask_columns; j += tile_columns, to += N * elements)
    for (std::int64_t c = 0; c < tile_columns; ++c)
      if constexpr (std::is_same_v<Value, std::int8_t>) {
        const int q = quantised<std::int16_t>(from[j + c], inverse_scale, activation_range);
        const int high = (q + 64) >> 7;
        to[c] = X(high);
        to[tile_columns + c] = X(q - 128 * high);
        sum += q;
      } else if constexpr (std::is_same_v<Value, Int4Pair>) {
        to[c] = quantised<X>(from[j + c], inverse_scale, narrow_activation_range);
        sum += to[c];
      } else {
        to[c] = from[j + c];
      }
  return sum;
}

/// out[v * tile_rows + row] = row . vector v; of several lanes, lane l takes rows l, l + lanes, ...
template <bool masked, int N, class Value>
KOKKOS_INLINE_FUNCTION void tile_dots(const StoredRows<Value>& tile, const TileVectors<Value>& in, float* out,
                                      int lane = 0, int lanes = 1) {
  constexpr bool int8 = std::is_same_v<Value, std::int8_t>;
  using Sum = std::conditional_t<int8, std::int32_t, float>;
  constexpr std::int64_t elements = TileVectors<Value>::elements;
  const std::int64_t all = tile.words * tile_rows, step = int8 ? group_columns / tile_columns : all;
  for (int row = lane; row < tile_rows; row += lanes)
    for (int v = 0; v < N; ++v) out[v * tile_rows + row] = 0;
  const Value* w = tile.values;
  for (std::int64_t first = 0, g = 0; first < all; first += step, ++g) {
    Sum sums[N * tile_rows] = {};
    for (std::int64_t k = first; k < Kokkos::min(first + step, all); ++k)
      for (MaskWord rest = masked ? tile.mask[k] : ~MaskWord(0); rest != 0; rest &= rest - 1, ++w) {
        const int bit = Kokkos::countr_zero(rest), row = tile_row(bit, sizeof(Value));
        if (row % lanes != lane) continue;
        const auto* x = in.x + k * N * elements + tile_column(bit, sizeof(Value));
        for (int v = 0; v < N; ++v, x += elements)
          if constexpr (int8)
            sums[v * tile_rows + row] += Sum(*w) * (128 * Sum(x[0]) + Sum(x[tile_columns]));
          else
            sums[v * tile_rows + row] += Sum(*w) * x[0];
      }
    for (int row = lane; row < tile_rows; row += lanes)
      for (int v = 0; v < N; ++v)
        if constexpr (int8)
          out[v * tile_rows + row] +=
              float(sums[v * tile_rows + row]) *
              (float(tile.scales[g * tile_rows + row]) * in.scales[v * tile.groups() + g]);
        else
          out[v * tile_rows + row] += sums[v * tile_rows + row];
  }
}

}  // namespace portable
}  // namespace wafermark::llama

#if defined(__AVX512VBMI2__) && defined(__AVX512VNNI__) && !defined(WAFERMARK_GPU_COMPILER)
#include "sparse_llama/kernels/tile_dots_avx512.hpp"
namespace wafermark::llama {
inline constexpr bool host_likes_tiles = true;
}  // namespace wafermark::llama
#else
namespace wafermark::llama {
inline constexpr bool host_likes_tiles = false;
#if defined(__AVX2__) && defined(__FMA__) && !defined(WAFERMARK_GPU_COMPILER)
namespace avx2 {  // for matrices that another machine has packed
using portable::arrange_for_tiles;
template <bool masked, int N, class Value>
inline void tile_dots(const StoredRows<Value>& tile, const TileVectors<Value>& in, float* out) {
  portable::tile_dots<masked, N>(tile, in, out);
}
}  // namespace avx2
#endif
}  // namespace wafermark::llama
#endif

#include "sparse_llama/kernels/int4_dots.hpp"

// What row_dots.hpp and tile_dots.hpp do, for rows and tiles of int4 values (int4_values.hpp). Included by
// tile_dots.hpp.
#pragma once

#include "sparse_llama/kernels/gpu_compiler.hpp"
#include "sparse_llama/kernels/int4_values.hpp"

namespace wafermark::llama::portable {

/// out[q * N + v] = row q . vector v, or lane `lane`'s share of it; dense rows: 64 bytes a group, one row
/// after the other.
template <bool masked, int H, int N>
KOKKOS_INLINE_FUNCTION void row_dots(const StoredRows<Int4Pair>& rows, const Vectors<Int4Pair>& in,
                                     float* out, int lane = 0, int lanes = 1) {
  for (int k = 0; k < H * N; ++k) out[k] = 0;
  const Int4Pair* next = rows.values;
  for (std::int64_t g = 0; g < rows.groups(); ++g) {
    std::int32_t sums[N][H] = {};
    const std::int64_t words = Kokkos::min(std::int64_t(2), rows.words - 2 * g);
    const auto word = [&](std::int64_t k, Int4Run& run) {
      const std::int8_t* x = in.x + (2 * g + k) * mask_columns;
      const Int4Run begin = run;
      for (int v = 0; v < N; ++v) {
        run = begin;
        if constexpr (masked) {
          masked_dots(rows.mask + (2 * g + k) * H, 1, run, x + v * in.stride, sums[v], lane, lanes);
        } else {
          for (int q = 0; q < H; ++q) {
            const Int4Run row{rows.values + (q * rows.groups() + g) * mask_columns, run.shift};
            sums[v][q] += dense_dot<std::int32_t>(row, x + v * in.stride, mask_columns, lane, lanes);
          }
        }
      }
    };
    each_half(next, words, word);
    for (int q = 0; q < H; ++q)
      for (int v = 0; v < N; ++v)
        out[q * N + v] += float(sums[v][q]) * float(rows.scales[q * rows.groups() + g]) *
                          in.scales[v * in.scale_stride + g];
  }
}

/// sums[j] += x times column j of one row, or lane `lane`'s share of it.
template <bool masked>
KOKKOS_INLINE_FUNCTION void row_add(const StoredRows<Int4Pair>& row, float x, float* sums, int lane = 0,
                                    int lanes = 1) {
  const Int4Pair* next = row.values;
  for (std::int64_t g = 0; g < row.groups(); ++g) {
    const float times = x * float(row.scales[g]);
    each_half(next, Kokkos::min(std::int64_t(2), row.words - 2 * g), [&](std::int64_t k, Int4Run& run) {
      float* to = sums + (2 * g + k) * mask_columns;
      if constexpr (masked) {
        masked_add_of_lane(row.mask + 2 * g + k, 1, run, times, to, lane, lanes);
      } else {
        for (std::int64_t j = lane; j < mask_columns; j += lanes) to[j] += float(run[j]) * times;
        run += mask_columns;
      }
    });
  }
}

/// out[v * tile_rows + row] = row . vector v; of several lanes, lane l takes rows l, l + lanes, ...
template <bool masked, int N>
KOKKOS_INLINE_FUNCTION void tile_dots(const StoredRows<Int4Pair>& tile, const TileVectors<Int4Pair>& in,
                                      float* out, int lane = 0, int lanes = 1) {
  for (int row = lane; row < tile_rows; row += lanes)
    for (int v = 0; v < N; ++v) out[v * tile_rows + row] = 0;
  const Int4Pair* next = tile.values;
  for (std::int64_t g = 0; g < tile.groups(); ++g) {
    std::int32_t sums[N * tile_rows] = {};
    const auto half = [&](std::int64_t k, Int4Run& run) {
      for (std::int64_t i = (2 * g + k) * tile_rows; i < (2 * g + k + 1) * tile_rows; ++i)
        for (MaskWord rest = masked ? tile.mask[i] : ~MaskWord(0); rest != 0; rest &= rest - 1, ++run) {
          const int bit = Kokkos::countr_zero(rest), row = tile_row(bit, sizeof(Int4Pair));
          if (row % lanes != lane) continue;
          const std::int8_t* x = in.x + i * N * tile_columns + tile_column(bit, sizeof(Int4Pair));
          for (int v = 0; v < N; ++v)
            sums[v * tile_rows + row] += std::int32_t(*run) * std::int32_t(x[v * tile_columns]);
        }
    };
    each_half(next, Kokkos::min(std::int64_t(2), tile.words - 2 * g), half);
    for (int row = lane; row < tile_rows; row += lanes)
      for (int v = 0; v < N; ++v)
        out[v * tile_rows + row] +=
            float(sums[v * tile_rows + row]) *
            (float(tile.scales[g * tile_rows + row]) * in.scales[v * tile.groups() + g]);
  }
}

}  // namespace wafermark::llama::portable

#if defined(__AVX2__) && defined(__FMA__) && !defined(WAFERMARK_GPU_COMPILER)
#include "sparse_llama/kernels/int4_dots_avx2.hpp"
#if defined(__AVX512VBMI2__) && defined(__AVX512VNNI__)
#include "sparse_llama/kernels/int4_dots_avx512.hpp"
#endif
#endif

// One stored row times N vectors at once: what decoding (N = 1) and small batches spend their time on. The
// portable form serves every device; row_dots_avx512.hpp and row_dots_avx2.hpp hold the same for CPUs whose
// vectors can expand packed values, which Kokkos::simd cannot express.
#pragma once

#include <type_traits>

#include "sparse_llama/kernels/row_dot.hpp"

namespace wafermark::llama {

/// A row of a dense (mask null) or masked matrix, of `words` times 64 columns. int8: one scale for each 128
/// columns.
template <class Value>
struct StoredRow {
  const MaskWord* mask;
  const Value* values;
  const BFloat16* scales;
  std::int64_t words;
};

/// N vectors of 64 * words elements, zeros past the matrix's columns; vector v begins at x + v * stride.
/// For int8 rows they are int16 within +-activation_range with one scale for each 128, far below the rounding
/// of the weights; products then sum exactly in 32-bit integers, even where a lane of eight columns holds 256
/// times their sum. Column j lies where the instruction set's
/// place<Value>(j, masked) says.
inline constexpr float activation_range = 16383;
template <class Value>
struct Vectors {
  using X = std::conditional_t<std::is_same_v<Value, std::int8_t>, std::int16_t, float>;
  const X* x;
  std::int64_t stride;
  const float* scales;
  std::int64_t scale_stride;
};

namespace portable {

template <class Value>
KOKKOS_INLINE_FUNCTION constexpr std::int64_t place(std::int64_t j, bool /*masked*/) {
  return j;
}

/// out[v] = row . vector v, or lane `lane`'s share of it when several lanes walk the row in step.
template <bool masked, int N, class Value>
KOKKOS_INLINE_FUNCTION void row_dots(const StoredRow<Value>& row, const Vectors<Value>& in, float* out,
                                     int lane = 0, int lanes = 1) {
  constexpr bool int8 = std::is_same_v<Value, std::int8_t>;
  using Sum = std::conditional_t<int8, std::int32_t, float>;
  const std::int64_t step = int8 ? group_columns / mask_columns : row.words;
  for (int v = 0; v < N; ++v) out[v] = 0;
  const Value* values = row.values;
  for (std::int64_t first = 0; first < row.words; first += step) {
    const std::int64_t words = Kokkos::min(step, row.words - first);
    const Value* next = values;
    for (int v = 0; v < N; ++v) {
      const auto* x = in.x + v * in.stride + first * mask_columns;
      next = values;
      Sum sum = 0;
      if constexpr (!masked) {
        sum = dense_dot<Sum>(values, x, words * mask_columns, lane, lanes);
        next = values + words * mask_columns;
      } else if (lanes == 1) {
        sum = masked_dot<Sum>(row.mask + first, words, next, x);
      } else {
        sum = masked_dot_of_lane<Sum>(row.mask + first, words, next, x, lane, lanes);
      }
      if constexpr (int8)
        out[v] +=
            float(sum) * float(row.scales[first / step]) * in.scales[v * in.scale_stride + first / step];
      else
        out[v] += sum;
    }
    values = next;
  }
}

/// The 64 columns of a word as fp32 numbers, `scale` times the values; `w` moves on to the next word's.
template <class Value>
KOKKOS_INLINE_FUNCTION void expand_word(MaskWord mask, const Value*& w, float scale, float* out) {
  for (std::int64_t j = 0; j < mask_columns; ++j) out[j] = 0;
  masked_add(&mask, 1, w, scale, out);
  w += Kokkos::popcount(mask);
}

/// sums[j] += x times column j of the row, or lane `lane`'s share of it: for matrices stored by inputs, whose
/// rows are read only where x is not zero. Columns lie as they are; `sums` has room for whole words.
template <bool masked, class Value>
KOKKOS_INLINE_FUNCTION void row_add(const StoredRow<Value>& row, float x, float* sums, int lane = 0,
                                    int lanes = 1) {
  constexpr bool int8 = std::is_same_v<Value, std::int8_t>;
  const std::int64_t step = int8 ? group_columns / mask_columns : row.words;
  const Value* values = row.values;
  for (std::int64_t first = 0; first < row.words; first += step) {
    const std::int64_t words = Kokkos::min(step, row.words - first);
    float* to = sums + first * mask_columns;
    float times = x;
    if constexpr (int8) times *= float(row.scales[first / step]);
    if constexpr (masked) {
      masked_add_of_lane(row.mask + first, words, values, times, to, lane, lanes);
    } else {
      for (std::int64_t j = lane; j < words * mask_columns; j += lanes) to[j] += float(values[j]) * times;
      values += words * mask_columns;
    }
  }
}

/// CSR: float sums whatever the value type.
template <class Value>
KOKKOS_INLINE_FUNCTION float indexed_dot(const std::uint16_t* columns, const Value* w, const float* x,
                                         std::int64_t n, int lane = 0, int lanes = 1) {
  return wafermark::llama::indexed_dot<float>(columns, w, x, n, lane, lanes);
}

}  // namespace portable
}  // namespace wafermark::llama

// nvcc need not understand a CPU's intrinsics.
#if defined(__AVX2__) && defined(__FMA__) && !defined(__CUDACC__)
#include "sparse_llama/kernels/row_dots_avx2.hpp"
#endif
#if defined(__AVX512VBMI2__) && defined(__AVX512VNNI__) && !defined(__CUDACC__)
#include "sparse_llama/kernels/row_dots_avx512.hpp"
namespace wafermark::llama {
namespace host = avx512;  // the best form for this CPU
namespace avx512 {
using avx2::expand_word;
using avx2::indexed_dot;
using avx2::row_add;
}  // namespace avx512
inline constexpr const char* host_instructions = "AVX-512";
}  // namespace wafermark::llama
#elif defined(__AVX2__) && defined(__FMA__) && !defined(__CUDACC__)
namespace wafermark::llama {
namespace host = avx2;
inline constexpr const char* host_instructions = "AVX2";
}  // namespace wafermark::llama
#else
namespace wafermark::llama {
namespace host = portable;
inline constexpr const char* host_instructions = "portable";
}  // namespace wafermark::llama
#endif

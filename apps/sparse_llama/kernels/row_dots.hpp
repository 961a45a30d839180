// Stored rows times N vectors at once: what decoding (N = 1), batches and prompts spend their time on. The
// portable form serves every device; row_dots_avx512.hpp and row_dots_avx2.hpp hold the same for CPUs whose
// vectors can expand packed values, which Kokkos::simd cannot express.
#pragma once

#include <type_traits>

#include "sparse_llama/kernels/gpu_compiler.hpp"
#include "sparse_llama/kernels/quantise.hpp"
#include "sparse_llama/kernels/row_dot.hpp"
#include "sparse_llama/kernels/vector_loop.hpp"

namespace wafermark::llama {

/// H rows of `words` times 64 columns: rows of a dense matrix (mask null), one after the other, or a slice of
/// a masked one, in which word i of each row and its values stand side by side before word i + 1 (sliced
/// ELLPACK of Monakov et al. 2010 with bit masks for column numbers). A slice's weights are one stream from
/// memory, and each element of a vector is loaded once for H rows. int8: one scale for each 128 columns, row
/// after row.
template <class Value>
struct StoredRows {
  const MaskWord* mask;
  const Value* values;
  const BFloat16* scales;
  std::int64_t words;

  KOKKOS_INLINE_FUNCTION std::int64_t groups() const { return (words + 1) / 2; }
};

/// How an element of a vector meets a bf16 value.
enum class Bf16Products {
  fp32,  ///< the value becomes an fp32 number
  pairs  ///< two neighbouring values at once stay bf16 (vdpbf16ps), the element is a sum of two bf16 numbers
};

/// N vectors of 64 * words elements, zeros past the matrix's columns; vector v begins at x + v * stride.
/// For int8 rows they are int16 within +-activation_range with one scale for each 128, far below the rounding
/// of the weights; products then sum exactly in 32-bit integers, even where a lane of eight columns holds 256
/// times their sum. For int4 rows they are int8 within +-narrow_activation_range, a tenth of the rounding of
/// the weights (llama.cpp gives its 4-bit types such, with a scale for each 32). Elements lie as the
/// instruction set's arrange_word() arranges them.
inline constexpr float activation_range = 8191, narrow_activation_range = 127;
template <class Value>
inline constexpr float element_range =
    std::is_same_v<Value, Int4Pair> ? narrow_activation_range : activation_range;
template <class Value, Bf16Products products = Bf16Products::fp32>
struct Vectors {
  using X = std::conditional_t<std::is_same_v<Value, Int4Pair>, std::int8_t,
                               std::conditional_t<std::is_same_v<Value, std::int8_t>, std::int16_t, float>>;
  const X* x;
  std::int64_t stride;
  const float* scales;
  std::int64_t scale_stride;
};

namespace portable {

/// 64 elements of a vector for rows of Value; int8: integers, `inverse_scale` times them.
template <class Value, Bf16Products products = Bf16Products::fp32, class X>
KOKKOS_INLINE_FUNCTION void arrange_word(const float* from, float inverse_scale, X* to) {
  static_assert(products == Bf16Products::fp32);
  for (std::int64_t j = 0; j < mask_columns; ++j)
    if constexpr (is_scaled<Value>)
      to[j] = quantised<X>(from[j], inverse_scale, element_range<Value>);
    else
      to[j] = from[j];
}

/// out[q * N + v] = row q . vector v, or lane `lane`'s share of it when several lanes walk the rows in step.
template <bool masked, int H, int N, class Value>
KOKKOS_INLINE_FUNCTION void row_dots(const StoredRows<Value>& rows, const Vectors<Value>& in, float* out,
                                     int lane = 0, int lanes = 1) {
  constexpr bool int8 = std::is_same_v<Value, std::int8_t>;
  using Sum = std::conditional_t<int8, std::int32_t, float>;
  const std::int64_t step = int8 ? group_columns / mask_columns : rows.words;
  for (int k = 0; k < H * N; ++k) out[k] = 0;
  const Value* values = rows.values;
  for (std::int64_t first = 0; first < rows.words; first += step) {
    const std::int64_t words = Kokkos::min(step, rows.words - first);
    const Value* next = values;
    for (int v = 0; v < N; ++v) {
      const auto* x = in.x + v * in.stride + first * mask_columns;
      next = values;
      Sum sums[H] = {};
      if constexpr (masked) {
        masked_dots(rows.mask + first * H, words, next, x, sums, lane, lanes);
      } else {
        for (int q = 0; q < H; ++q)
          sums[q] =
              dense_dot<Sum>(values + q * rows.words * mask_columns, x, words * mask_columns, lane, lanes);
        next = values + words * mask_columns;
      }
      for (int q = 0; q < H; ++q)
        if constexpr (int8)
          out[q * N + v] += float(sums[q]) * float(rows.scales[q * rows.groups() + first / step]) *
                            in.scales[v * in.scale_stride + first / step];
        else
          out[q * N + v] += sums[q];
    }
    values = next;
  }
}

/// The 64 columns of a word as fp32 numbers, `scale` times the values; `w`, what an iterator offers, moves on
/// to the next word's.
template <class Values>
KOKKOS_INLINE_FUNCTION void expand_word(MaskWord mask, Values& w, float scale, float* out) {
  for (std::int64_t j = 0; j < mask_columns; ++j) out[j] = 0;
  masked_add(&mask, 1, w, scale, out);
  w += Kokkos::popcount(mask);
}

/// n values as fp32 numbers, `scale` times each; sixteen at a time, so that up to fifteen more are read and
/// written.
template <class Value>
KOKKOS_INLINE_FUNCTION void scaled_values(const Value* w, int n, float scale, float* out) {
  for (int i = 0; i < n; i += 16) {
    WAFERMARK_VECTOR_LOOP
    for (int k = i; k < i + 16; ++k) out[k] = scale * float(w[k]);
  }
}

/// So many vectors that word_times_block<64>() takes less time than row_dots() of four at a time.
inline constexpr std::int64_t block_from = 8;

/// sums[v] += w_k x[c_k N + v] for N vectors side by side and the columns c_k that a word stores, `w` being
/// their values. Zeros cost nothing, but the mask is read bit by bit.
template <int N>
KOKKOS_INLINE_FUNCTION void word_times_block(MaskWord mask, const float* w, const float* x, float* sums) {
  for (; mask != 0; mask &= mask - 1, ++w)
    for (int v = 0; v < N; ++v) sums[v] += *w * x[Kokkos::countr_zero(mask) * N + v];
}

/// sums[j] += x times column j of one row, or lane `lane`'s share of it: for matrices stored by inputs, whose
/// rows are read only where x is not zero. Columns lie as they are; `sums` has room for whole words.
template <bool masked, class Value>
KOKKOS_INLINE_FUNCTION void row_add(const StoredRows<Value>& row, float x, float* sums, int lane = 0,
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
#if defined(__AVX2__) && defined(__FMA__) && !defined(WAFERMARK_GPU_COMPILER)
#include "sparse_llama/kernels/row_dots_avx2.hpp"
#endif
#if defined(__AVX512VBMI2__) && defined(__AVX512VNNI__) && !defined(WAFERMARK_GPU_COMPILER)
#include "sparse_llama/kernels/row_dots_avx512.hpp"
namespace wafermark::llama {
namespace host = avx512;  // the best form for this CPU
namespace avx512 {
using avx2::indexed_dot;
using avx2::row_add;
}  // namespace avx512
inline constexpr const char* host_instructions = "AVX-512";
inline constexpr bool host_knows_bf16_pairs = true;  ///< the CPU may lack the instruction
}  // namespace wafermark::llama
#elif defined(__AVX2__) && defined(__FMA__) && !defined(WAFERMARK_GPU_COMPILER)
namespace wafermark::llama {
namespace host = avx2;
inline constexpr const char* host_instructions = "AVX2";
inline constexpr bool host_knows_bf16_pairs = false;
}  // namespace wafermark::llama
#else
namespace wafermark::llama {
namespace host = portable;
inline constexpr const char* host_instructions = "portable";
inline constexpr bool host_knows_bf16_pairs = false;
}  // namespace wafermark::llama
#endif

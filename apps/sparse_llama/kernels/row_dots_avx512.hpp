// row_dots for CPUs with AVX-512 VBMI2 and VNNI (Ice Lake, Zen 4 and later): values are expanded by their
// mask in one instruction. Included by row_dots.hpp.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstring>

namespace wafermark::llama::avx512 {

using avx2::fetch;
using avx2::fetch_ahead;
using avx2::stored_before;
using avx2::stored_in;
using avx2::word_of;

inline __m512 as_floats(__m512i bits) { return _mm512_castsi512_ps(bits); }

/// Two registers of fp32 numbers rounded to bf16, those of `first` first. In assembly, as the products, so
/// that a program for CPUs without these instructions has them for those with.
inline __m512i rounded_to_bf16(__m512 first, __m512 second) {
  __m512i rounded;
  asm("vcvtne2ps2bf16 %2, %1, %0" : "=v"(rounded) : "v"(second), "v"(first));
  return rounded;
}

/// 32 elements that meet bf16 values: the even ones, then the odd ones, which is how values come out of a
/// register; in pairs rounded to bf16, and 64 places further on what their rounding left, 16 bits of each
/// element in all.
template <Bf16Products products>
inline void arrange_half(const float* from, float* to) {
  const __m512 first = _mm512_loadu_ps(from), second = _mm512_loadu_ps(from + 16);
  if constexpr (products == Bf16Products::pairs) {
    const __m512i rounded = rounded_to_bf16(first, second);
    const auto left = [&](__m512 x, __m256i its) {
      return _mm512_sub_ps(x, as_floats(_mm512_slli_epi32(_mm512_cvtepu16_epi32(its), 16)));
    };
    _mm512_storeu_si512(to, rounded);
    _mm512_storeu_si512(to + 32, rounded_to_bf16(left(first, _mm512_castsi512_si256(rounded)),
                                                 left(second, _mm512_extracti64x4_epi64(rounded, 1))));
  } else {
    const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    _mm512_storeu_ps(to, _mm512_permutex2var_ps(first, even, second));
    _mm512_storeu_ps(to + 16,
                     _mm512_permutex2var_ps(first, _mm512_add_epi32(even, _mm512_set1_epi32(1)), second));
  }
}

/// int8: the even columns, then the odd ones.
template <class Value, Bf16Products products = Bf16Products::fp32, class X>
inline void arrange_word(const float* from, float inverse_scale, X* to) {
  if constexpr (std::is_same_v<Value, float>) {
    portable::arrange_word<Value>(from, inverse_scale, to);
  } else if constexpr (std::is_same_v<Value, BFloat16>) {
    constexpr int half = products == Bf16Products::pairs ? 16 : 32;  // floats that 32 elements fill
    arrange_half<products>(from, to);
    arrange_half<products>(from + 32, to + half);
  } else if constexpr (std::is_same_v<Value, Int4Pair>) {
    for (int j = 0; j < 64; j += 16) {
      const __m512 q = _mm512_mul_ps(_mm512_loadu_ps(from + j), _mm512_set1_ps(inverse_scale));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + j), _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(q)));
    }
  } else if constexpr (std::is_same_v<Value, std::int8_t>) {
    const __m512 inverse = _mm512_set1_ps(inverse_scale), most = _mm512_set1_ps(activation_range);
    const auto sixteen = [&](int j) {
      const __m512 q = _mm512_mul_ps(_mm512_loadu_ps(from + j), inverse);
      const __m512 inside = _mm512_min_ps(_mm512_max_ps(q, _mm512_sub_ps(_mm512_setzero_ps(), most)), most);
      return _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(inside));
    };
    for (int j = 0; j < 64; j += 32) {
      const __m512i pairs = _mm512_inserti64x4(_mm512_castsi256_si512(sixteen(j)), sixteen(j + 16), 1);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + j / 2), _mm512_cvtepi32_epi16(pairs));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 32 + j / 2),
                          _mm512_cvtepi32_epi16(_mm512_srli_epi32(pairs, 16)));
    }
  }
}

/// A zero that compilers do not know for one. Expanding into it costs no wait; expanding with plain zeroing
/// does, on Zen 4 and 5, for whatever the register held before.
inline __m512i fresh_zero() {
  __m512i zero = _mm512_setzero_si512();
  asm("" : "+v"(zero));
  return zero;
}

/// 64 bytes of a vector: where they stay in a register compilers do not see that they come from memory.
/// Loaded by each product they made dense rows of 11,008 int8 and bf16 values a fifth and two fifths slower
/// on a Zen 5.
template <bool stay, class X>
inline __m512i elements(const X* x) {
  __m512i loaded = _mm512_loadu_si512(x);
  if constexpr (stay) asm("" : "+v"(loaded));
  return loaded;
}

/// A mask word in a mask register; its parts from there cost less than moving each.
inline __mmask64 in_register(MaskWord mask) {
  __mmask64 moved = mask;
  asm("" : "+k"(moved));
  return moved;
}

/// Its bits from column `first` on.
template <int first>
inline __mmask64 from_column(__mmask64 moved) {
  if constexpr (first == 0) return moved;
  return _kshiftri_mask64(moved, first);
}

/// Values of 64 bytes worth of columns from column `first` of a word on, zeros where the mask has none; `w`
/// is the first value of the word.
template <int first>
inline __m512i values_at(MaskWord mask, __mmask64 moved, const float* w) {
  return _mm512_mask_expand_epi32(fresh_zero(), __mmask16(from_column<first>(moved)),
                                  _mm512_loadu_si512(w + stored_before<first>(mask)));
}
template <int first>
inline __m512i values_at(MaskWord mask, __mmask64 moved, const BFloat16* w) {
  return _mm512_mask_expand_epi16(fresh_zero(), __mmask32(from_column<first>(moved)),
                                  _mm512_loadu_si512(w + stored_before<first>(mask)));
}
template <int n>
struct Registers {
  __m512i of[n];
};

/// The 64 columns of a word as they come out of memory.
template <bool masked>
inline Registers<4> word_values(MaskWord mask, const float* w) {
  if constexpr (!masked)
    return {_mm512_loadu_si512(w), _mm512_loadu_si512(w + 16), _mm512_loadu_si512(w + 32),
            _mm512_loadu_si512(w + 48)};
  const __mmask64 moved = in_register(mask);
  return {values_at<0>(mask, moved, w), values_at<16>(mask, moved, w), values_at<32>(mask, moved, w),
          values_at<48>(mask, moved, w)};
}
template <bool masked>
inline Registers<2> word_values(MaskWord mask, const BFloat16* w) {
  if constexpr (!masked) return {_mm512_loadu_si512(w), _mm512_loadu_si512(w + 32)};
  const __mmask64 moved = in_register(mask);
  return {values_at<0>(mask, moved, w), values_at<32>(mask, moved, w)};
}

template <bool masked>
inline Registers<1> word_values(MaskWord mask, const std::int8_t* w) {
  if constexpr (!masked) return {_mm512_loadu_si512(w)};
  return {_mm512_mask_expand_epi8(fresh_zero(), in_register(mask), _mm512_loadu_si512(w))};
}

/// The even int8 values of a word, then the odd ones, as int16 numbers 256 times as large.
inline Registers<2> even_and_odd(const Registers<1>& int8) {
  return {_mm512_slli_epi16(int8.of[0], 8), _mm512_and_si512(int8.of[0], _mm512_set1_epi16(short(0xff00)))};
}

template <class Value>
inline void expand_word(MaskWord mask, const Value*& w, float scale, float* out) {
  const auto word = word_values<true>(mask, w);
  const __m512 times = _mm512_set1_ps(scale);
  const auto sixteen = [&](auto first) {  // fp32 numbers from column `first` on
    if constexpr (std::is_same_v<Value, float>)
      return as_floats(word.of[first / 16]);
    else if constexpr (std::is_same_v<Value, BFloat16>)
      return as_floats(_mm512_slli_epi32(
          _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(word.of[first / 32], first % 32 / 16)), 16));
    else
      return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm512_extracti32x4_epi32(word.of[0], first / 16)));
  };
  avx2::each_part<16>(
      [&](auto first) { _mm512_storeu_ps(out + first, _mm512_mul_ps(times, sixteen(first))); });
  w += stored_in<true>(mask);
}

/// sums += the products of a word with x as arrange_word() left it.
template <int chains>
inline void add_products(const Registers<4>& fp32, const Registers<4>& x, __m512 (&sums)[chains]) {
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k)
    sums[k % chains] = _mm512_fmadd_ps(as_floats(fp32.of[k]), as_floats(x.of[k]), sums[k % chains]);
}
template <int chains>
inline void add_products(const Registers<2>& bf16, const Registers<4>& x, __m512 (&sums)[chains]) {
  const __m512i upper = _mm512_set1_epi32(int(0xffff0000u));
  add_products(Registers<4>{_mm512_slli_epi32(bf16.of[0], 16), _mm512_and_si512(bf16.of[0], upper),
                            _mm512_slli_epi32(bf16.of[1], 16), _mm512_and_si512(bf16.of[1], upper)},
               x, sums);
}
/// By value: a sum that assembly refers to in an array goes through memory, at a third of the rate.
inline __m512 add_product_of_pairs(__m512 sum, __m512i bf16, __m512i x) {
  asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(bf16), "v"(x));
  return sum;
}
template <int chains>
inline void add_products_of_pairs(const Registers<2>& bf16, const Registers<4>& x, __m512 (&sums)[chains]) {
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k)
    sums[k % chains] = add_product_of_pairs(sums[k % chains], bf16.of[k % 2], x.of[k]);
}

/// fp32 and bf16.
template <bool masked, int H, int N, class Value, Bf16Products products>
inline void row_dots(const StoredRows<Value>& rows, const Vectors<Value, products>& in, float* out) {
  constexpr int chains = N == 1 ? 4 : N == 2 ? 2 : 1;  // sums that do not wait for each other
  __m512 sums[H][N][chains];
  // Loops over registers are unrolled by command: one that is not sends them to memory.
#pragma GCC unroll 4
  for (int q = 0; q < H; ++q)
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v)
#pragma GCC unroll 4
      for (int k = 0; k < chains; ++k) sums[q][v][k] = _mm512_setzero_ps();
  const Value* next = rows.values;
  for (std::int64_t i = 0; i < rows.words; ++i) {
    Registers<4> x[N];
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v)
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) x[v].of[k] = elements<N == 1>(in.x + v * in.stride + i * 64 + 16 * k);
#pragma GCC unroll 4
    for (int q = 0; q < H; ++q) {
      const MaskWord mask = masked ? rows.mask[i * H + q] : 0;
      const Value* w = word_of<masked>(rows, next, i, q);
      const auto values = word_values<masked>(mask, w);
      next = w + stored_in<masked>(mask);
      fetch_ahead<masked, H>(next);
#pragma GCC unroll 4
      for (int v = 0; v < N; ++v)
        if constexpr (products == Bf16Products::pairs)
          add_products_of_pairs(values, x[v], sums[q][v]);
        else
          add_products(values, x[v], sums[q][v]);
    }
  }
#pragma GCC unroll 4
  for (int q = 0; q < H; ++q)
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v) {
      __m512 all = sums[q][v][0];
#pragma GCC unroll 4
      for (int k = 1; k < chains; ++k) all = _mm512_add_ps(all, sums[q][v][k]);
      out[q * N + v] = _mm512_reduce_add_ps(all);
    }
}

template <bool masked, int H, int N>
inline void row_dots(const StoredRows<std::int8_t>& rows, const Vectors<std::int8_t>& in, float* out) {
  __m512 sums[H][N];
#pragma GCC unroll 4
  for (int q = 0; q < H; ++q)
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v) sums[q][v] = _mm512_setzero_ps();
  const std::int8_t* next = rows.values;
  const std::int64_t groups = rows.groups();
  for (std::int64_t first = 0; first < groups; first += 16) {
    // The scales of sixteen groups at once: one group after the other they would cost as much as its
    // products. Products come 256 times too large.
    alignas(64) float scales[H][N][16];
    const auto some = __mmask16(first + 16 <= groups ? 0xffff : (1 << (groups - first)) - 1);
    for (int q = 0; q < H; ++q) {
      if constexpr (masked) fetch(rows.scales + (H + q) * groups + first);  // of the next slice
      const __m512i stored =
          _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(some, rows.scales + q * groups + first));
      const __m512 own = _mm512_mul_ps(as_floats(_mm512_slli_epi32(stored, 16)), _mm512_set1_ps(1.0f / 256));
      for (int v = 0; v < N; ++v)
        _mm512_store_ps(scales[q][v], _mm512_mul_ps(own, _mm512_maskz_loadu_ps(
                                                             some, in.scales + v * in.scale_stride + first)));
    }
    for (std::int64_t g = first; g < std::min(first + 16, groups); ++g) {
      __m512i products[H][N];
#pragma GCC unroll 4
      for (int q = 0; q < H; ++q)
#pragma GCC unroll 4
        for (int v = 0; v < N; ++v) products[q][v] = _mm512_setzero_si512();
      const auto add_word = [&](std::int64_t i) {
        __m512i x[N][2];
#pragma GCC unroll 4
        for (int v = 0; v < N; ++v)
#pragma GCC unroll 2
          for (int k = 0; k < 2; ++k) x[v][k] = elements<N == 1>(in.x + v * in.stride + i * 64 + 32 * k);
#pragma GCC unroll 4
        for (int q = 0; q < H; ++q) {
          const MaskWord mask = masked ? rows.mask[i * H + q] : 0;
          const std::int8_t* w = word_of<masked>(rows, next, i, q);
          const auto values = even_and_odd(word_values<masked>(mask, w));
          next = w + stored_in<masked>(mask);
          fetch_ahead<masked, H>(next);
          // 8 % of Llama-2-7B's decoding on a Zen 5; twice as far is 4 % slower, as are dense bf16 rows so
          // fetched.
          if constexpr (!masked) fetch(next + 4096);
#pragma GCC unroll 4
          for (int v = 0; v < N; ++v)
            products[q][v] = _mm512_dpwssd_epi32(_mm512_dpwssd_epi32(products[q][v], values.of[0], x[v][0]),
                                                 values.of[1], x[v][1]);
        }
      };
      add_word(2 * g);
      if (2 * g + 1 < rows.words) add_word(2 * g + 1);
#pragma GCC unroll 4
      for (int q = 0; q < H; ++q)
#pragma GCC unroll 4
        for (int v = 0; v < N; ++v)
          sums[q][v] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(products[q][v]),
                                       _mm512_set1_ps(scales[q][v][g - first]), sums[q][v]);
    }
  }
#pragma GCC unroll 4
  for (int q = 0; q < H; ++q)
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v) out[q * N + v] = _mm512_reduce_add_ps(sums[q][v]);
}

inline constexpr std::int64_t block_from = 48;

template <int N>
inline void word_times_block(MaskWord mask, const float* w, const float* x, float* sums) {
  constexpr int registers = N / 16;
  __m512 sum[registers];
#pragma GCC unroll 4
  for (int k = 0; k < registers; ++k) sum[k] = _mm512_loadu_ps(sums + 16 * k);
  for (; mask != 0; mask &= mask - 1) {
    const float* column = x + _tzcnt_u64(mask) * N;
    const __m512 value = _mm512_set1_ps(*w++);
#pragma GCC unroll 4
    for (int k = 0; k < registers; ++k)
      sum[k] = _mm512_fmadd_ps(value, _mm512_loadu_ps(column + 16 * k), sum[k]);
  }
#pragma GCC unroll 4
  for (int k = 0; k < registers; ++k) _mm512_storeu_ps(sums + 16 * k, sum[k]);
}

}  // namespace wafermark::llama::avx512

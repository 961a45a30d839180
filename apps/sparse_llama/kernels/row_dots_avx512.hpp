// row_dots for CPUs with AVX-512 VBMI2 and VNNI (Ice Lake, Zen 4): values are expanded by their mask in one
// instruction. Included by row_dots.hpp.
#pragma once

#include <immintrin.h>

#include <algorithm>

namespace wafermark::llama::avx512 {

using avx2::fetch_ahead;
using avx2::stored_before;
using avx2::stored_in;

/// Masked bf16 and int8 values come out of a register as even and odd ones, so vectors lie that way: within
/// 32 columns (bf16) or 64 (int8), first the even ones.
template <class Value>
constexpr std::int64_t place(std::int64_t j, bool masked) {
  if (std::is_same_v<Value, float> || !masked) return j;
  constexpr std::int64_t block = 64 / std::int64_t(sizeof(Value));
  return j / block * block + j % 2 * (block / 2) + j % block / 2;
}

/// A zero that compilers do not know for one. Expanding into it costs no wait; expanding with plain zeroing
/// does, on Zen 4, for whatever the register held before.
inline __m512i fresh_zero() {
  __m512i zero = _mm512_setzero_si512();
  asm("" : "+v"(zero));
  return zero;
}

/// Values of 64 bytes worth of columns from column `first` of a word on, zeros where `mask` has none; `w` is
/// the first value of the word.
template <bool masked, int first>
inline __m512 values_at(MaskWord mask, const float* w) {
  if constexpr (!masked) return _mm512_loadu_ps(w + first);
  return _mm512_mask_expand_ps(_mm512_castsi512_ps(fresh_zero()), __mmask16(mask >> first),
                               _mm512_loadu_ps(w + stored_before<first>(mask)));
}
template <int first>
inline __m512i values_at(MaskWord mask, const BFloat16* w) {
  return _mm512_mask_expand_epi16(fresh_zero(), __mmask32(mask >> first),
                                  _mm512_loadu_si512(w + stored_before<first>(mask)));
}
inline __m512i values_at(MaskWord mask, const std::int8_t* w) {
  return _mm512_mask_expand_epi8(fresh_zero(), mask, _mm512_loadu_si512(w));
}

template <bool masked, int N>
inline void row_dots(const StoredRow<float>& row, const Vectors<float>& in, float* out) {
  __m512 sums[N][4];
  for (auto& vector : sums)
    for (auto& sum : vector) sum = _mm512_setzero_ps();
  const float* w = row.values;
  for (std::int64_t i = 0; i < row.words; ++i) {
    const MaskWord mask = masked ? row.mask[i] : 0;
    const float* x = in.x + i * 64;
    const __m512 values[4] = {values_at<masked, 0>(mask, w), values_at<masked, 16>(mask, w),
                              values_at<masked, 32>(mask, w), values_at<masked, 48>(mask, w)};
    w += stored_in<masked>(mask);
    fetch_ahead<masked>(w);
#pragma GCC unroll 4
    for (int q = 0; q < 4; ++q)
#pragma GCC unroll 4
      for (int v = 0; v < N; ++v)
        sums[v][q] = _mm512_fmadd_ps(values[q], _mm512_loadu_ps(x + v * in.stride + 16 * q), sums[v][q]);
  }
  for (int v = 0; v < N; ++v)
    out[v] = _mm512_reduce_add_ps((sums[v][0] + sums[v][1]) + (sums[v][2] + sums[v][3]));
}

template <bool masked, int N>
inline void row_dots(const StoredRow<BFloat16>& row, const Vectors<BFloat16>& in, float* out) {
  // Dense values in 64-byte loads came at 27 GB/s on two cores of a Zen 4, in 16-byte loads at 44; int8 below
  // at 26 and 32 on one core.
  if constexpr (!masked) return avx2::row_dots<false, N>(row, in, out);
  __m512 sums[N][4];
  for (auto& vector : sums)
    for (auto& sum : vector) sum = _mm512_setzero_ps();
  const __m512i upper = _mm512_set1_epi32(int(0xffff0000u));
  const BFloat16* w = row.values;
  for (std::int64_t i = 0; i < row.words; ++i) {
    const MaskWord mask = row.mask[i];
    const float* x = in.x + i * 64;
    const __m512i both[2] = {values_at<0>(mask, w), values_at<32>(mask, w)};
    w += stored_in<true>(mask);
    fetch_ahead<true>(w);
#pragma GCC unroll 2
    for (int q = 0; q < 2; ++q) {
      const __m512 even = _mm512_castsi512_ps(_mm512_slli_epi32(both[q], 16));
      const __m512 odd = _mm512_castsi512_ps(_mm512_and_si512(both[q], upper));
#pragma GCC unroll 4
      for (int v = 0; v < N; ++v) {
        const float* here = x + v * in.stride + 32 * q;
        sums[v][2 * q] = _mm512_fmadd_ps(even, _mm512_loadu_ps(here), sums[v][2 * q]);
        sums[v][2 * q + 1] = _mm512_fmadd_ps(odd, _mm512_loadu_ps(here + 16), sums[v][2 * q + 1]);
      }
    }
  }
  for (int v = 0; v < N; ++v)
    out[v] = _mm512_reduce_add_ps((sums[v][0] + sums[v][1]) + (sums[v][2] + sums[v][3]));
}

template <bool masked, int N>
inline void row_dots(const StoredRow<std::int8_t>& row, const Vectors<std::int8_t>& in, float* out) {
  if constexpr (!masked) return avx2::row_dots<false, N>(row, in, out);
  __m512 sums[N];
  for (auto& sum : sums) sum = _mm512_setzero_ps();
  const std::int8_t* w = row.values;
  const std::int64_t groups = (row.words + 1) / 2;
  for (std::int64_t first = 0; first < groups; first += 16) {
    // The scales of sixteen groups at once: one group after the other they would cost as much as its
    // products.
    alignas(64) float scales[N][16];
    const auto some = __mmask16(first + 16 <= groups ? 0xffff : (1 << (groups - first)) - 1);
    const __m512 own = _mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(some, row.scales + first)), 16));
    for (int v = 0; v < N; ++v)
      _mm512_store_ps(scales[v], _mm512_mul_ps(own, _mm512_maskz_loadu_ps(
                                                        some, in.scales + v * in.scale_stride + first)));
    for (std::int64_t g = first; g < std::min(first + 16, groups); ++g) {
      __m512i even_sums[N], odd_sums[N];
      for (int v = 0; v < N; ++v) even_sums[v] = odd_sums[v] = _mm512_setzero_si512();
      const auto add_word = [&](std::int64_t i) {
        const MaskWord mask = row.mask[i];
        const __m512i both = values_at(mask, w);
        w += stored_in<true>(mask);
        fetch_ahead<true>(w);
        const __m512i even = _mm512_mullo_epi16(both, _mm512_set1_epi16(256));  // 256 times them
        const __m512i odd = _mm512_srai_epi16(both, 8);
#pragma GCC unroll 4
        for (int v = 0; v < N; ++v) {
          const std::int16_t* x = in.x + v * in.stride + i * 64;
          even_sums[v] = _mm512_dpwssd_epi32(even_sums[v], even, _mm512_loadu_si512(x));
          odd_sums[v] = _mm512_dpwssd_epi32(odd_sums[v], odd, _mm512_loadu_si512(x + 32));
        }
      };
      add_word(2 * g);
      if (2 * g + 1 < row.words) add_word(2 * g + 1);
      for (int v = 0; v < N; ++v)
        sums[v] = _mm512_fmadd_ps(
            _mm512_cvtepi32_ps(_mm512_add_epi32(_mm512_srai_epi32(even_sums[v], 8), odd_sums[v])),
            _mm512_set1_ps(scales[v][g - first]), sums[v]);
    }
  }
  for (int v = 0; v < N; ++v) out[v] = _mm512_reduce_add_ps(sums[v]);
}

}  // namespace wafermark::llama::avx512

// tile_dots for CPUs with AVX-512 VBMI2 and VNNI (Ice Lake, Zen 4 and later). Included by tile_dots.hpp.
#pragma once

namespace wafermark::llama::avx512 {

/// sums += products of unsigned bytes and four signed bytes at `x`, the same for all lanes. In assembly since
/// GCC 12 neither broadcasts as it loads nor keeps the sums in their registers: half the rate.
inline void add_byte_products(__m512i& sums, __m512i bytes, const std::int8_t* x) {
  struct Four {
    std::int8_t of[4];
  };
  asm("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sums) : "v"(bytes), "m"(*reinterpret_cast<const Four*>(x)));
}

/// Tiles are one stream. Dense: 4 KiB ahead, 15 to 25 % faster than without where many vectors go together.
template <bool masked, class Value>
[[gnu::always_inline]] inline void fetch_tiles_ahead(const Value* w) {
  if constexpr (masked)
    fetch_ahead<true, tile_rows>(w);
  else
#pragma GCC unroll 4
    for (std::size_t line = 0; line < sizeof(Value); ++line) fetch(w + (4096 + 64 * line) / sizeof(Value));
}

/// int8: eight words of four columns, q = 128 high + low, of one vector.
template <class Value, class X>
inline std::int32_t arrange_for_tiles(const float* from, float inverse_scale, int N, X* to) {
  if constexpr (std::is_same_v<Value, Int4Pair>) {
    __m512i sum = _mm512_setzero_si512();
    for (std::int64_t j = 0; j < mask_columns; j += 16, to += 4 * N * tile_columns) {
      const __m512i q =
          _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(from + j), _mm512_set1_ps(inverse_scale)));
      sum = _mm512_add_epi32(sum, q);
      alignas(16) std::int8_t bytes[16];
      _mm_store_si128(reinterpret_cast<__m128i*>(bytes), _mm512_cvtsepi32_epi8(q));
      for (int k = 0; k < 4; ++k) std::memcpy(to + k * N * tile_columns, bytes + 4 * k, 4);
    }
    return _mm512_reduce_add_epi32(sum);
  } else if constexpr (!std::is_same_v<Value, std::int8_t>) {
    for (std::int64_t j = 0; j < mask_columns; j += tile_columns, to += N * tile_columns)
      _mm_storeu_ps(to, _mm_loadu_ps(from + j));
    return 0;
  } else {
    const __m512 inverse = _mm512_set1_ps(inverse_scale), most = _mm512_set1_ps(activation_range);
    const __m512i alternating = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    __m512i sum = _mm512_setzero_si512();
    const auto sixteen = [&](const float* x) {
      const __m512 q = _mm512_mul_ps(_mm512_loadu_ps(x), inverse);
      const __m512 inside = _mm512_min_ps(_mm512_max_ps(q, _mm512_sub_ps(_mm512_setzero_ps(), most)), most);
      const __m512i integers = _mm512_cvtps_epi32(inside);
      sum = _mm512_add_epi32(sum, integers);
      return _mm512_cvtepi32_epi16(integers);
    };
    for (std::int64_t j = 0; j < mask_columns; j += 32) {
      const __m256i low_half = sixteen(from + j), high_half = sixteen(from + j + 16);
      const __m512i q = _mm512_inserti64x4(_mm512_castsi256_si512(low_half), high_half, 1);
      const __m512i high = _mm512_srai_epi16(_mm512_add_epi16(q, _mm512_set1_epi16(64)), 7);
      const __m512i low = _mm512_sub_epi16(q, _mm512_slli_epi16(high, 7));
      alignas(64) std::int8_t bytes[64];
      _mm512_store_si512(
          bytes, _mm512_permutex2var_epi32(_mm512_castsi256_si512(_mm512_cvtepi16_epi8(high)), alternating,
                                           _mm512_castsi256_si512(_mm512_cvtepi16_epi8(low))));
      for (int k = 0; k < 64; k += 8, to += 8 * N) std::memcpy(to, bytes + k, 8);
    }
    return _mm512_reduce_add_epi32(sum);
  }
}

/// int8: values become bytes w + 128, zeros too, and 128 times the sum of a vector's elements is taken off.
template <bool masked, int N>
inline void tile_dots(const StoredRows<std::int8_t>& tile, const TileVectors<std::int8_t>& in, float* out) {
  constexpr int chains =
      N <= 2 ? 2 : 1;  // sums that do not wait for each other: a quarter of the time at N = 1
  const __m512i offset = _mm512_set1_epi8(char(0x80));
  const std::int64_t groups = tile.groups();
  const MaskWord* mask = tile.mask;
  const std::int8_t *w = tile.values, *x = in.x;
  __m512 sums[N];
  // Loops over registers are unrolled by command: one that is not sends them to memory.
#pragma GCC unroll 16
  for (int v = 0; v < N; ++v) sums[v] = _mm512_setzero_ps();
  for (std::int64_t g = 0; g < groups; ++g) {
    __m512i high[N][chains], low[N][chains];
#pragma GCC unroll 16
    for (int v = 0; v < N; ++v)
#pragma GCC unroll 2
      for (int c = 0; c < chains; ++c) high[v][c] = low[v][c] = _mm512_setzero_si512();
    const std::int64_t words = std::min<std::int64_t>(2, tile.words - 2 * g) * tile_rows;
    for (std::int64_t k = 0; k < words; k += chains)
#pragma GCC unroll 2
      for (int c = 0; c < chains; ++c, x += 8 * N) {
        const MaskWord bits = masked ? *mask++ : 0;
        const __m512i bytes = _mm512_xor_si512(word_values<masked>(bits, w).of[0], offset);
        w += stored_in<masked>(bits);
        fetch_tiles_ahead<masked>(w);
#pragma GCC unroll 16
        for (int v = 0; v < N; ++v) {
          add_byte_products(high[v][c], bytes, x + 8 * v);
          add_byte_products(low[v][c], bytes, x + 8 * v + 4);
        }
      }
    const BFloat16* stored = tile.scales + g * tile_rows;
    fetch(stored + 16 * tile_rows);
    const __m512i halves =
        _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(stored)));
    const __m512 scales = as_floats(_mm512_slli_epi32(halves, 16));
#pragma GCC unroll 16
    for (int v = 0; v < N; ++v) {
      if constexpr (chains == 2) {
        high[v][0] = _mm512_add_epi32(high[v][0], high[v][1]);
        low[v][0] = _mm512_add_epi32(low[v][0], low[v][1]);
      }
      const __m512i products = _mm512_add_epi32(_mm512_slli_epi32(high[v][0], 7), low[v][0]);
      const __m512i own = _mm512_sub_epi32(products, _mm512_set1_epi32(128 * in.sums[v * groups + g]));
      sums[v] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(own),
                                _mm512_mul_ps(scales, _mm512_set1_ps(in.scales[v * groups + g])), sums[v]);
    }
  }
#pragma GCC unroll 16
  for (int v = 0; v < N; ++v) _mm512_storeu_ps(out + v * tile_rows, sums[v]);
}

/// Sixteen rows of the four columns of a word as fp32 numbers.
inline Registers<4> four_columns(const Registers<4>& fp32) { return fp32; }
inline Registers<4> four_columns(const Registers<2>& bf16) {
  const __m512i upper = _mm512_set1_epi32(int(0xffff0000u));
  return {_mm512_slli_epi32(bf16.of[0], 16), _mm512_and_si512(bf16.of[0], upper),
          _mm512_slli_epi32(bf16.of[1], 16), _mm512_and_si512(bf16.of[1], upper)};
}

/// fp32 and bf16, both by fp32 products: those of bf16 pairs, which take the elements of a vector in two
/// parts, are no faster on a Zen 5, and 2 to 3 times slower on Sapphire Rapids.
template <bool masked, int N, class Value>
inline void tile_dots(const StoredRows<Value>& tile, const TileVectors<Value>& in, float* out) {
  constexpr int chains = N <= 2 ? 4 : N <= 6 ? 2 : 1;  // sums that do not wait for each other
  __m512 sums[N][chains];
#pragma GCC unroll 16
  for (int v = 0; v < N; ++v)
#pragma GCC unroll 4
    for (int c = 0; c < chains; ++c) sums[v][c] = _mm512_setzero_ps();
  const Value* w = tile.values;
  const float* x = in.x;
  for (std::int64_t k = 0; k < tile.words * tile_rows; ++k, x += 4 * N) {
    const MaskWord bits = masked ? tile.mask[k] : 0;
    const auto columns = four_columns(word_values<masked>(bits, w));
    w += stored_in<masked>(bits);
    fetch_tiles_ahead<masked>(w);
#pragma GCC unroll 16
    for (int v = 0; v < N; ++v)
#pragma GCC unroll 4
      for (int c = 0; c < 4; ++c)
        sums[v][c % chains] =
            _mm512_fmadd_ps(as_floats(columns.of[c]), _mm512_set1_ps(x[4 * v + c]), sums[v][c % chains]);
  }
#pragma GCC unroll 16
  for (int v = 0; v < N; ++v) {
#pragma GCC unroll 4
    for (int c = 1; c < chains; ++c) sums[v][0] = _mm512_add_ps(sums[v][0], sums[v][c]);
    _mm512_storeu_ps(out + v * tile_rows, sums[v][0]);
  }
}

}  // namespace wafermark::llama::avx512

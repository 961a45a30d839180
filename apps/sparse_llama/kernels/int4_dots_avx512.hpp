// int4 rows and tiles for CPUs with AVX-512 VBMI2 and VNNI: bytes w + 8, zeros too, times the signed bytes of
// a vector in one instruction for four columns; 8 times the sum of the vector's elements is taken off in the
// end. Included by int4_dots.hpp.
#pragma once

namespace wafermark::llama::avx512 {

using avx2::row_add;

/// w + 8 of the halves of 64 bytes, the lower ones where `shift` is 0, the upper ones where it is 4.
inline __m512i offset_int4(__m512i pairs, __m128i shift) {
  constexpr int and_then_xor = 0x6a;  // (a & b) ^ c
  return _mm512_ternarylogic_epi64(_mm512_srl_epi16(pairs, shift), _mm512_set1_epi8(15), _mm512_set1_epi8(8),
                                   and_then_xor);
}

template <bool masked, int H, int N>
inline void row_dots(const StoredRows<Int4Pair>& rows, const Vectors<Int4Pair>& in, float* out) {
  portable::row_dots<masked, H, N>(rows, in, out);
}

/// The bytes w + 8 of a word of a tile.
template <bool masked>
inline __m512i offset_word(MaskWord mask, const Int4Pair* w, __m128i shift) {
  const __m512i bytes = offset_int4(_mm512_loadu_si512(w), shift);
  if constexpr (!masked) return bytes;
  __m512i eights = _mm512_set1_epi8(8);
  asm("" : "+v"(eights));  // as fresh_zero()
  return _mm512_mask_expand_epi8(eights, in_register(mask), bytes);
}

/// Calls visit(v) for v from 0 to n - 1, as constants: sums that loops number stay in memory here.
template <int n, class Visit>
[[gnu::always_inline]] inline void each_vector(const Visit& visit) {
  [&]<int... v>(std::integer_sequence<int, v...>) __attribute__((always_inline)) {
    (visit(std::integral_constant<int, v>{}), ...);
  }
  (std::make_integer_sequence<int, n>{});
}

template <bool masked, int N>
inline void tile_dots(const StoredRows<Int4Pair>& tile, const TileVectors<Int4Pair>& in, float* out) {
  constexpr int chains = N <= 4 ? 2 : 1;  // sums that do not wait for each other
  const std::int64_t groups = tile.groups();
  const MaskWord* mask = tile.mask;
  const Int4Pair* next = tile.values;
  const std::int8_t* x = in.x;
  __m512 sums[N];
  each_vector<N>([&](auto v) __attribute__((always_inline)) { sums[v] = _mm512_setzero_ps(); });
  for (std::int64_t g = 0; g < groups; ++g) {
    __m512i products[chains * N];
    each_vector<chains * N>([&](auto v)
                                __attribute__((always_inline)) { products[v] = _mm512_setzero_si512(); });
    const Int4Pair *w = next, *fuller = next;
    __m128i shift = _mm_setzero_si128();
    const std::int64_t words = std::min<std::int64_t>(2, tile.words - 2 * g) * tile_rows;
    for (std::int64_t k = 0; k < words; k += chains) {
      if (k == tile_rows) {  // the upper halves
        fuller = w;
        w = next;
        shift = _mm_cvtsi32_si128(4);
      }
      each_vector<chains>([&](auto c) __attribute__((always_inline)) {
        const MaskWord bits = masked ? *mask++ : 0;
        const __m512i bytes = offset_word<masked>(bits, w, shift);
        w += stored_in<masked>(bits);
        fetch(w + (masked ? 1024 : 4096));
        each_vector<N>([&](auto v) __attribute__((always_inline)) {
          add_byte_products(products[c * N + v], bytes, x + v * tile_columns);
        });
        x += N * tile_columns;
      });
    }
    next = fuller > w ? fuller : w;
    const BFloat16* stored = tile.scales + g * tile_rows;
    fetch(stored + 16 * tile_rows);
    const __m512i halves =
        _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(stored)));
    const __m512 scales = as_floats(_mm512_slli_epi32(halves, 16));
    each_vector<N>([&](auto v) __attribute__((always_inline)) {
      __m512i all = products[v];
      if constexpr (chains == 2) all = _mm512_add_epi32(all, products[N + v]);
      const __m512i own = _mm512_sub_epi32(all, _mm512_set1_epi32(8 * in.sums[v * groups + g]));
      sums[v] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(own),
                                _mm512_mul_ps(scales, _mm512_set1_ps(in.scales[v * groups + g])), sums[v]);
    });
  }
  each_vector<N>([&](auto v)
                     __attribute__((always_inline)) { _mm512_storeu_ps(out + v * tile_rows, sums[v]); });
}

}  // namespace wafermark::llama::avx512

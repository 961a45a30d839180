// int4 rows and tiles for CPUs with AVX2. Values meet the elements of a vector as unsigned bytes w + 8, zeros
// too, and 8 times the sum of the vector's elements is taken off in the end. Included by int4_dots.hpp.
#pragma once

#include <cstring>

namespace wafermark::llama::avx2 {

/// The lower (shift 0) or upper (shift 4) halves of bytes, as bytes from 0 to 15.
template <int shift>
inline __m256i halves(__m256i pairs) {
  return _mm256_and_si256(shift == 0 ? pairs : _mm256_srli_epi16(pairs, shift), _mm256_set1_epi8(15));
}
/// w + 8 of such.
inline __m256i offset_int4(__m256i nibbles) { return _mm256_xor_si256(nibbles, _mm256_set1_epi8(8)); }

inline __m256i thirty_two(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
/// Sums of neighbours as 32-bit numbers.
inline __m256i pairs_of_sums(__m256i int16) { return _mm256_madd_epi16(int16, _mm256_set1_epi16(1)); }

/// Hosts keep int4 in tiles: rows are of matrices that another machine has packed.
template <bool masked, int H, int N>
inline void row_dots(const StoredRows<Int4Pair>& rows, const Vectors<Int4Pair>& in, float* out) {
  portable::row_dots<masked, H, N>(rows, in, out);
}

/// The groups' values as bytes, then as rows of int8.
template <bool masked>
inline void row_add(const StoredRows<Int4Pair>& row, float x, float* sums) {
  const Int4Pair* next = row.values;
  for (std::int64_t g = 0; g < row.groups(); ++g) {
    const std::int64_t words = std::min<std::int64_t>(2, row.words - 2 * g);
    std::int64_t most = 0;
    for (std::int64_t k = 0; k < words; ++k) {
      const MaskWord mask = masked ? row.mask[2 * g + k] : 0;
      alignas(32) std::int8_t bytes[mask_columns + 16];
      for (int j = 0; j < 64; j += 32) {
        const __m256i pairs = thirty_two(next + j), eight = _mm256_set1_epi8(8);
        const __m256i own = offset_int4(k == 0 ? halves<0>(pairs) : halves<4>(pairs));
        _mm256_store_si256(reinterpret_cast<__m256i*>(bytes + j), _mm256_sub_epi8(own, eight));
      }
      const StoredRows<std::int8_t> word{&mask, bytes, row.scales + g, 1};
      row_add<masked>(word, x, sums + (2 * g + k) * mask_columns);
      most = std::max(most, stored_in<masked>(mask));
    }
    next += most;
  }
}

/// Sixteen columns of a word from column `first` on, zeros where the mask has none; `w`: where the word's
/// values begin. As values_at() of int8.
template <bool masked, int first, int shift>
inline __m128i nibbles_at(MaskWord mask, const Int4Pair* w) {
  const __m128i loaded = sixteen_bytes(w + (masked ? stored_before<first>(mask) : first));
  const __m128i nibbles =
      _mm_and_si128(shift == 0 ? loaded : _mm_srli_epi16(loaded, shift), _mm_set1_epi8(15));
  if constexpr (!masked) return nibbles;
  return _mm_shuffle_epi8(nibbles, _mm_add_epi8(sixteen_bytes(row_for<first>(mask, int8_first)),
                                                sixteen_bytes(row_for<first + 8>(mask, int8_second))));
}

/// Half a group of a tile: sixteen words, whose products are added to sums of 32 bits, two registers of eight
/// rows for each vector. `w` moves on.
template <bool masked, int N, int shift>
inline void add_half(const MaskWord* mask, const Int4Pair*& w, const std::int8_t* x, __m256i (&sums)[N][2]) {
  for (int part = 0; part < tile_rows; part += 8) {
    __m256i products[N][2];
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v) products[v][0] = products[v][1] = _mm256_setzero_si256();
    for (int i = part; i < part + 8; ++i, x += N * tile_columns) {
      const MaskWord bits = masked ? mask[i] : 0;
      const auto both = [&](__m128i first, __m128i second) {
        return offset_int4(_mm256_set_m128i(second, first));
      };
      const __m256i low = both(nibbles_at<masked, 0, shift>(bits, w), nibbles_at<masked, 16, shift>(bits, w)),
                    high =
                        both(nibbles_at<masked, 32, shift>(bits, w), nibbles_at<masked, 48, shift>(bits, w));
      w += stored_in<masked>(bits);
#pragma GCC unroll 4
      for (int v = 0; v < N; ++v) {
        std::int32_t four = 0;
        std::memcpy(&four, x + v * tile_columns, sizeof four);
        const __m256i elements = _mm256_set1_epi32(four);
        products[v][0] = _mm256_add_epi16(products[v][0], _mm256_maddubs_epi16(low, elements));
        products[v][1] = _mm256_add_epi16(products[v][1], _mm256_maddubs_epi16(high, elements));
      }
    }
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v)
      for (int h = 0; h < 2; ++h) sums[v][h] = _mm256_add_epi32(sums[v][h], pairs_of_sums(products[v][h]));
  }
}

template <bool masked, int N>
inline void tile_dots(const StoredRows<Int4Pair>& tile, const TileVectors<Int4Pair>& in, float* out) {
  const std::int64_t groups = tile.groups();
  const Int4Pair* next = tile.values;
  std::fill_n(out, N * tile_rows, 0.0f);
  for (std::int64_t g = 0; g < groups; ++g) {
    __m256i sums[N][2];
    for (int v = 0; v < N; ++v) sums[v][0] = sums[v][1] = _mm256_setzero_si256();
    const MaskWord* mask = masked ? tile.mask + 2 * g * tile_rows : nullptr;
    const std::int8_t* x = in.x + 2 * g * N * mask_columns;
    const Int4Pair *low = next, *high = next;
    add_half<masked, N, 0>(mask, low, x, sums);
    if (2 * g + 1 < tile.words)
      add_half<masked, N, 4>(mask + (masked ? tile_rows : 0), high, x + N * mask_columns, sums);
    next = std::max(low, high);
    constexpr int lines = masked ? 6 : 16;  // of 64 bytes, about a group: at 70 % zeros 315 bytes
    for (int line = 0; line < lines; ++line) fetch(next + 2048 + 64 * line);
    for (int v = 0; v < N; ++v)
      for (int h = 0; h < 2; ++h) {
        const __m128i stored = sixteen_bytes(tile.scales + g * tile_rows + 8 * h);
        const __m256 scales = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(stored), 16)),
                     both = _mm256_mul_ps(scales, _mm256_set1_ps(in.scales[v * groups + g]));
        const __m256i own = _mm256_sub_epi32(sums[v][h], _mm256_set1_epi32(8 * in.sums[v * groups + g]));
        float* to = out + v * tile_rows + 8 * h;
        _mm256_storeu_ps(to, _mm256_fmadd_ps(_mm256_cvtepi32_ps(own), both, _mm256_loadu_ps(to)));
      }
  }
}

}  // namespace wafermark::llama::avx2

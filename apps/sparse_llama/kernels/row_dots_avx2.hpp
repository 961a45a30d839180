// row_dots for CPUs with AVX2 and FMA: values are expanded, eight columns at a time (int8: sixteen), by a
// shuffle that the mask bits look up. Included by row_dots.hpp.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace wafermark::llama::avx2 {

using portable::arrange_word;

/// Stored values in the first n columns of a word. Counting from the word's beginning each time keeps the
/// parts of a word independent of each other.
template <int n>
inline std::int64_t stored_before(MaskWord mask) {
  if constexpr (n == 32) return _mm_popcnt_u32(unsigned(mask));
  return n == 0 ? 0 : n == 64 ? _mm_popcnt_u64(mask) : _mm_popcnt_u64(mask << (64 - n) % 64);
}

/// Values of a word.
template <bool masked>
inline std::int64_t stored_in(MaskWord mask) {
  return masked ? _mm_popcnt_u64(mask) : 64;
}

/// Always inline, as fetch_ahead(): GCC takes a function that only fetches for one without effect, and drops
/// its calls.
[[gnu::always_inline]] inline void fetch(const void* line) {
  _mm_prefetch(static_cast<const char*>(line), _MM_HINT_T0);
}

/// Packed values come slower than hardware prefetchers of dense arrays expect, and so do several dense rows
/// at once. Called for each word. Masked: at 70 % zeros 80 words ahead, of fp32 two lines, since one does not
/// hold as many as are stored; half or twice that is 4 to 10 % slower on a Zen 5 (fp32), as are the second
/// cache as aim and plain loads instead. Dense: 4 KiB ahead, up to 5 % faster than 1 KiB.
template <bool masked, int H, class Value>
[[gnu::always_inline]] inline void fetch_ahead(const Value* w) {
  constexpr int line = 64 / sizeof(Value);
  if constexpr (masked) {
    fetch(w + 1536);
    if constexpr (sizeof(Value) == 4) fetch(w + 1536 + line);
  } else if constexpr (H > 1) {
    fetch(w + 64 * line);
    fetch(w + 65 * line);
  }
}

/// Where word i of row q has its values: the next ones of a slice, or those of one of H dense rows.
template <bool masked, class Value>
inline const Value* word_of(const StoredRows<Value>& rows, const Value* next, std::int64_t i, int q) {
  return masked ? next : rows.values + (q * rows.words + i) * mask_columns;
}

/// For each eight mask bits: which of the next values column c takes, or `none`.
template <class Entry, int bytes, class Fill>
constexpr auto shuffles(const Fill& fill) {
  std::array<std::array<Entry, bytes>, 256> table{};
  for (int bits = 0; bits < 256; ++bits)
    for (int c = 0, next = 0; c < 8; ++c) {
      const bool stored = bits >> c & 1;
      fill(table[std::size_t(bits)], c, stored ? next : -1);
      next += stored;
    }
  return table;
}
/// fp32: numbers for a permutation of eight, the sign bit where there is no value.
alignas(32) inline constexpr auto fp32_shuffles = shuffles<std::int32_t, 8>([](auto& row, int c, int from) {
  row[std::size_t(c)] = from < 0 ? std::int32_t(0x80000000) : from;
});
/// bf16: bytes for the upper halves of eight fp32 numbers.
alignas(32) inline constexpr auto bf16_shuffles = shuffles<std::uint8_t, 32>([](auto& row, int c, int from) {
  row[std::size_t(4 * c)] = row[std::size_t(4 * c + 1)] = 0x80;
  row[std::size_t(4 * c + 2)] = std::uint8_t(from < 0 ? 0x80 : 2 * from);
  row[std::size_t(4 * c + 3)] = std::uint8_t(from < 0 ? 0x80 : 2 * from + 1);
});
/// int8: the sum of two rows is for sixteen columns. The first eight say how many values they take, too.
alignas(64) inline constexpr auto int8_first = shuffles<std::uint8_t, 16>([](auto& row, int c, int from) {
  row[std::size_t(c)] = std::uint8_t(from < 0 ? 0x80 : from);
  if (from >= 0) std::fill(row.begin() + 8, row.end(), std::uint8_t(from + 1));
});
alignas(64) inline constexpr auto int8_second = shuffles<std::uint8_t, 16>([](auto& row, int c, int from) {
  row[std::size_t(8 + c)] = std::uint8_t(from < 0 ? 0x80 : from);
});

/// The table's row for the eight mask bits from column `first` on: they are moved to where they count rows.
template <int first, class Table>
inline const __m256i* row_for(MaskWord mask, const Table& table) {
  constexpr MaskWord size = sizeof(table[0]);
  constexpr int up = std::countr_zero(size);
  const MaskWord moved = std::rotr(mask, first - up);
  return reinterpret_cast<const __m256i*>(reinterpret_cast<const char*>(table.data()) +
                                          (moved & 0xff * size));
}

/// The eight columns from column `first` of a word on as fp32, zeros where `mask` has none; `w` is the first
/// value of the word.
template <bool masked, int first>
inline __m256 values_at(MaskWord mask, const float* w) {
  if constexpr (!masked) return _mm256_loadu_ps(w + first);
  const __m256i from = _mm256_load_si256(row_for<first>(mask, fp32_shuffles));
  const __m256 loaded = _mm256_loadu_ps(w + stored_before<first>(mask));
  return _mm256_blendv_ps(_mm256_permutevar8x32_ps(loaded, from), _mm256_setzero_ps(),
                          _mm256_castsi256_ps(from));
}
inline __m128i sixteen_bytes(const void* from) { return _mm_loadu_si128(static_cast<const __m128i*>(from)); }
template <bool masked, int first>
inline __m256 values_at(MaskWord mask, const BFloat16* w) {
  const __m128i loaded = sixteen_bytes(w + (masked ? stored_before<first>(mask) : first));
  if constexpr (!masked) return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(loaded), 16));
  const __m256i from = _mm256_load_si256(row_for<first>(mask, bf16_shuffles));
  return _mm256_castsi256_ps(_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(loaded), from));
}
/// Sixteen columns of int8 as int16.
template <bool masked, int first>
inline __m256i values_at(MaskWord mask, const std::int8_t* w) {
  const __m128i loaded = sixteen_bytes(w + (masked ? stored_before<first>(mask) : first));
  if constexpr (!masked) return _mm256_cvtepi8_epi16(loaded);
  const __m128i from = _mm_add_epi8(sixteen_bytes(row_for<first>(mask, int8_first)),
                                    sixteen_bytes(row_for<first + 8>(mask, int8_second)));
  return _mm256_cvtepi8_epi16(_mm_shuffle_epi8(loaded, from));
}

/// Calls visit(column) with the first column of each of the parts of `width` columns of a word, as constants.
template <int width, class Visit>
inline void each_part(const Visit& visit) {
  [&]<int... part>(std::integer_sequence<int, part...>) {
    (visit(std::integral_constant<int, part * width>{}), ...);
  }
  (std::make_integer_sequence<int, 64 / width>{});
}

/// A register of a vector. GCC's tuning for Zen 2 and 3 loads it anew for each row of a slice unless it
/// cannot see that it comes from memory: a quarter slower for bf16 rows, a sixth for fp32 rows (on a Zen 5).
template <bool stay>
inline __m256 elements(const float* x) {
  __m256 loaded = _mm256_loadu_ps(x);
  if constexpr (stay) asm("" : "+x"(loaded));
  return loaded;
}
template <bool stay>
inline __m256i elements(const std::int16_t* x) {
  __m256i loaded = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x));
  if constexpr (stay) asm("" : "+x"(loaded));
  return loaded;
}

inline float sum_of(__m256 x) {
  __m128 half = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  half = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

template <bool masked, int H, int N, class Value>
inline void row_dots(const StoredRows<Value>& rows, const Vectors<Value>& in, float* out) {
  constexpr bool stay = masked && N == 1;
  constexpr int chains = H * N == 1 ? 4 : H * N == 2 ? 2 : 1;  // sums that do not wait for each other
  __m256 sums[H][N][chains];
  // Loops over registers are unrolled by command: one that is not sends them to memory.
#pragma GCC unroll 4
  for (int q = 0; q < H; ++q)
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v)
#pragma GCC unroll 4
      for (int c = 0; c < chains; ++c) sums[q][v][c] = _mm256_setzero_ps();
  const Value* next = rows.values;
  for (std::int64_t i = 0; i < rows.words; ++i) {
    __m256 x[N][8];
    each_part<8>([&](auto first) {
#pragma GCC unroll 4
      for (int v = 0; v < N; ++v) x[v][first / 8] = elements<stay>(in.x + v * in.stride + i * 64 + first);
    });
#pragma GCC unroll 4
    for (int q = 0; q < H; ++q) {
      const MaskWord mask = masked ? rows.mask[i * H + q] : 0;
      const Value* w = word_of<masked>(rows, next, i, q);
      each_part<8>([&](auto first) {
        const __m256 values = values_at<masked, first>(mask, w);
#pragma GCC unroll 4
        for (int v = 0; v < N; ++v) {
          __m256& sum = sums[q][v][first / 8 % chains];
          sum = _mm256_fmadd_ps(values, x[v][first / 8], sum);
        }
      });
      next = w + stored_in<masked>(mask);
      fetch_ahead<masked, H>(next);
    }
  }
#pragma GCC unroll 4
  for (int q = 0; q < H; ++q)
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v) {
#pragma GCC unroll 4
      for (int c = 1; c < chains; ++c) sums[q][v][0] = _mm256_add_ps(sums[q][v][0], sums[q][v][c]);
      out[q * N + v] = sum_of(sums[q][v][0]);
    }
}

template <bool masked, int H, int N>
inline void row_dots(const StoredRows<std::int8_t>& rows, const Vectors<std::int8_t>& in, float* out) {
  constexpr bool stay = masked && N == 1;
  __m256 sums[H][N];
#pragma GCC unroll 4
  for (int q = 0; q < H; ++q)
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v) sums[q][v] = _mm256_setzero_ps();
  const std::int8_t* next = rows.values;
  for (std::int64_t g = 0; g < rows.groups(); ++g) {
    __m256i products[H][N];
#pragma GCC unroll 4
    for (int q = 0; q < H; ++q)
#pragma GCC unroll 4
      for (int v = 0; v < N; ++v) products[q][v] = _mm256_setzero_si256();
    for (std::int64_t i = 2 * g; i < std::min(2 * g + 2, rows.words); ++i) {
      __m256i x[N][4];
      each_part<16>([&](auto first) {
#pragma GCC unroll 4
        for (int v = 0; v < N; ++v) x[v][first / 16] = elements<stay>(in.x + v * in.stride + i * 64 + first);
      });
#pragma GCC unroll 4
      for (int q = 0; q < H; ++q) {
        const MaskWord mask = masked ? rows.mask[i * H + q] : 0;
        const std::int8_t* w = word_of<masked>(rows, next, i, q);
        each_part<16>([&](auto first) {
          const __m256i values = values_at<masked, first>(mask, w);
#pragma GCC unroll 4
          for (int v = 0; v < N; ++v)
            products[q][v] = _mm256_add_epi32(products[q][v], _mm256_madd_epi16(values, x[v][first / 16]));
        });
        next = w + stored_in<masked>(mask);
        fetch_ahead<masked, H>(next);
      }
    }
#pragma GCC unroll 4
    for (int q = 0; q < H; ++q)
#pragma GCC unroll 4
      for (int v = 0; v < N; ++v)
        sums[q][v] = _mm256_fmadd_ps(
            _mm256_cvtepi32_ps(products[q][v]),
            _mm256_set1_ps(float(rows.scales[q * rows.groups() + g]) * in.scales[v * in.scale_stride + g]),
            sums[q][v]);
  }
#pragma GCC unroll 4
  for (int q = 0; q < H; ++q)
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v) out[q * N + v] = sum_of(sums[q][v]);
}

/// Calls visit(column, values) with the columns of a word, eight at a time, as fp32.
template <bool masked, class Value, class Visit>
inline void each_eight(MaskWord mask, const Value* w, const Visit& visit) {
  if constexpr (std::is_same_v<Value, std::int8_t>) {
    each_part<16>([&](auto first) {
      const __m256i values = values_at<masked, first>(mask, w);
      const auto fp32 = [](__m128i half) { return _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(half)); };
      visit(first, fp32(_mm256_castsi256_si128(values)));
      visit(first + 8, fp32(_mm256_extracti128_si256(values, 1)));
    });
  } else {
    each_part<8>([&](auto first) { visit(first, values_at<masked, first>(mask, w)); });
  }
}

template <bool masked, class Value>
inline void row_add(const StoredRows<Value>& row, float x, float* sums) {
  const Value* w = row.values;
  __m256 times = _mm256_set1_ps(x);
  for (std::int64_t i = 0; i < row.words; ++i) {
    const MaskWord mask = masked ? row.mask[i] : 0;
    if constexpr (std::is_same_v<Value, std::int8_t>) times = _mm256_set1_ps(x * float(row.scales[i / 2]));
    each_eight<masked>(mask, w, [&](int column, __m256 values) {
      float* to = sums + i * 64 + column;
      _mm256_storeu_ps(to, _mm256_fmadd_ps(values, times, _mm256_loadu_ps(to)));
    });
    w += stored_in<masked>(mask);
    fetch_ahead<masked, 1>(w);
  }
}

template <class Value>
inline void expand_word(MaskWord mask, const Value*& w, float scale, float* out) {
  const __m256 times = _mm256_set1_ps(scale);
  each_eight<true>(mask, w, [&](int column, __m256 values) {
    _mm256_storeu_ps(out + column, _mm256_mul_ps(times, values));
  });
  w += stored_in<true>(mask);
}

inline constexpr std::int64_t block_from = 24;

template <int N>
inline void word_times_block(MaskWord mask, const float* w, const float* x, float* sums) {
  constexpr int registers = N / 8;
  __m256 sum[registers];
#pragma GCC unroll 8
  for (int k = 0; k < registers; ++k) sum[k] = _mm256_loadu_ps(sums + 8 * k);
  for (; mask != 0; mask &= mask - 1) {
    const float* column = x + _tzcnt_u64(mask) * N;
    const __m256 value = _mm256_broadcast_ss(w++);
#pragma GCC unroll 8
    for (int k = 0; k < registers; ++k)
      sum[k] = _mm256_fmadd_ps(value, _mm256_loadu_ps(column + 8 * k), sum[k]);
  }
#pragma GCC unroll 8
  for (int k = 0; k < registers; ++k) _mm256_storeu_ps(sums + 8 * k, sum[k]);
}

/// Eight values as fp32.
inline __m256 eight_values(const float* w) { return _mm256_loadu_ps(w); }
inline __m256 eight_values(const BFloat16* w) { return values_at<false, 0>(0, w); }
inline __m256 eight_values(const std::int8_t* w) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(w))));
}

/// CSR: gathers x by column number.
template <class Value>
inline float indexed_dot(const std::uint16_t* columns, const Value* w, const float* x, std::int64_t n) {
  __m256 sums[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
  std::int64_t j = 0;
  for (; j + 16 <= n; j += 16)
    for (int q = 0; q < 2; ++q) {
      const auto* here = reinterpret_cast<const __m128i*>(columns + j + 8 * q);
      const __m256i from = _mm256_cvtepu16_epi32(_mm_loadu_si128(here));
      sums[q] = _mm256_fmadd_ps(eight_values(w + j + 8 * q), _mm256_i32gather_ps(x, from, 4), sums[q]);
    }
  return sum_of(_mm256_add_ps(sums[0], sums[1])) +
         wafermark::llama::indexed_dot<float>(columns + j, w + j, x, n - j);
}

}  // namespace wafermark::llama::avx2

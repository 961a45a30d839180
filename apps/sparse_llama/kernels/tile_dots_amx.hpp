// tile_dots of int8 for matrix units (AMX: Sapphire Rapids and later). Sixteen mask words of a tile,
// expanded, are a register of such a unit: 64 columns of sixteen rows, four columns of each side by side. Up
// to sixteen vectors, whose elements are integers q = 128 high + low, are two more; their products are exact
// 32-bit sums, as those of tile_dots_avx512.hpp, and every sum of floats is in the same order: the same bits.
//
// The unit is a template parameter, so that this very code runs on an emulated one where no AMX is.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "sparse_llama/kernels/tile_dots.hpp"

namespace wafermark::llama::amx {

inline constexpr int unit_rows = 16, unit_bytes = 64;  ///< of a register: rows, bytes of a row
/// Bytes of a vector's 64 columns, high and low.
inline constexpr std::int64_t bytes_of_word = 2 * mask_columns;
/// Blocks of vectors that a pass over a tile serves: registers for two blocks' sums, their elements and a
/// tile.
inline constexpr int blocks_of_pass = 2;

/// How many rows each of the eight registers has; 64 bytes each.
using RegisterRows = std::array<int, 8>;

/// AMX itself. In assembly, so that programs for CPUs without it have it for those with.
class Unit {
 public:
  /// For this thread, until the object dies.
  explicit Unit(const RegisterRows& rows) {
    alignas(64) struct {
      std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
      std::uint16_t bytes[16] = {};
      std::uint8_t rows[16] = {};
    } configuration;
    static_assert(sizeof configuration == 64);
    for (std::size_t t = 0; t < rows.size(); ++t) {
      configuration.bytes[t] = unit_bytes;
      configuration.rows[t] = std::uint8_t(rows[t]);
    }
    asm volatile("ldtilecfg %0" ::"m"(configuration));
  }
  ~Unit() { asm volatile("tilerelease"); }
  Unit(const Unit&) = delete;
  Unit& operator=(const Unit&) = delete;

  template <int t>
  void clear() {
    asm volatile("tilezero %%tmm%c0" ::"i"(t));
  }
  /// Rows that follow each other.
  template <int t>
  void load(const void* from) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(std::int64_t(unit_bytes)), "i"(t)
                 : "memory");
  }
  template <int t>
  void store(void* to) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(std::int64_t(unit_bytes)), "i"(t)
                 : "memory");
  }
  /// sums[m][n] += the products of four columns each, a[m][4 k + c] b[k][4 n + c], of all k.
  template <int sums, int a, int b>
  void multiply() {
    asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sums), "i"(a), "i"(b));
  }
};

/// The same in C++.
class EmulatedUnit {
 public:
  explicit EmulatedUnit(const RegisterRows& rows) : rows_(rows) {}

  template <int t>
  void clear() {
    std::memset(registers_[t], 0, sizeof registers_[t]);
  }
  template <int t>
  void load(const void* from) {
    clear<t>();
    std::memcpy(registers_[t], from, std::size_t(rows_[t] * unit_bytes));
  }
  template <int t>
  void store(void* to) const {
    std::memcpy(to, registers_[t], std::size_t(rows_[t] * unit_bytes));
  }
  template <int sums, int a, int b>
  void multiply() {
    for (int m = 0; m < rows_[sums]; ++m)
      for (int n = 0; n < unit_bytes / 4; ++n) {
        std::int32_t sum;
        std::memcpy(&sum, registers_[sums][m] + 4 * n, 4);
        for (int k = 0; k < rows_[b]; ++k)
          for (int c = 0; c < 4; ++c)
            sum += std::int32_t(registers_[a][m][4 * k + c]) * registers_[b][k][4 * n + c];
        std::memcpy(registers_[sums][m] + 4 * n, &sum, 4);
      }
  }

 private:
  RegisterRows rows_;
  std::int8_t registers_[8][unit_rows][unit_bytes] = {};
};

/// Vectors for units, in blocks of `of_block` (at most sixteen): for each block and each 64 columns
/// [of_block][64 high], [of_block][64 low]. Zeros past the matrix's columns.
struct UnitVectors {
  const std::int8_t* x;
  const float* scales;  ///< [vectors][groups]
  std::int64_t count, of_block;
};

/// 64 elements of a vector, `inverse_scale` times them as integers; `to` is where its high parts begin.
inline void arrange_for_unit(const float* from, float inverse_scale, std::int64_t of_block, std::int8_t* to) {
  for (std::int64_t c = 0; c < mask_columns; ++c) {
    const int q = quantised<std::int16_t>(from[c], inverse_scale, activation_range);
    const int high = (q + 64) >> 7;
    to[c] = std::int8_t(high);
    to[of_block * mask_columns + c] = std::int8_t(q - 128 * high);
  }
}

/// Sixteen words, expanded: 64 columns of the rows. Moves on in the tile.
template <bool masked>
inline void expand_into(const MaskWord*& mask, const std::int8_t*& w, std::int8_t (*columns)[unit_bytes]) {
  for (int k = 0; k < unit_rows; ++k) {
    const MaskWord bits = masked ? *mask++ : 0;
    _mm512_store_si512(columns[k], avx512::word_values<masked>(bits, w).of[0]);
    w += avx2::stored_in<masked>(bits);
    avx512::fetch_tiles_ahead<masked>(w);
  }
}

/// out[m][row] += 128 high + low, times the scales of the rows and of the vectors.
inline void add_scaled(const std::int32_t (*high)[tile_rows], const std::int32_t (*low)[tile_rows],
                       const BFloat16* of_rows, const float* of_vectors, std::int64_t groups,
                       std::int64_t vectors, float* out) {
  const __m512i halves = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(of_rows)));
  const __m512 scales = avx512::as_floats(_mm512_slli_epi32(halves, 16));
  for (std::int64_t m = 0; m < vectors; ++m, out += tile_rows) {
    const __m512i sums =
        _mm512_add_epi32(_mm512_slli_epi32(_mm512_load_si512(high[m]), 7), _mm512_load_si512(low[m]));
    _mm512_storeu_ps(out, _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums),
                                          _mm512_mul_ps(scales, _mm512_set1_ps(of_vectors[m * groups])),
                                          _mm512_loadu_ps(out)));
  }
}

/// out[v * tile_rows + row] = row . vector v for the vectors of `blocks` blocks from block `first` on, the
/// first of which is vector 0 of `out`.
template <bool masked, class Unit, int blocks>
void tile_dots(const StoredRows<std::int8_t>& tile, const UnitVectors& in, std::int64_t first, float* out) {
  static_assert(blocks <= blocks_of_pass);
  constexpr int weights = 0, high = 1, low = 2, sums = 3;  // registers; two of sums for each block
  const int m = int(in.of_block);
  Unit unit(RegisterRows{unit_rows, m, m, m, m, m, m, m});
  alignas(64) std::int8_t columns[unit_rows][unit_bytes];
  alignas(64) std::int32_t products[2][unit_rows][tile_rows];
  const std::int64_t groups = tile.groups(), of_word = in.of_block * bytes_of_word,
                     begin = first * in.of_block, vectors = std::min(blocks * in.of_block, in.count - begin);
  std::fill_n(out, vectors * tile_rows, 0.0f);
  const auto each_block = [&](const auto& body) {
    [&]<int... b>(std::integer_sequence<int, b...>) { (body(std::integral_constant<int, b>{}), ...); }
    (std::make_integer_sequence<int, blocks>{});
  };
  const MaskWord* mask = tile.mask;
  const std::int8_t* w = tile.values;
  for (std::int64_t g = 0; g < groups; ++g) {
    each_block([&](auto b) {
      unit.template clear<sums + 2 * b>();
      unit.template clear<sums + 2 * b + 1>();
    });
    for (std::int64_t j = 2 * g; j < std::min(2 * g + 2, tile.words); ++j) {
      expand_into<masked>(mask, w, columns);
      unit.template load<weights>(columns);
      each_block([&](auto b) {
        const std::int8_t* x = in.x + ((first + b) * tile.words + j) * of_word;
        unit.template load<high>(x);
        unit.template load<low>(x + of_word / 2);
        unit.template multiply<sums + 2 * b, high, weights>();
        unit.template multiply<sums + 2 * b + 1, low, weights>();
      });
    }
    each_block([&](auto b) {
      unit.template store<sums + 2 * b>(products[0]);
      unit.template store<sums + 2 * b + 1>(products[1]);
      const std::int64_t before = b * in.of_block, own = std::min(in.of_block, vectors - before);
      add_scaled(products[0], products[1], tile.scales + g * tile_rows,
                 in.scales + (begin + before) * groups + g, groups, own, out + before * tile_rows);
    });
  }
}

/// Vectors dealt to blocks as equal as can be.
struct UnitBlocks {
  std::int64_t count, of_block;

  explicit UnitBlocks(std::int64_t vectors)
      : count((vectors + unit_rows - 1) / unit_rows), of_block((vectors + count - 1) / count) {}
  /// Of all vectors, of rows of `words` words.
  std::int64_t bytes(std::int64_t words) const { return count * of_block * words * bytes_of_word; }
  /// Where the high parts of a word of a vector begin.
  std::int64_t place(std::int64_t v, std::int64_t word, std::int64_t words) const {
    return (v / of_block * words + word) * of_block * bytes_of_word + v % of_block * mask_columns;
  }
};

/// Calls take(first vector, vectors, sums) with the sums [vector][row] of a pass, for all blocks.
template <bool masked, class Unit, class Take>
void all_tile_dots(const StoredRows<std::int8_t>& tile, const UnitVectors& in, std::int64_t blocks,
                   const Take& take) {
  alignas(64) float sums[blocks_of_pass * unit_rows * tile_rows];
  for (std::int64_t b = 0; b < blocks; b += blocks_of_pass) {
    if (b + 1 < blocks)
      tile_dots<masked, Unit, 2>(tile, in, b, sums);
    else
      tile_dots<masked, Unit, 1>(tile, in, b, sums);
    take(b * in.of_block, std::min(blocks_of_pass * in.of_block, in.count - b * in.of_block), sums);
  }
}

}  // namespace wafermark::llama::amx

// tile_dots of int8 and bf16 for matrix units (amx_unit.hpp). Sixteen mask words of an int8 tile, expanded,
// are a register of such a unit: 64 columns of sixteen rows, four columns of each side by side; of a bf16
// tile eight words are, 32 columns in pairs. Up to sixteen vectors, each in two parts, are two more
// registers.
//
//   int8  elements are integers q = 128 high + low; products are exact 32-bit sums, as those of
//         tile_dots_avx512.hpp, and every sum of floats is in the same order: the same bits.
//   bf16  elements are x = high + low, both rounded to bf16: 16 bits of x. With u = 2^-24 a sum of C columns
//   is off
//         by at most (2^-16 + (C / 30 + 20) u) times the sum of the products' sizes, where nothing is
//         flushed: a product goes through at most 16 additions in its register, one of even and odd columns,
//         C / 32 of registers and one of high and low.
//
// The unit is a template parameter, so that this very code runs on an emulated one where no AMX is.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <utility>

#include "sparse_llama/kernels/amx_unit.hpp"
#include "sparse_llama/kernels/tile_dots.hpp"

namespace wafermark::llama::amx {

/// Columns that a register of weights covers, and bytes that those of a vector take, high and low.
template <class Value>
inline constexpr std::int64_t unit_columns = unit_bytes / std::int64_t(sizeof(Value));
inline constexpr std::int64_t bytes_of_step = 2 * unit_bytes;
/// Registers, one after the other, that a tile of so many words a row fills.
template <class Value>
constexpr std::int64_t unit_steps(std::int64_t words) {
  return words * mask_columns / unit_columns<Value>;
}
/// Blocks of vectors that a pass over a tile serves: registers for two blocks' sums, their elements and a
/// tile.
inline constexpr int blocks_of_pass = 2;

/// Vectors for units, in blocks of `of_block` (at most sixteen): for each block and each step
/// [of_block][64 bytes high], [of_block][64 bytes low]. Zeros past the matrix's columns.
struct UnitVectors {
  const std::int8_t* x;
  const float* scales;  ///< int8: [vectors][groups]
  std::int64_t count, of_block;
};

/// 64 elements of a vector; int8: `inverse_scale` times them as integers. `to` is where the high parts of
/// their first step begin.
template <class Value>
void arrange_for_unit(const float* from, float inverse_scale, std::int64_t of_block, std::int8_t* to) {
  for (std::int64_t j = 0; j < mask_columns; j += unit_columns<Value>, to += of_block * bytes_of_step) {
    Value high[unit_columns<Value>], low[unit_columns<Value>];
    for (std::int64_t c = 0; c < unit_columns<Value>; ++c)
      if constexpr (std::is_same_v<Value, BFloat16>) {
        high[c] = BFloat16(from[j + c]);
        low[c] = BFloat16(from[j + c] - float(high[c]));
      } else {
        const int q = quantised<std::int16_t>(from[j + c], inverse_scale, activation_range);
        const int upper = (q + 64) >> 7;
        high[c] = Value(upper);
        low[c] = Value(q - 128 * upper);
      }
    std::memcpy(to, high, unit_bytes);
    std::memcpy(to + of_block * unit_bytes, low, unit_bytes);
  }
}

/// The words of a register, expanded: some columns of all rows. Moves on in the tile.
template <bool masked, class Value>
void expand_into(const MaskWord*& mask, const Value*& w, std::int8_t (*columns)[unit_bytes]) {
  constexpr int rows_of_word = sizeof(Value);
  for (int k = 0; k < unit_rows; k += rows_of_word) {
    const MaskWord bits = masked ? *mask++ : 0;
    const auto values = avx512::word_values<masked>(bits, w);
    for (int i = 0; i < rows_of_word; ++i) _mm512_store_si512(columns[k + i], values.of[i]);
    w += avx2::stored_in<masked>(bits);
    avx512::fetch_tiles_ahead<masked>(w);
  }
}

/// out[m][row] += 128 high + low, times the scales of the rows and of the vectors.
inline void add_products(const std::int32_t (*high)[tile_rows], const std::int32_t (*low)[tile_rows],
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
/// out[m][row] += high + low.
inline void add_products(const float (*high)[tile_rows], const float (*low)[tile_rows], std::int64_t vectors,
                         float* out) {
  for (std::int64_t m = 0; m < vectors; ++m, out += tile_rows)
    _mm512_storeu_ps(out, _mm512_add_ps(_mm512_loadu_ps(out),
                                        _mm512_add_ps(_mm512_load_ps(high[m]), _mm512_load_ps(low[m]))));
}

/// out[v * tile_rows + row] = row . vector v for the vectors of `blocks` blocks from block `first` on, the
/// first of which is vector 0 of `out`.
template <bool masked, class Unit, int blocks, class Value>
void tile_dots(const StoredRows<Value>& tile, const UnitVectors& in, std::int64_t first, float* out) {
  static_assert(blocks <= blocks_of_pass);
  constexpr bool int8 = std::is_same_v<Value, std::int8_t>;
  constexpr int weights = 0, high = 1, low = 2, sums = 3;  // registers; two of sums for each block
  const int m = int(in.of_block);
  Unit unit(RegisterRows{unit_rows, m, m, m, m, m, m, m});
  alignas(64) std::int8_t columns[unit_rows][unit_bytes];
  alignas(64) std::conditional_t<int8, std::int32_t, float> products[2][unit_rows][tile_rows];
  const std::int64_t of_step = in.of_block * bytes_of_step, begin = first * in.of_block,
                     vectors = std::min(blocks * in.of_block, in.count - begin),
                     steps = unit_steps<Value>(tile.words),
                     steps_of_group = int8 ? group_columns / unit_columns<Value> : steps;
  std::fill_n(out, vectors * tile_rows, 0.0f);
  const auto each_block = [&](const auto& body) {
    [&]<int... b>(std::integer_sequence<int, b...>) { (body(std::integral_constant<int, b>{}), ...); }
    (std::make_integer_sequence<int, blocks>{});
  };
  const MaskWord* mask = tile.mask;
  const Value* w = tile.values;
  for (std::int64_t step = 0, g = 0; step < steps; ++g) {
    each_block([&](auto b) {
      unit.template clear<sums + 2 * b>();
      unit.template clear<sums + 2 * b + 1>();
    });
    for (const std::int64_t end = std::min(step + steps_of_group, steps); step < end; ++step) {
      expand_into<masked>(mask, w, columns);
      unit.template load<weights>(columns);
      each_block([&](auto b) {
        const std::int8_t* x = in.x + ((first + b) * steps + step) * of_step;
        unit.template load<high>(x);
        unit.template load<low>(x + of_step / 2);
        unit.template multiply<Value, sums + 2 * b, high, weights>();
        unit.template multiply<Value, sums + 2 * b + 1, low, weights>();
      });
    }
    each_block([&](auto b) {
      unit.template store<sums + 2 * b>(products[0]);
      unit.template store<sums + 2 * b + 1>(products[1]);
      const std::int64_t before = b * in.of_block, own = std::min(in.of_block, vectors - before);
      if constexpr (int8)
        add_products(products[0], products[1], tile.scales + g * tile_rows,
                     in.scales + (begin + before) * tile.groups() + g, tile.groups(), own,
                     out + before * tile_rows);
      else
        add_products(products[0], products[1], own, out + before * tile_rows);
    });
  }
}

/// Vectors dealt to blocks as equal as can be.
struct UnitBlocks {
  std::int64_t count, of_block;

  explicit UnitBlocks(std::int64_t vectors)
      : count((vectors + unit_rows - 1) / unit_rows), of_block((vectors + count - 1) / count) {}
  /// Of all vectors, for a tile of so many steps.
  std::int64_t bytes(std::int64_t steps) const { return count * of_block * steps * bytes_of_step; }
  /// Where the high parts of a vector begin that a step meets.
  std::int64_t place(std::int64_t v, std::int64_t step, std::int64_t steps) const {
    return (v / of_block * steps + step) * of_block * bytes_of_step + v % of_block * unit_bytes;
  }
};

/// Calls take(first vector, vectors, sums) with the sums [vector][row] of a pass, for all blocks.
template <bool masked, class Unit, class Value, class Take>
void all_tile_dots(const StoredRows<Value>& tile, const UnitVectors& in, std::int64_t blocks,
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

// Whether a matrix unit (kernels/tile_dots_amx.hpp) gives the bits that tile_dots gives.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "sparse_llama/kernels/tile_dots_amx.hpp"

namespace wafermark::llama {

/// A tile with this density and vectors to multiply it with, of whole numbers: as large as they can be of
/// int8, of bf16 so small that sums are exact in whatever order.
template <class Value>
struct UnitSample {
  static constexpr bool int8 = std::is_same_v<Value, std::int8_t>;
  static constexpr int largest_value = int8 ? 127 : 15, largest_element = int8 ? int(activation_range) : 1023;
  std::int64_t words, vectors;
  std::vector<MaskWord> mask;
  std::vector<Value> values;
  std::vector<BFloat16> scales;    ///< int8: [groups][row]
  std::vector<float> x, x_scales;  ///< [vector][column]; int8: [vector][group]

  UnitSample(std::int64_t words_, std::int64_t vectors_, double density) : words(words_), vectors(vectors_) {
    std::mt19937 engine(unsigned(1000 * words + vectors));
    const auto whole = [&](int least, int most) {
      return least + int(engine() % std::uint32_t(most - least + 1));
    };
    for (std::int64_t k = 0; k < words * tile_rows; ++k) {
      mask.push_back(0);
      for (int bit = 0; bit < 64; ++bit)
        if (whole(0, 999) < int(1000 * density)) mask.back() |= MaskWord(1) << bit;
      for (int n = Kokkos::popcount(mask.back()); n > 0; --n)
        values.push_back(Value(float(whole(-largest_value - int(int8), largest_value))));
    }
    values.resize(values.size() + 2048);
    for (std::int64_t g = 0; g < tile_rows * (groups() + 16); ++g)
      scales.emplace_back(float(whole(1, 1000)) / 1024);
    for (std::int64_t g = 0; g < vectors * groups(); ++g) x_scales.push_back(float(whole(1, 1000)) / 4096);
    for (std::int64_t j = 0; j < vectors * words * mask_columns; ++j)
      x.push_back(float(whole(-largest_element, largest_element)));
  }
  std::int64_t groups() const { return (words + 1) / 2; }
  StoredRows<Value> stored() const { return {mask.data(), values.data(), scales.data(), words}; }
};

/// [vector][row] by a unit.
template <class Unit, class Value>
std::vector<float> sums_by_unit(const UnitSample<Value>& s) {
  const amx::UnitBlocks blocks(s.vectors);
  const std::int64_t steps = amx::unit_steps<Value>(s.words), of_word = amx::unit_steps<Value>(1);
  std::vector<std::int8_t> arranged(std::size_t(blocks.bytes(steps)));
  for (std::int64_t v = 0; v < s.vectors; ++v)
    for (std::int64_t w = 0; w < s.words; ++w)
      amx::arrange_for_unit<Value>(s.x.data() + (v * s.words + w) * mask_columns, 1.0f, blocks.of_block,
                                   arranged.data() + blocks.place(v, w * of_word, steps));
  std::vector<float> out(std::size_t(s.vectors * tile_rows));
  amx::all_tile_dots<true, Unit>(s.stored(), {arranged.data(), s.x_scales.data(), s.vectors, blocks.of_block},
                                 blocks.count, [&](std::int64_t first, std::int64_t n, const float* sums) {
                                   std::copy_n(sums, n * tile_rows, out.data() + first * tile_rows);
                                 });
  return out;
}

/// The same by tile_dots.
template <class Value>
std::vector<float> sums_by_tile_dots(const UnitSample<Value>& s) {
  using In = TileVectors<Value>;
  std::vector<float> out(std::size_t(s.vectors * tile_rows));
  for (std::int64_t v = 0; v < s.vectors; ++v) {
    constexpr std::int64_t of_word = In::elements / tile_columns * mask_columns;
    std::vector<typename In::X> side_by_side(std::size_t(s.words * of_word));
    std::vector<std::int32_t> sums(std::size_t(s.groups()), 0);
    for (std::int64_t w = 0; w < s.words; ++w)
      sums[std::size_t(w / 2)] += host::arrange_for_tiles<Value>(
          s.x.data() + (v * s.words + w) * mask_columns, 1.0f, 1, side_by_side.data() + w * of_word);
    host::tile_dots<true, 1>(s.stored(),
                             In{side_by_side.data(), s.x_scales.data() + v * s.groups(), sums.data()},
                             out.data() + v * tile_rows);
  }
  return out;
}

/// The first sum of the sample that differs from that of tile_dots, in words; "" where none does.
template <class Unit, class Value>
std::string first_difference(const UnitSample<Value>& s) {
  const std::vector<float> found = sums_by_unit<Unit>(s), wanted = sums_by_tile_dots(s);
  for (std::size_t k = 0; k < found.size(); ++k)
    if (found[k] != wanted[k])
      return fmt::format("row {}, vector {} of {}: {} instead of {}", k % tile_rows, k / tile_rows, s.vectors,
                         found[k], wanted[k]);
  return "";
}

}  // namespace wafermark::llama

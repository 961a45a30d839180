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

/// A tile with this density and vectors to multiply it with.
struct UnitSample {
  std::int64_t words, vectors;
  std::vector<MaskWord> mask;
  std::vector<std::int8_t> values;
  std::vector<BFloat16> scales;    ///< [groups][row]
  std::vector<float> x, x_scales;  ///< [vector][column], whole numbers; [vector][group]

  UnitSample(std::int64_t words_, std::int64_t vectors_, double density) : words(words_), vectors(vectors_) {
    std::mt19937 engine(unsigned(1000 * words + vectors));
    const auto whole = [&](int least, int most) {
      return least + int(engine() % std::uint32_t(most - least + 1));
    };
    for (std::int64_t k = 0; k < words * tile_rows; ++k) {
      mask.push_back(0);
      for (int bit = 0; bit < 64; ++bit)
        if (whole(0, 999) < int(1000 * density)) mask.back() |= MaskWord(1) << bit;
      for (int n = Kokkos::popcount(mask.back()); n > 0; --n) values.push_back(std::int8_t(whole(-128, 127)));
    }
    values.resize(values.size() + 2048);
    for (std::int64_t g = 0; g < tile_rows * (groups() + 16); ++g)
      scales.emplace_back(float(whole(1, 1000)) / 1024);
    for (std::int64_t g = 0; g < vectors * groups(); ++g) x_scales.push_back(float(whole(1, 1000)) / 4096);
    for (std::int64_t j = 0; j < vectors * words * mask_columns; ++j)
      x.push_back(float(whole(-int(activation_range), int(activation_range))));
  }
  std::int64_t groups() const { return (words + 1) / 2; }
  StoredRows<std::int8_t> stored() const { return {mask.data(), values.data(), scales.data(), words}; }
};

/// The first sum of the sample that differs from that of tile_dots, in words; "" where none does.
template <class Unit>
std::string first_difference(const UnitSample& s) {
  const auto wanted = [&](std::int64_t v, float* out) {
    std::vector<std::int8_t> side_by_side(std::size_t(2 * s.words * mask_columns));
    std::vector<std::int32_t> sums(std::size_t(s.groups()), 0);
    for (std::int64_t w = 0; w < s.words; ++w)
      sums[std::size_t(w / 2)] += host::arrange_for_tiles<std::int8_t>(
          s.x.data() + (v * s.words + w) * mask_columns, 1.0f, 1, side_by_side.data() + 2 * w * mask_columns);
    host::tile_dots<true, 1>(s.stored(),
                             {side_by_side.data(), s.x_scales.data() + v * s.groups(), sums.data()}, out);
  };
  const amx::UnitBlocks blocks(s.vectors);
  std::vector<std::int8_t> arranged(std::size_t(blocks.bytes(s.words)));
  for (std::int64_t v = 0; v < s.vectors; ++v)
    for (std::int64_t w = 0; w < s.words; ++w)
      amx::arrange_for_unit(s.x.data() + (v * s.words + w) * mask_columns, 1.0f, blocks.of_block,
                            arranged.data() + blocks.place(v, w, s.words));
  std::vector<float> out(std::size_t(s.vectors * tile_rows));
  amx::all_tile_dots<true, Unit>(s.stored(), {arranged.data(), s.x_scales.data(), s.vectors, blocks.of_block},
                                 blocks.count, [&](std::int64_t first, std::int64_t n, const float* sums) {
                                   std::copy_n(sums, n * tile_rows, out.data() + first * tile_rows);
                                 });
  for (std::int64_t v = 0; v < s.vectors; ++v) {
    float own[tile_rows];
    wanted(v, own);
    for (std::int64_t row = 0; row < tile_rows; ++row)
      if (const float found = out[std::size_t(v * tile_rows + row)]; found != own[row])
        return fmt::format("row {}, vector {} of {}: {} instead of {}", row, v, s.vectors, found, own[row]);
  }
  return "";
}

}  // namespace wafermark::llama

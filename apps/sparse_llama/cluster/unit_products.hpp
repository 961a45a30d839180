// A matrix of int8 or bf16 in tiles times many vectors by a matrix unit (kernels/tile_dots_amx.hpp). For
// hosts.
#pragma once

#include "sparse_llama/cluster/grouped_vectors.hpp"
#include "sparse_llama/cluster/loops.hpp"
#include "sparse_llama/kernels/tile_dots_amx.hpp"

namespace wafermark::llama {

/// Registers that a tile of the matrix fills.
inline std::int64_t steps_of(const PackedMatrix& m) {
  return m.value_type == ValueType::int8 ? amx::unit_steps<std::int8_t>(m.words())
                                         : amx::unit_steps<BFloat16>(m.words());
}

/// Puts one group of 128 elements of a vector into its place in its block.
template <class Value>
struct ArrangeUnitGroup {
  GroupedVectors<Value> vectors;
  amx::UnitBlocks blocks;
  std::int64_t steps;
  std::int8_t* arranged;

  void operator()(std::int64_t k) const {
    vectors.each_word(k, [&](std::int64_t j, const float* word, float inverse) {
      amx::arrange_for_unit<Value>(
          word, inverse, blocks.of_block,
          arranged + blocks.place(k / vectors.groups, j / amx::unit_columns<Value>, steps));
    });
  }
};

/// out[v] of the rows of tile s, for all vectors.
template <bool masked, class Unit, class Value>
struct TileTimesUnitVectors {
  RowsOf<Value> matrix;
  std::int64_t rows;
  amx::UnitVectors in;
  std::int64_t blocks;
  float* out;
  std::int64_t stride;
  bool accumulate;

  void operator()(std::int64_t s) const {
    const std::int64_t first_row = s * tile_rows, n = std::min<std::int64_t>(tile_rows, rows - first_row);
    amx::all_tile_dots<masked, Unit>(matrix.template at<masked>(s), in, blocks,
                                     [&](std::int64_t first, std::int64_t vectors, const float* sums) {
                                       for (std::int64_t v = 0; v < vectors; ++v) {
                                         float* to = out + (first + v) * stride + first_row;
                                         for (std::int64_t q = 0; q < n; ++q)
                                           to[q] = sums[v * tile_rows + q] + (accumulate ? to[q] : 0.0f);
                                       }
                                     });
  }
};

/// out[v] = matrix x[v], or out[v] += that; `bytes` has room for
/// amx::UnitBlocks(vectors).bytes(steps_of(matrix)), `scales` of int8 for [vectors][groups].
template <class Value, class Unit>
void multiply_by_unit(const PackedMatrix& m, const float* x, std::int64_t x_stride, std::int64_t vectors,
                      bool accumulate, float* out, std::int64_t stride, std::int8_t* bytes, float* scales) {
  const amx::UnitBlocks blocks(vectors);
  const std::int64_t groups = m.groups();
  row_loop("arrange vectors", false, vectors * groups,
           ArrangeUnitGroup<Value>{{x, x_stride, m.columns, groups, scales}, blocks, steps_of(m), bytes});
  const amx::UnitVectors in{bytes, scales, vectors, blocks.of_block};
  const auto run = [&]<bool masked>(std::bool_constant<masked>) {
    stealing_loop("matrix x vectors", m.slices(),
                  TileTimesUnitVectors<masked, Unit, Value>{RowsOf<Value>(m), m.rows, in, blocks.count, out,
                                                            stride, accumulate});
  };
  row_of(m.format).layout == Layout::masked ? run(std::true_type{}) : run(std::false_type{});
}

}  // namespace wafermark::llama

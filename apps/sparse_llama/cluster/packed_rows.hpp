// A packed matrix as kernels see it: where its rows are, and rows expanded to fp32.
#pragma once

#include "sparse_llama/cluster/lanes.hpp"
#include "sparse_llama/cluster/matrix_unit.hpp"
#include "sparse_llama/kernels/tile_dots.hpp"
#include "sparse_llama/model/packed_matrix.hpp"

namespace wafermark::llama {

inline constexpr std::int64_t blas_from = 12;  // vectors for which expanding a matrix for BLAS pays, on hosts

/// Whether a matrix whose rows are not in tiles goes through BLAS: dense int8 not where VNNI multiplies it.
constexpr bool suits_blas(ValueType type, std::int64_t vectors) {
  return vectors >= blas_from && !(host_likes_tiles && type == ValueType::int8);
}

/// Rows side by side that suit matrices in this format which are multiplied row by row: one on devices, whose
/// many threads need as many rows. Tiles are for dense matrices, for masked int8 and for int4 (where there is
/// no VNNI, too); masked ones of bf16 and fp32 are 12 % faster in tiles for 16 vectors, but in slices with 64
/// vectors side by side a fifth faster than in tiles. A matrix unit multiplies tiles alone.
inline std::int64_t best_slice(Format format, ValueType type, KernelForm form = native_form(),
                               const MatrixUnit& unit = matrix_unit()) {
  const Layout layout = row_of(format).layout;
  if (form == KernelForm::device || layout == Layout::listed) return 1;
  if (type == ValueType::int4) return tile_rows;
  if (host_likes_tiles && (type == ValueType::int8 || layout == Layout::whole || unit.multiplies(type)))
    return tile_rows;
  return layout == Layout::masked ? slice_rows : 1;
}

/// Room for `size` elements, whose values are lost where it was too small.
template <class View>
void grow(View& view, std::int64_t size) {
  if (std::int64_t(view.size()) < size)
    view = View(Kokkos::view_alloc(Kokkos::WithoutInitializing, "scratch"), std::size_t(size));
}

/// The parts of a packed matrix that a kernel needs.
template <class Value>
struct RowsOf {
  const MaskWord* mask;
  const std::int64_t* slice_start;
  const std::uint16_t* column;
  const Value* values;
  const BFloat16* scales;
  const std::int64_t* scale_start;
  std::int64_t words, groups, slice;

  explicit RowsOf(const PackedMatrix& m)
      : mask(m.mask.data()),
        slice_start(m.slice_start.data()),
        column(m.column.data()),
        values(reinterpret_cast<const Value*>(m.values.data())),
        scales(m.scales.data()),
        scale_start(m.scale_start.data()),
        words(m.words()),
        groups(m.groups()),
        slice(m.slice) {}

  /// What the values of a group of columns are multiples of.
  KOKKOS_INLINE_FUNCTION float scale(std::int64_t group) const {
    if constexpr (is_scaled<Value>)
      return scales[group];
    else
      return 1.0f;
  }

  /// Slice s, which is a row of a dense matrix that is not in tiles.
  template <bool masked>
  KOKKOS_INLINE_FUNCTION StoredRows<Value> at(std::int64_t s) const {
    if constexpr (masked)
      return {mask + s * words * slice, values + slice_start[s], scales + s * slice * groups, words};
    else
      return {nullptr, values + s * slice * row_values(), scales + s * slice * groups, words};
  }
  /// Values of a dense row; int4: pairs.
  KOKKOS_INLINE_FUNCTION std::int64_t row_values() const {
    return (std::is_same_v<Value, Int4Pair> ? groups : words) * mask_columns;
  }
};

/// Writes slice first + i of the matrix (one row, but for masked matrices in slices; not of those in tiles),
/// or row numbers[i] (none when negative) of one whose slices are rows or of a dense one, as fp32 numbers to
/// the rows of `out` from i * slice on, which are `stride` apart and have room for whole words of columns.
template <class Value>
struct ExpandSlice {
  RowsOf<Value> m;
  Layout layout;
  std::int64_t first;
  const std::int64_t* numbers;
  std::int64_t columns;
  float* out;
  std::int64_t stride;

  KOKKOS_FUNCTION void operator()(std::int64_t i) const {
    const std::int64_t s = numbers == nullptr ? first + i : numbers[i];
    float* to = out + i * (layout == Layout::masked ? m.slice : 1) * stride;
    if (s < 0)
      for (std::int64_t j = 0; j < columns; ++j) to[j] = 0;
    else if (layout == Layout::whole)
      m.slice == tile_rows ? row_of_tile(s, to) : whole(s, to);
    else if (layout == Layout::listed)
      listed(s, to);
    else
      masked(s, to);
  }

 private:
  KOKKOS_FUNCTION void whole(std::int64_t s, float* to) const {
    const Value* from = m.values + s * m.row_values();
    for (std::int64_t g = 0; g < m.groups; ++g) {
      const float own = m.scale(s * m.groups + g);
      const std::int64_t last = Kokkos::min((g + 1) * group_columns, columns);
      for (std::int64_t j = g * group_columns; j < last; ++j)
        if constexpr (std::is_same_v<Value, Int4Pair>)
          to[j] = own * float(Int4Run{from + g * mask_columns,
                                      j % group_columns < mask_columns ? 0 : 4}[j % mask_columns]);
        else
          to[j] = own * float(from[j]);
    }
  }
  KOKKOS_FUNCTION void row_of_tile(std::int64_t row, float* to) const {
    const std::int64_t q = row % tile_rows;
    const StoredRows<Value> tile = m.template at<false>(row / tile_rows);
    for (std::int64_t j = 0; j < columns; ++j) {
      const std::int64_t word = j / tile_columns;
      const int bit = tile_bit(int(q), int(j % tile_columns), sizeof(Value));
      if constexpr (std::is_same_v<Value, Int4Pair>) {  // half k of group g
        const std::int64_t g = j / group_columns, k = word / tile_rows % 2;
        to[j] =
            float(Int4Run{tile.values + (g * tile_rows + word % tile_rows) * mask_columns, int(4 * k)}[bit]);
      } else {
        to[j] = float(tile.values[word * mask_columns + bit]);
      }
      if constexpr (is_scaled<Value>) to[j] *= float(tile.scales[j / group_columns * tile_rows + q]);
    }
  }
  KOKKOS_FUNCTION void listed(std::int64_t s, float* to) const {
    if constexpr (!std::is_same_v<Value, Int4Pair>) listed_values(s, to);
  }
  KOKKOS_FUNCTION void listed_values(std::int64_t s, float* to) const {
    const std::int64_t begin = m.slice_start[s], n = m.slice_start[s + 1] - begin;
    for (std::int64_t j = 0; j < columns; ++j) to[j] = 0;
    for (std::int64_t k = 0; k < n; ++k)
      to[m.column[begin + k]] =
          float(m.values[begin + k]) *
          (m.scale_start == nullptr ? 1.0f : m.scale(m.scale_start[s] + k / group_columns));
  }
  KOKKOS_FUNCTION void masked(std::int64_t s, float* to) const {
    const StoredRows<Value> rows = m.template at<true>(s);
    const Value* from = rows.values;
    for (std::int64_t w = 0; w < m.words;)
      if constexpr (std::is_same_v<Value, Int4Pair>) {
        const std::int64_t words = Kokkos::min(std::int64_t(2), m.words - w);
        each_half(from, words, [&](std::int64_t k, Int4Run& run) { word(s, rows.mask, w + k, run, to); });
        w += words;
      } else {
        word(s, rows.mask, w++, from, to);
      }
  }
  /// Word w of all rows of a slice.
  template <class Values>
  KOKKOS_FUNCTION void word(std::int64_t s, const MaskWord* mask, std::int64_t w, Values& from,
                            float* to) const {
    for (std::int64_t q = 0; q < m.slice; ++q) {
      const float own = m.scale((s * m.slice + q) * m.groups + w * mask_columns / group_columns);
      float* columns_of_word = to + q * stride + w * mask_columns;
      const MaskWord bits = mask[w * m.slice + q];
      if constexpr (std::is_same_v<Value, Int4Pair>) {
        portable::expand_word(bits, from, own, columns_of_word);
      } else {
        KOKKOS_IF_ON_HOST((host::expand_word(bits, from, own, columns_of_word);))
        KOKKOS_IF_ON_DEVICE((portable::expand_word(bits, from, own, columns_of_word);))
      }
    }
  }
};

}  // namespace wafermark::llama

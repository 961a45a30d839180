// Matrices in the storage formats and value types of kernels/storage.hpp.
//
// int8 and int4 values are w / s rounded, where the bf16 scale s is that of a group of 128 columns (csr: of
// 128 stored values). int4 values lie as kernels/int4_values.hpp says; csr holds none. Rows begin at
// multiples of 64 columns; columns past the end hold zeros, or bits that are not set. Masked matrices may be
// kept in slices of several rows, word by word side by side (kernels/row_dots.hpp), these and dense ones in
// tiles, whose words cover all their rows (kernels/tile_dots.hpp); rows past the end have no bits, or hold
// zeros.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/spaces.hpp"
#include "sparse_llama/kernels/storage.hpp"

namespace wafermark::llama {

/// "bit_mask" and the like. The second throws InputError that names `option` and the choices.
const char* name_of(Format format);
const char* name_of(ValueType type);
Format format_named(const std::string& name, const std::string& option);
ValueType value_type_named(const std::string& name, const std::string& option);
/// All of them, "dense, csr, ...".
std::string format_names();
std::string value_type_names();

/// Throws InputError that names `option` unless the format holds values of the type.
void expect_holds(Format format, ValueType type, const std::string& option);

/// Bytes of one stored value; int4: of two.
inline std::int64_t bytes_of(ValueType type) { return (row_of(type).bits + 7) / 8; }

struct PackedMatrix {
  Format format = Format::dense;
  ValueType value_type = ValueType::fp32;
  std::int64_t rows = 0, columns = 0;
  std::int64_t slice = 1;   ///< rows side by side: 1, as a tile tile_rows, of masked ones also slice_rows
  std::int64_t stored = 0;  ///< values, zeros that pad dense rows not counted
  Kokkos::View<MaskWord*, MemSpace> mask;  ///< [slices() * words() * slice], masked
  /// [slices() + 1], first value of a slice (int4: first byte); all but whole
  Kokkos::View<std::int64_t*, MemSpace> slice_start;
  Kokkos::View<std::uint16_t*, MemSpace> column;  ///< of each value, listed
  Kokkos::View<unsigned char*, MemSpace> values;  ///< of value_type, and 64 unused ones at the end
  /// scaled: [padded_rows()][groups()], tiles: [slices()][groups()][tile_rows]; listed: of stored values'
  /// groups
  Kokkos::View<BFloat16*, MemSpace> scales;
  Kokkos::View<std::int64_t*, MemSpace> scale_start;  ///< listed, scaled: [rows + 1], first scale of a row
  /// Of a matrix without arrays, of which products are started but nothing is computed: bytes that they would
  /// have.
  std::int64_t hollow_bytes = 0;

  std::int64_t slices() const { return (rows + slice - 1) / slice; }
  std::int64_t padded_rows() const { return slices() * slice; }
  std::int64_t words() const { return (columns + mask_columns - 1) / mask_columns; }
  std::int64_t padded_columns() const { return words() * mask_columns; }
  std::int64_t groups() const { return (columns + group_columns - 1) / group_columns; }
  bool hollow() const { return hollow_bytes > 0; }
  /// Everything above that one multiplication reads.
  std::int64_t bytes() const;
  double bits_per_weight() const { return 8.0 * double(bytes()) / double(rows * columns); }
  double sparsity() const { return 1.0 - double(stored) / double(rows * columns); }
};

/// Writes row `row` of a matrix, [columns] numbers, to `out`. Called by several threads, more than once a
/// row.
using RowSource = std::function<void(std::int64_t row, float* out)>;

/// Packs rows [0, rows) of `source`. Zeros are not stored, save in whole rows; formats that keep so many of
/// so many columns keep the largest (none may be lost: throws InputError that names `name` where a row holds
/// more, or more columns than the format can number).
PackedMatrix pack(std::int64_t rows, std::int64_t columns, Format format, ValueType type,
                  const RowSource& source, const std::string& name, std::int64_t slice);

/// The same matrix without its arrays, with a share `density` of its weights stored. For simulated clusters.
PackedMatrix hollow_matrix(std::int64_t rows, std::int64_t columns, Format format, ValueType type,
                           double density, std::int64_t slice);

/// Throws InputError that names `name` unless the matrix is `rows` by `columns` and its arrays belong
/// together: their sizes, where slices begin, as many values as bits, column numbers below `columns`. Kernels
/// look at none of this, so whoever did not get the arrays from pack() calls it. For host memory.
void expect_consistent(const PackedMatrix& matrix, std::int64_t rows, std::int64_t columns,
                       const std::string& name);

/// Row `row` as fp32 numbers, [columns]: what was stored, rounded to the value type. For host memory.
void unpack_row(const PackedMatrix& matrix, std::int64_t row, float* out);

}  // namespace wafermark::llama

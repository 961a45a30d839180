// How weights are kept for running, one row for each storage format and each value type. Whatever has to know
// a format or a type reads its row: options and messages the name, files the number, packing and memory
// estimates the bits, products the layout.
//
//   dense      every column                                        v            bits a weight at density d
//   csr        stored columns, numbered with 16 bits               d (v + 16)
//   bit_mask   stored columns, one bit a column                    1 + d v
//   two_four   two of each four columns, one bit a column          1 + v / 2
//
// v is 32 (fp32), 16 (bf16), 8 (int8) or 4 (int4). Scales of the last two add 16 bits for each 128 columns
// (csr: stored values), and masked int4 values 0.03 bits where the halves of groups do not hold equally many
// (int4_values.hpp).
// A pattern of another so many of so many is one more row. A layout of its own is an enumerator of Layout,
// its arrays (model/layouts.hpp) and its products (cluster/packed_rows.hpp, matrix_vectors.cpp).
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <tuple>

#include "sparse_llama/kernels/int4_values.hpp"

namespace wafermark::llama {

enum class Format { dense, csr, bit_mask, two_four };
enum class ValueType { fp32, bf16, int8, int4 };

/// How a row says which of its columns are stored.
enum class Layout {
  whole,   ///< all of them
  listed,  ///< by their numbers
  masked   ///< by one bit each, rows side by side in slices on CPUs (row_dots.hpp)
};

struct FormatRow {
  Format format;
  const char* name;  ///< in options, results and messages
  Layout layout;
  int kept, of;    ///< at most `kept` of each `of` neighbouring columns may be stored; any number where equal
  bool by_inputs;  ///< kernels take it stored by inputs too (--activation-threshold)
  bool on_tiles;   ///< tiles of the wafer hold it
  std::int64_t largest_columns;  ///< that it can number
  int least_bits;                ///< of a value that it holds
};

constexpr auto any_columns = std::numeric_limits<std::int64_t>::max();
/// In the order of the enumerators, which files hold as numbers: a new one comes last.
inline constexpr std::array<FormatRow, 4> format_rows{{
    {Format::dense, "dense", Layout::whole, 1, 1, true, true, any_columns, 4},
    {Format::csr, "csr", Layout::listed, 1, 1, false, false, 65536, 8},
    {Format::bit_mask, "bit_mask", Layout::masked, 1, 1, true, true, any_columns, 4},
    {Format::two_four, "two_four", Layout::masked, 2, 4, false, true, any_columns, 4},
}};

struct ValueRow {
  ValueType type;
  const char* name;
  int bits;
  bool scaled;    ///< integers, times the scale of their group
  bool on_tiles;  ///< tiles of the wafer multiply it
  bool in_cache;  ///< keys and values may be kept as it
};

/// In the order of the enumerators, as above; what a value is in C++.
inline constexpr std::array<ValueRow, 4> value_rows{{
    {ValueType::fp32, "fp32", 32, false, true, true},
    {ValueType::bf16, "bf16", 16, false, true, true},
    {ValueType::int8, "int8", 8, true, false, true},
    {ValueType::int4, "int4", 4, true, false, false},
}};
using Values = std::tuple<float, BFloat16, std::int8_t, Int4Pair>;

constexpr const FormatRow& row_of(Format format) { return format_rows[std::size_t(format)]; }
constexpr const ValueRow& row_of(ValueType type) { return value_rows[std::size_t(type)]; }

/// Whether matrices in this format hold values of this type.
constexpr bool holds(Format format, ValueType type) { return row_of(type).bits >= row_of(format).least_bits; }

/// What keys and values are kept as beside weights of a type, unless a run says otherwise: as exact as the
/// weights, in 16 bits where these are rounded.
constexpr ValueType cache_type_beside(ValueType weights) {
  return weights == ValueType::fp32 ? ValueType::fp32 : ValueType::bf16;
}

/// Bits a weight, by the table above; rows are taken to be long.
constexpr double bits_per_weight_of(Format format, ValueType type, double density) {
  const FormatRow& f = row_of(format);
  const ValueRow& v = row_of(type);
  const double stored = f.layout == Layout::whole ? 1.0
                        : f.kept < f.of           ? double(f.kept) / f.of
                                                  : density,
               number = f.layout == Layout::listed   ? 16.0 * stored
                        : f.layout == Layout::masked ? 1.0
                                                     : 0.0,
               scale = v.scaled ? 16.0 / group_columns * (f.layout == Layout::listed ? stored : 1.0) : 0.0,
               unequal = type == ValueType::int4 && f.layout == Layout::masked && f.kept == f.of
                             ? 8.0 * int4_excess(tile_rows, density) / double(tile_rows * group_columns)
                             : 0.0;
  return number + stored * double(v.bits) + scale + unequal;
}

/// Calls run with a number of the type. For hosts.
template <class Run>
void with_value_type(ValueType type, const Run& run) {
  const auto choose = [&]<std::size_t... I>(std::index_sequence<I...>) {
    ((std::size_t(type) == I ? run(std::tuple_element_t<I, Values>{}) : void()), ...);
  };
  choose(std::make_index_sequence<std::tuple_size_v<Values>>{});
}

namespace storage_check {
constexpr bool in_order() {
  for (std::size_t i = 0; i < format_rows.size(); ++i)
    if (format_rows[i].format != Format(i)) return false;
  for (std::size_t i = 0; i < value_rows.size(); ++i)
    if (value_rows[i].type != ValueType(i)) return false;
  return true;
}
template <std::size_t... I>
constexpr bool sizes_fit(std::index_sequence<I...>) {
  return ((std::size_t(value_rows[I].bits + 7) / 8 == sizeof(std::tuple_element_t<I, Values>)) && ...);
}
static_assert(in_order() && std::tuple_size_v<Values> == value_rows.size());
static_assert(sizes_fit(std::make_index_sequence<std::tuple_size_v<Values>>{}));
}  // namespace storage_check

}  // namespace wafermark::llama

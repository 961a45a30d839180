// What each layout of packed matrices does to its arrays; packed_matrix.cpp chooses by the format's row.
#pragma once

#include <cstring>

#include "common/large_pages.hpp"
#include "sparse_llama/kernels/quantise.hpp"
#include "sparse_llama/model/packed_matrix.hpp"

namespace wafermark::llama {

struct LayoutFunctions {
  /// Fills the arrays of `m`, whose sizes are known; `stored`: values of each row.
  void (*pack)(PackedMatrix& m, const RowSource& source, const std::vector<std::int64_t>& stored);
  /// Throws InputError that names `name` unless the arrays belong together. For host memory.
  void (*expect_consistent)(const PackedMatrix& m, const std::string& name);
  /// Row `row` to `out`, zeros. For host memory.
  void (*unpack_row)(const PackedMatrix& m, std::int64_t row, float* out);
};

// Functions, since hipcc takes constants of all files for the device's too, where nobody defines what they
// name.
LayoutFunctions sliced_rows();  ///< whole and masked rows
LayoutFunctions listed_rows();

/// Throws InputError "NAME: WHAT: found ..., expected ..." unless both are the same.
void expect_same(const std::string& name, const char* what, std::int64_t found, std::int64_t expected);

/// Columns of a row that are stored: bits of `mask`, whose words begin as zeros.
void choose_stored(Format format, const float* row, std::int64_t columns, MaskWord* mask);

inline constexpr std::int64_t value_slack = 64;  // bytes: a vector load may begin at the last value

using HostRows = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace, Kokkos::IndexType<std::int64_t>>;

/// Bytes of the values of a row that is stored whole.
inline std::int64_t row_bytes(const PackedMatrix& m) {
  return m.value_type == ValueType::int4 ? m.groups() * mask_columns
                                         : m.padded_columns() * bytes_of(m.value_type);
}

/// Room for so many bytes of values.
inline auto value_array(std::int64_t bytes) {
  auto values = large_page_array<unsigned char>("values", bytes + value_slack);
  std::memset(values.data() + values.size() - value_slack, 0, value_slack);
  return values;
}

/// What a value is before it is put beside others: of int4 a byte.
template <class Value>
using Alone = std::conditional_t<std::is_same_v<Value, Int4Pair>, std::int8_t, Value>;

/// n numbers as the type stores them; integers: times inverse_scale.
template <class Value>
void as_stored(const float* numbers, std::int64_t n, float inverse_scale, Alone<Value>* out) {
  for (std::int64_t i = 0; i < n; ++i) {
    if constexpr (std::is_same_v<Value, Int4Pair>)
      out[i] = quantised_int4(numbers[i], inverse_scale);
    else if constexpr (std::is_integral_v<Value>)
      out[i] = quantised<Value>(numbers[i], inverse_scale, float(std::numeric_limits<Value>::max()));
    else
      out[i] = Value(numbers[i]);
  }
}

/// Stores n numbers as `type`, not int4, at `out`.
inline void store_values(ValueType type, const float* numbers, std::int64_t n, unsigned char* out,
                         float inverse_scale) {
  with_value_type(type, [&]<class Value>(Value) {
    std::vector<Alone<Value>> values(static_cast<std::size_t>(n));
    as_stored<Value>(numbers, n, inverse_scale, values.data());
    std::memcpy(out, values.data(), values.size() * sizeof(values[0]));
  });
}

/// Value i of `values`; int4: where each has a byte.
inline float stored_value(ValueType type, const unsigned char* values, std::int64_t i) {
  float number = 0;
  with_value_type(type, [&]<class Value>(Value) {
    Alone<Value> value;
    std::memcpy(&value, values + std::int64_t(sizeof value) * i, sizeof value);
    number = float(value);
  });
  return number;
}

/// The scale that a group of n numbers is stored with, rounded as it is stored.
inline BFloat16 stored_scale(ValueType type, const float* numbers, std::int64_t n) {
  if (type == ValueType::int4) return int4_scale(numbers, n);
  return BFloat16(group_scale(numbers, n, float(std::numeric_limits<std::int8_t>::max())));
}

template <class View>
void to_device(const View& host, Kokkos::View<typename View::value_type*, MemSpace>& device) {
  device = Kokkos::create_mirror_view_and_copy(MemSpace(), host);
}

template <class View>
auto copy_on_host(const View& view) {
  return Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
}

}  // namespace wafermark::llama

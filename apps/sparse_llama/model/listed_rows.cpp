// Rows whose stored columns are listed by their numbers (CSR).
#include <fmt/format.h>

#include <algorithm>

#include "common/errors.hpp"
#include "sparse_llama/model/layouts.hpp"

namespace wafermark::llama {
namespace {

std::int64_t groups_of(std::int64_t stored) { return (stored + group_columns - 1) / group_columns; }

void pack_listed(PackedMatrix& m, const RowSource& source, const std::vector<std::int64_t>& stored) {
  const bool scaled = row_of(m.value_type).scaled;
  const auto row_start = large_page_array<std::int64_t>("row starts", m.rows + 1);
  const auto scale_start = large_page_array<std::int64_t>("scale starts", scaled ? m.rows + 1 : 0);
  row_start(0) = 0;
  if (scaled) scale_start(0) = 0;
  for (std::int64_t r = 0; r < m.rows; ++r) {
    const std::int64_t n = stored[std::size_t(r)];
    row_start(r + 1) = row_start(r) + n;
    if (scaled) scale_start(r + 1) = scale_start(r) + groups_of(n);
  }
  const auto column = large_page_array<std::uint16_t>("columns", m.stored);
  const auto values = value_array(m.stored * bytes_of(m.value_type));
  const auto scales = large_page_array<BFloat16>("scales", scaled ? scale_start(m.rows) : 0);
  Kokkos::parallel_for("store values", HostRows(0, m.rows), [&](std::int64_t r) {
    std::vector<float> row(std::size_t(m.columns), 0.0f), chosen;
    source(r, row.data());
    std::uint16_t* number = column.data() + row_start(r);
    for (std::int64_t j = 0; j < m.columns; ++j)
      if (row[std::size_t(j)] != 0) {
        chosen.push_back(row[std::size_t(j)]);
        *number++ = std::uint16_t(j);
      }
    const std::int64_t width = bytes_of(m.value_type), n = std::int64_t(chosen.size());
    for (std::int64_t first = 0; first < n; first += group_columns) {
      const std::int64_t some = std::min(group_columns, n - first);
      float inverse = 1;
      if (scaled) {
        const BFloat16 scale = stored_scale(m.value_type, chosen.data() + first, some);
        scales(scale_start(r) + first / group_columns) = scale;
        inverse = inverse_or_zero(float(scale));
      }
      store_values(m.value_type, chosen.data() + first, some, values.data() + (row_start(r) + first) * width,
                   inverse);
    }
  });
  to_device(row_start, m.slice_start);
  to_device(column, m.column);
  to_device(values, m.values);
  to_device(scales, m.scales);
  to_device(scale_start, m.scale_start);
}

void expect_listed(const PackedMatrix& m, const std::string& name) {
  const auto expect = [&](const char* what, std::int64_t found, std::int64_t expected) {
    expect_same(name, what, found, expected);
  };
  const bool scaled = row_of(m.value_type).scaled;
  expect("rows of a slice", m.slice, 1);
  expect("mask words", std::int64_t(m.mask.size()), 0);
  expect("slice starts", std::int64_t(m.slice_start.size()), m.rows + 1);
  expect("column numbers", std::int64_t(m.column.size()), m.stored);
  expect("bytes of values", std::int64_t(m.values.size()), m.stored * bytes_of(m.value_type) + value_slack);
  expect("scale starts", std::int64_t(m.scale_start.size()), scaled ? m.rows + 1 : 0);
  const auto start = copy_on_host(m.slice_start), scale_start = copy_on_host(m.scale_start);
  const auto column = copy_on_host(m.column);
  expect("first slice start", start(0), 0);
  if (scaled) expect("first scale start", scale_start(0), 0);
  for (std::int64_t r = 0; r < m.rows; ++r) {
    const std::int64_t n = start(r + 1) - start(r);
    if (n < 0 || n > m.columns)
      throw InputError(
          fmt::format("{}: found {} values in slice {}, expected 0 to {}", name, n, r, m.columns));
    if (scaled) expect("scales of a row", scale_start(r + 1) - scale_start(r), groups_of(n));
  }
  expect("stored values", m.stored, start(m.rows));
  for (std::size_t i = 0; i < column.size(); ++i)
    if (column(i) >= m.columns)
      throw InputError(
          fmt::format("{}: found column number {}, expected less than {}", name, column(i), m.columns));
  expect("scales", std::int64_t(m.scales.size()), scaled ? scale_start(m.rows) : 0);
}

void unpack_listed(const PackedMatrix& m, std::int64_t row, float* out) {
  const auto start = copy_on_host(m.slice_start), scale_start = copy_on_host(m.scale_start);
  const auto column = copy_on_host(m.column);
  const auto values = copy_on_host(m.values);
  const auto scales = copy_on_host(m.scales);
  const bool scaled = row_of(m.value_type).scaled;
  for (std::int64_t i = start(row), first = i; i < start(row + 1); ++i)
    out[column(i)] = stored_value(m.value_type, values.data(), i) *
                     (scaled ? float(scales(scale_start(row) + (i - first) / group_columns)) : 1.0f);
}

}  // namespace

LayoutFunctions listed_rows() { return {pack_listed, expect_listed, unpack_listed}; }

}  // namespace wafermark::llama

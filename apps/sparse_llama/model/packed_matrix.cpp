#include "sparse_llama/model/packed_matrix.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include "common/errors.hpp"
#include "common/large_pages.hpp"
#include "sparse_llama/kernels/quantise.hpp"

namespace wafermark::llama {
namespace {

constexpr std::array format_names{"dense", "csr", "bit_mask", "two_four"};
constexpr std::array value_names{"fp32", "bf16", "int8"};
constexpr std::int64_t slack = 64;  // a vector load may begin at the last value
using Host = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace, Kokkos::IndexType<std::int64_t>>;

template <class Names>
std::size_t index_of(const Names& names, const std::string& name, const std::string& option) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw InputError(fmt::format("{}: found '{}', expected {}", option, name, fmt::join(names, ", ")));
  return std::size_t(found - names.begin());
}

template <class View>
void to_device(const View& host, Kokkos::View<typename View::value_type*>& device) {
  device = Kokkos::create_mirror_view_and_copy(Kokkos::DefaultExecutionSpace::memory_space(), host);
}

template <class View>
auto on_host(const View& view) {
  return Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
}

/// Of each four of row[columns], the two of largest magnitude: bits of `mask`.
void choose_two_of_four(const float* row, std::int64_t columns, std::vector<MaskWord>& mask) {
  for (std::int64_t first = 0; first < columns; first += 4) {
    const std::int64_t n = std::min<std::int64_t>(4, columns - first);
    std::array<std::int64_t, 4> order{0, 1, 2, 3};
    std::stable_sort(order.begin(), order.begin() + n, [&](std::int64_t a, std::int64_t b) {
      return std::abs(row[first + a]) > std::abs(row[first + b]);
    });
    for (std::int64_t k = 0; k < std::min<std::int64_t>(2, n); ++k) {
      const std::int64_t j = first + order[std::size_t(k)];
      mask[std::size_t(j / mask_columns)] |= MaskWord(1) << j % mask_columns;
    }
  }
}

/// Which columns of a row are stored.
void choose_stored(Format format, const float* row, std::int64_t columns, std::vector<MaskWord>& mask) {
  std::fill(mask.begin(), mask.end(), 0);
  if (format == Format::two_four) return choose_two_of_four(row, columns, mask);
  for (std::int64_t j = 0; j < columns; ++j)
    if (row[j] != 0) mask[std::size_t(j / mask_columns)] |= MaskWord(1) << j % mask_columns;
}

std::int64_t count(const std::vector<MaskWord>& mask) {
  return std::accumulate(mask.begin(), mask.end(), std::int64_t(0),
                         [](std::int64_t n, MaskWord m) { return n + Kokkos::popcount(m); });
}

/// Stores n numbers as `type` at `out`; int8: times inverse_scale.
void store_values(ValueType type, const float* numbers, std::int64_t n, unsigned char* out,
                  float inverse_scale) {
  if (type == ValueType::fp32) {
    if (n > 0) std::memcpy(out, numbers, std::size_t(n) * sizeof(float));
    return;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    if (type == ValueType::bf16) {
      const BFloat16 value(numbers[i]);
      std::memcpy(out + 2 * i, &value, 2);
    } else {
      out[i] = static_cast<unsigned char>(quantised<std::int8_t>(numbers[i], inverse_scale, 127.0f));
    }
  }
}

float stored_value(ValueType type, const unsigned char* values, std::int64_t i) {
  if (type == ValueType::int8) return float(static_cast<std::int8_t>(values[i]));
  float wide = 0;
  BFloat16 narrow;
  if (type == ValueType::fp32) return std::memcpy(&wide, values + 4 * i, 4), wide;
  return std::memcpy(&narrow, values + 2 * i, 2), float(narrow);
}

/// How many values each row holds.
std::vector<std::int64_t> stored_in_rows(const PackedMatrix& m, const RowSource& source,
                                         const std::string& name) {
  std::vector<std::int64_t> stored(std::size_t(m.rows), m.columns);
  if (m.format == Format::dense) return stored;
  std::int64_t overfull = -1;
  Kokkos::parallel_reduce(
      "count stored values", Host(0, m.rows),
      [&](std::int64_t r, std::int64_t& bad) {
        std::vector<float> row(std::size_t(m.columns), 0.0f);
        std::vector<MaskWord> mask(std::size_t(m.words()), 0);
        source(r, row.data());
        choose_stored(m.format, row.data(), m.columns, mask);
        stored[std::size_t(r)] = count(mask);
        if (m.format != Format::two_four) return;
        for (std::int64_t j = 0; j < m.columns; ++j)
          if (row[std::size_t(j)] != 0 && !(mask[std::size_t(j / mask_columns)] >> j % mask_columns & 1))
            bad = r;
      },
      Kokkos::Max<std::int64_t>(overfull));
  if (overfull >= 0)
    throw InputError(fmt::format("{}: found more than two of four columns in row {}, expected at most two",
                                 name, overfull));
  return stored;
}

/// Room for `count` values of the type.
auto value_array(ValueType type, std::int64_t count) {
  auto values = large_page_array<unsigned char>("values", count * bytes_of(type) + slack);
  std::memset(values.data() + values.size() - slack, 0, slack);
  return values;
}

/// Fills the arrays of a dense or masked matrix.
void pack_slices(PackedMatrix& m, const RowSource& source, const std::vector<std::int64_t>& stored) {
  const bool dense = m.format == Format::dense, int8 = m.value_type == ValueType::int8;
  const std::int64_t words = m.words(), padded = m.padded_columns(), groups = m.groups(), slice = m.slice,
                     width = bytes_of(m.value_type);
  const auto slice_start = large_page_array<std::int64_t>("slice starts", dense ? 0 : m.slices() + 1);
  if (!dense) slice_start(0) = 0;
  for (std::int64_t s = 0; !dense && s < m.slices(); ++s) {
    slice_start(s + 1) = slice_start(s);
    for (std::int64_t r = s * slice; r < std::min(m.rows, (s + 1) * slice); ++r)
      slice_start(s + 1) += stored[std::size_t(r)];
  }
  const auto mask = large_page_array<MaskWord>("bit mask", dense ? 0 : m.padded_rows() * words);
  const auto values = value_array(m.value_type, dense ? m.rows * padded : m.stored);
  const auto scales = large_page_array<BFloat16>("scales", int8 ? m.padded_rows() * groups : 0);
  Kokkos::parallel_for("store values", Host(0, m.slices()), [&](std::int64_t s) {
    std::vector<std::vector<float>> row(std::size_t(slice), std::vector<float>(std::size_t(padded), 0.0f));
    std::vector<std::vector<MaskWord>> row_mask(
        row.size(), std::vector<MaskWord>(std::size_t(words), dense ? ~MaskWord(0) : 0));
    std::vector<float> inverse(row.size(), 1.0f), chosen;
    for (std::size_t q = 0; q < row.size(); ++q) {
      const std::int64_t r = s * slice + std::int64_t(q);
      if (r >= m.rows) continue;
      source(r, row[q].data());
      if (!dense) choose_stored(m.format, row[q].data(), m.columns, row_mask[q]);
    }
    unsigned char* out = values.data() + (dense ? s * padded : slice_start(s)) * width;
    for (std::int64_t w = 0; w < words; ++w)
      for (std::size_t q = 0; q < row.size(); ++q) {
        const float* own = row[q].data() + w * mask_columns;
        if (const std::int64_t j = w * mask_columns; int8 && j % group_columns == 0) {
          const BFloat16 scale(group_scale(own, std::min(group_columns, padded - j), 127.0f));
          scales((s * slice + std::int64_t(q)) * groups + j / group_columns) = scale;
          inverse[q] = inverse_or_zero(float(scale));
        }
        const MaskWord bits = row_mask[q][std::size_t(w)];
        if (!dense) mask((s * words + w) * slice + std::int64_t(q)) = bits;
        chosen.clear();
        for (MaskWord rest = bits; rest != 0; rest &= rest - 1)
          chosen.push_back(own[Kokkos::countr_zero(rest)]);
        store_values(m.value_type, chosen.data(), std::int64_t(chosen.size()), out, inverse[q]);
        out += std::int64_t(chosen.size()) * width;
      }
  });
  to_device(mask, m.mask);
  to_device(slice_start, m.slice_start);
  to_device(values, m.values);
  to_device(scales, m.scales);
}

/// Fills the arrays of a CSR matrix.
void pack_csr(PackedMatrix& m, const RowSource& source, const std::vector<std::int64_t>& stored) {
  const bool int8 = m.value_type == ValueType::int8;
  const auto row_start = large_page_array<std::int64_t>("row starts", m.rows + 1);
  const auto scale_start = large_page_array<std::int64_t>("scale starts", int8 ? m.rows + 1 : 0);
  row_start(0) = 0;
  if (int8) scale_start(0) = 0;
  for (std::int64_t r = 0; r < m.rows; ++r) {
    const std::int64_t n = stored[std::size_t(r)];
    row_start(r + 1) = row_start(r) + n;
    if (int8) scale_start(r + 1) = scale_start(r) + (n + group_columns - 1) / group_columns;
  }
  const auto column = large_page_array<std::uint16_t>("columns", m.stored);
  const auto values = value_array(m.value_type, m.stored);
  const auto scales = large_page_array<BFloat16>("scales", int8 ? scale_start(m.rows) : 0);
  Kokkos::parallel_for("store values", Host(0, m.rows), [&](std::int64_t r) {
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
      if (int8) {
        const BFloat16 scale(group_scale(chosen.data() + first, some, 127.0f));
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

}  // namespace

const char* name_of(Format format) { return format_names[std::size_t(format)]; }
const char* name_of(ValueType type) { return value_names[std::size_t(type)]; }
Format format_named(const std::string& name, const std::string& option) {
  return Format(index_of(format_names, name, option));
}
ValueType value_type_named(const std::string& name, const std::string& option) {
  return ValueType(index_of(value_names, name, option));
}
std::int64_t bytes_of(ValueType type) {
  return type == ValueType::fp32 ? 4 : type == ValueType::bf16 ? 2 : 1;
}

std::int64_t PackedMatrix::bytes() const {
  const auto size = [](const auto& view) { return std::int64_t(view.size() * sizeof(*view.data())); };
  return size(mask) + size(slice_start) + size(column) + size(values) - (values.size() > 0 ? slack : 0) +
         size(scales) + size(scale_start);
}

PackedMatrix pack(std::int64_t rows, std::int64_t columns, Format format, ValueType type,
                  const RowSource& source, const std::string& name, std::int64_t slice) {
  if (format == Format::csr && columns > 65536)
    throw InputError(fmt::format("{}: found {} columns, expected at most 65536 for csr", name, columns));
  PackedMatrix m;
  m.format = format;
  m.value_type = type;
  m.rows = rows;
  m.columns = columns;
  m.slice = slice;
  const auto stored = stored_in_rows(m, source, name);
  m.stored = std::accumulate(stored.begin(), stored.end(), std::int64_t(0));
  if (format == Format::csr)
    pack_csr(m, source, stored);
  else
    pack_slices(m, source, stored);
  return m;
}

void expect_consistent(const PackedMatrix& m, std::int64_t rows, std::int64_t columns,
                       const std::string& name) {
  const auto expect = [&](const char* what, std::int64_t found, std::int64_t expected) {
    if (found != expected)
      throw InputError(fmt::format("{}: {}: found {}, expected {}", name, what, found, expected));
  };
  const bool dense = m.format == Format::dense, csr = m.format == Format::csr,
             int8 = m.value_type == ValueType::int8;
  expect("rows", m.rows, rows);
  expect("columns", m.columns, columns);
  if (m.slice != slice_rows || dense || csr) expect("rows of a slice", m.slice, 1);
  expect("mask words", std::int64_t(m.mask.size()), dense || csr ? 0 : m.padded_rows() * m.words());
  expect("slice starts", std::int64_t(m.slice_start.size()), dense ? 0 : m.slices() + 1);
  expect("column numbers", std::int64_t(m.column.size()), csr ? m.stored : 0);
  expect("bytes of values", std::int64_t(m.values.size()),
         (dense ? rows * m.padded_columns() : m.stored) * bytes_of(m.value_type) + slack);
  expect("scale starts", std::int64_t(m.scale_start.size()), csr && int8 ? rows + 1 : 0);
  if (dense) {
    expect("stored values", m.stored, rows * columns);
    return expect("scales", std::int64_t(m.scales.size()), int8 ? rows * m.groups() : 0);
  }
  const auto start = on_host(m.slice_start), scale_start = on_host(m.scale_start);
  const auto mask = on_host(m.mask);
  const auto column = on_host(m.column);
  expect("first slice start", start(0), 0);
  if (csr && int8) expect("first scale start", scale_start(0), 0);
  const std::int64_t most = m.slice * columns;
  for (std::int64_t s = 0; s < m.slices(); ++s) {
    const std::int64_t n = start(s + 1) - start(s);
    if (n < 0 || n > most)
      throw InputError(fmt::format("{}: found {} values in slice {}, expected 0 to {}", name, n, s, most));
    if (csr && int8)
      expect("scales of a row", scale_start(s + 1) - scale_start(s), (n + group_columns - 1) / group_columns);
    if (csr) continue;
    std::int64_t bits = 0;
    for (std::int64_t i = s * m.words() * m.slice; i < (s + 1) * m.words() * m.slice; ++i)
      bits += Kokkos::popcount(mask(i));
    expect("bits of a slice", bits, n);
  }
  expect("stored values", m.stored, start(m.slices()));
  for (std::size_t i = 0; i < column.size(); ++i)
    if (column(i) >= columns)
      throw InputError(
          fmt::format("{}: found column number {}, expected less than {}", name, column(i), columns));
  expect("scales", std::int64_t(m.scales.size()),
         !int8 ? 0
         : csr ? scale_start(rows)
               : m.padded_rows() * m.groups());
}

void unpack_row(const PackedMatrix& m, std::int64_t row, float* out) {
  const auto mask = on_host(m.mask);
  const auto start = on_host(m.slice_start), scale_start = on_host(m.scale_start);
  const auto column = on_host(m.column);
  const auto values = on_host(m.values);
  const auto scales = on_host(m.scales);
  const bool dense = m.format == Format::dense, int8 = m.value_type == ValueType::int8;
  std::fill_n(out, m.columns, 0.0f);
  if (m.format == Format::csr) {
    for (std::int64_t i = start(row), first = i; i < start(row + 1); ++i)
      out[column(i)] = stored_value(m.value_type, values.data(), i) *
                       (int8 ? float(scales(scale_start(row) + (i - first) / group_columns)) : 1.0f);
    return;
  }
  const std::int64_t s = row / m.slice;
  std::int64_t next = dense ? row * m.padded_columns() : start(s);
  for (std::int64_t w = 0; w < m.words(); ++w)
    for (std::int64_t q = 0; q < m.slice; ++q) {
      MaskWord rest = dense ? ~MaskWord(0) : mask((s * m.words() + w) * m.slice + q);
      for (; rest != 0; rest &= rest - 1, ++next)
        if (const std::int64_t j = w * mask_columns + Kokkos::countr_zero(rest);
            s * m.slice + q == row && j < m.columns)
          out[j] = stored_value(m.value_type, values.data(), next) *
                   (int8 ? float(scales(row * m.groups() + j / group_columns)) : 1.0f);
    }
}

}  // namespace wafermark::llama

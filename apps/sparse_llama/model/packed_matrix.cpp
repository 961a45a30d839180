#include "sparse_llama/model/packed_matrix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#include "common/errors.hpp"
#include "sparse_llama/model/layouts.hpp"

namespace wafermark::llama {
namespace {

template <class Rows>
std::string names_in(const Rows& rows, const char* between) {
  std::string names;
  for (const auto& row : rows) names += (names.empty() ? "" : between) + std::string(row.name);
  return names;
}

template <class Rows>
std::size_t number_of(const Rows& rows, const std::string& name, const std::string& option) {
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return name == row.name; });
  if (found == rows.end())
    throw InputError(fmt::format("{}: found '{}', expected {}", option, name, names_in(rows, ", ")));
  return std::size_t(found - rows.begin());
}

LayoutFunctions functions_of(Layout layout) {
  return layout == Layout::listed ? listed_rows() : sliced_rows();
}

/// Of each `of` columns the `kept` of largest magnitude.
void choose_largest(const float* row, std::int64_t columns, int kept, int of, MaskWord* mask) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(of));
  for (std::int64_t first = 0; first < columns; first += of) {
    const auto n = std::min<std::int64_t>(of, columns - first);
    std::iota(order.begin(), order.begin() + n, first);
    std::stable_sort(order.begin(), order.begin() + n,
                     [&](std::int64_t a, std::int64_t b) { return std::abs(row[a]) > std::abs(row[b]); });
    for (std::int64_t k = 0; k < std::min<std::int64_t>(kept, n); ++k) {
      const std::int64_t j = order[std::size_t(k)];
      mask[j / mask_columns] |= MaskWord(1) << j % mask_columns;
    }
  }
}

/// Which of 64 numbers are not zero.
MaskWord bits_of_word(const float* numbers) {
  std::array<std::uint8_t, mask_columns> stored;
  for (std::size_t k = 0; k < stored.size(); ++k) stored[k] = numbers[k] != 0;
  MaskWord bits = 0;
  for (std::size_t k = 0; k < stored.size(); k += 8) {
    std::uint64_t eight = 0;  // bytes of 0 or 1, the first the lowest
    std::memcpy(&eight, stored.data() + k, sizeof eight);
    bits |= (eight * 0x0102040810204080u >> 56) << k;  // byte i goes to bit 56 + i, and nothing else there
  }
  return bits;
}

std::int64_t count(const std::vector<MaskWord>& mask) {
  return std::accumulate(mask.begin(), mask.end(), std::int64_t(0),
                         [](std::int64_t n, MaskWord m) { return n + Kokkos::popcount(m); });
}

/// How many values each row holds. Throws InputError where a pattern would lose some.
std::vector<std::int64_t> stored_in_rows(const PackedMatrix& m, const RowSource& source,
                                         const std::string& name) {
  std::vector<std::int64_t> stored(std::size_t(m.rows), m.columns);
  const FormatRow& format = row_of(m.format);
  if (format.layout == Layout::whole) return stored;
  std::int64_t overfull = -1;
  Kokkos::parallel_reduce(
      "count stored values", HostRows(0, m.rows),
      [&](std::int64_t r, std::int64_t& bad) {
        std::vector<float> row(std::size_t(m.columns), 0.0f);
        std::vector<MaskWord> mask(std::size_t(m.words()), 0);
        source(r, row.data());
        choose_stored(m.format, row.data(), m.columns, mask.data());
        stored[std::size_t(r)] = count(mask);
        if (format.kept == format.of) return;
        for (std::int64_t j = 0; j < m.columns; ++j)
          if (row[std::size_t(j)] != 0 && !(mask[std::size_t(j / mask_columns)] >> j % mask_columns & 1))
            bad = r;
      },
      Kokkos::Max<std::int64_t>(overfull));
  if (overfull >= 0)
    throw InputError(fmt::format("{0}: found more than {1} of {2} columns in row {3}, expected at most {1}",
                                 name, format.kept, format.of, overfull));
  return stored;
}

/// With its sizes and nothing in it.
PackedMatrix shaped(std::int64_t rows, std::int64_t columns, Format format, ValueType type,
                    std::int64_t slice) {
  PackedMatrix m;
  m.format = format;
  m.value_type = type;
  m.rows = rows;
  m.columns = columns;
  m.slice = slice;
  return m;
}

/// Of masked int4 values: those of the fuller halves of groups, as a rule the first ones.
std::int64_t expected_int4_bytes(const PackedMatrix& m) {
  const FormatRow& f = row_of(m.format);
  const double density = double(m.stored) / (double(m.rows) * double(m.columns)),
               excess = f.kept < f.of ? 0.0 : int4_excess(std::min(m.slice, m.rows), density);
  const std::int64_t both = m.columns / group_columns,
                     first = both * mask_columns + std::min(m.columns % group_columns, mask_columns);
  return std::llround(density * double(m.rows * first) + excess * double(m.slices() * both));
}

}  // namespace

void expect_same(const std::string& name, const char* what, std::int64_t found, std::int64_t expected) {
  if (found != expected)
    throw InputError(fmt::format("{}: {}: found {}, expected {}", name, what, found, expected));
}

void choose_stored(Format format, const float* row, std::int64_t columns, MaskWord* mask) {
  const FormatRow& f = row_of(format);
  if (f.kept < f.of) return choose_largest(row, columns, f.kept, f.of, mask);
  std::int64_t j = 0;
  for (; j + mask_columns <= columns; j += mask_columns) mask[j / mask_columns] = bits_of_word(row + j);
  for (; j < columns; ++j)
    if (row[j] != 0) mask[j / mask_columns] |= MaskWord(1) << j % mask_columns;
}

const char* name_of(Format format) { return row_of(format).name; }
const char* name_of(ValueType type) { return row_of(type).name; }
Format format_named(const std::string& name, const std::string& option) {
  return Format(number_of(format_rows, name, option));
}
ValueType value_type_named(const std::string& name, const std::string& option) {
  return ValueType(number_of(value_rows, name, option));
}
void expect_holds(Format format, ValueType type, const std::string& option) {
  if (holds(format, type)) return;
  std::string able;
  for (const ValueRow& row : value_rows)
    if (holds(format, row.type)) able += (able.empty() ? "" : ", ") + std::string(row.name);
  throw InputError(
      fmt::format("{}: found {} for {}, expected {}", option, name_of(type), name_of(format), able));
}
std::string format_names() { return names_in(format_rows, ", "); }
std::string value_type_names() { return names_in(value_rows, ", "); }

std::int64_t PackedMatrix::bytes() const {
  if (hollow()) return hollow_bytes;
  const auto size = [](const auto& view) { return std::int64_t(view.size() * sizeof(*view.data())); };
  return size(mask) + size(slice_start) + size(column) + size(values) -
         (values.size() > 0 ? value_slack : 0) + size(scales) + size(scale_start);
}

PackedMatrix pack(std::int64_t rows, std::int64_t columns, Format format, ValueType type,
                  const RowSource& source, const std::string& name, std::int64_t slice) {
  if (const std::int64_t most = row_of(format).largest_columns; columns > most)
    throw InputError(fmt::format("{}: found {} columns, expected at most {} for {}", name, columns, most,
                                 name_of(format)));
  expect_holds(format, type, name);
  PackedMatrix m = shaped(rows, columns, format, type, slice);
  const auto stored = stored_in_rows(m, source, name);
  m.stored = std::accumulate(stored.begin(), stored.end(), std::int64_t(0));
  functions_of(row_of(format).layout).pack(m, source, stored);
  return m;
}

PackedMatrix hollow_matrix(std::int64_t rows, std::int64_t columns, Format format, ValueType type,
                           double density, std::int64_t slice) {
  const FormatRow& f = row_of(format);
  const ValueRow& v = row_of(type);
  PackedMatrix m = shaped(rows, columns, format, type, slice);
  const double all = double(rows) * double(columns);
  m.stored = f.layout == Layout::whole ? rows * columns
             : f.kept < f.of           ? std::llround(all * f.kept / f.of)
                                       : std::llround(all * density);
  // As pack_sliced and pack_listed allocate them.
  const std::int64_t scale = v.scaled ? std::int64_t(sizeof(BFloat16)) : 0,
                     start = std::int64_t(sizeof(std::int64_t));
  if (f.layout == Layout::whole)
    m.hollow_bytes = m.padded_rows() * (row_bytes(m) + m.groups() * scale);
  else if (f.layout == Layout::masked)
    m.hollow_bytes = m.padded_rows() * (m.words() * std::int64_t(sizeof(MaskWord)) + m.groups() * scale) +
                     (m.slices() + 1) * start +
                     (type == ValueType::int4 ? expected_int4_bytes(m) : m.stored * v.bits / 8);
  else
    m.hollow_bytes = m.stored * (v.bits / 8 + std::int64_t(sizeof(std::uint16_t))) + (rows + 1) * start +
                     (v.scaled ? (rows + 1) * start + (m.stored / group_columns + rows / 2) * scale : 0);
  return m;
}

void expect_consistent(const PackedMatrix& m, std::int64_t rows, std::int64_t columns,
                       const std::string& name) {
  expect_same(name, "rows", m.rows, rows);
  expect_same(name, "columns", m.columns, columns);
  expect_holds(m.format, m.value_type, name);
  functions_of(row_of(m.format).layout).expect_consistent(m, name);
}

void unpack_row(const PackedMatrix& m, std::int64_t row, float* out) {
  std::fill_n(out, m.columns, 0.0f);
  functions_of(row_of(m.format).layout).unpack_row(m, row, out);
}

}  // namespace wafermark::llama

// Rows that are whole or whose stored columns have a bit each, several of the latter side by side in slices
// or tiles.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "common/errors.hpp"
#include "sparse_llama/kernels/tile_dots.hpp"
#include "sparse_llama/model/int4_slices.hpp"
#include "sparse_llama/model/layouts.hpp"

namespace wafermark::llama {
namespace {

bool is_whole(const PackedMatrix& m) { return row_of(m.format).layout == Layout::whole; }

/// A word of a row as it is stored: its 64 numbers, of which the bits say which ones.
template <class Value>
unsigned char* store_word(const float* numbers, MaskWord bits, float inverse_scale, unsigned char* out) {
  Alone<Value> all[mask_columns], chosen[mask_columns + 1];
  as_stored<Value>(numbers, mask_columns, inverse_scale, all);
  std::size_t n = 0;
  if (bits == ~MaskWord(0)) {
    n = mask_columns;
    std::copy_n(all, n, chosen);
  } else {
    for (std::size_t k = 0; k < mask_columns; ++k) {  // without branches: no processor foretells the bits
      chosen[n] = all[k];
      n += bits >> k & 1;
    }
  }
  std::memcpy(out, chosen, n * sizeof(chosen[0]));
  return out + n * sizeof(chosen[0]);
}

/// Where the parts of a matrix go, on the host.
struct SlicedArrays {
  Kokkos::View<std::int64_t*, Kokkos::HostSpace> slice_start;
  Kokkos::View<MaskWord*, Kokkos::HostSpace> mask;
  Kokkos::View<unsigned char*, Kokkos::HostSpace> values;
  Kokkos::View<BFloat16*, Kokkos::HostSpace> scales;
};

/// The rows of a slice as numbers, and which of them are stored.
struct SliceOfSource {
  std::vector<float> rows, inverse;
  std::vector<MaskWord> masks;

  SliceOfSource(const PackedMatrix& m, const RowSource& source, std::int64_t s)
      : rows(std::size_t(m.slice * m.padded_columns()), 0.0f),
        inverse(std::size_t(m.slice), 1.0f),
        masks(std::size_t(m.slice * m.words()), is_whole(m) ? ~MaskWord(0) : 0) {
    for (std::int64_t q = 0; q < std::min(m.slice, m.rows - s * m.slice); ++q) {
      float* own = rows.data() + q * m.padded_columns();
      source(s * m.slice + q, own);
      if (!is_whole(m)) choose_stored(m.format, own, m.columns, masks.data() + q * m.words());
    }
  }
};

/// The mask of slice s, from the matrix' mask words.
SliceMask mask_of_slice(const PackedMatrix& m, const MaskWord* mask, std::int64_t s) {
  return {is_whole(m) ? nullptr : mask + s * m.words() * m.slice, m.words(), m.slice};
}

/// Where the values of each slice begin, and those behind the last end.
auto starts_of_slices(const PackedMatrix& m, const RowSource& source,
                      const std::vector<std::int64_t>& stored) {
  const auto start = large_page_array<std::int64_t>("slice starts", m.slices() + 1);
  start(0) = 0;
  if (m.value_type == ValueType::int4)
    Kokkos::parallel_for("bytes of slices", HostRows(0, m.slices()), [&](std::int64_t s) {
      const std::vector<MaskWord> by_row = SliceOfSource(m, source, s).masks;
      std::vector<MaskWord> by_word(by_row.size());  // in tiles each covers other columns of these 64
      for (std::int64_t q = 0; q < m.slice; ++q)
        for (std::int64_t w = 0; w < m.words(); ++w)
          by_word[std::size_t(w * m.slice + q)] = by_row[std::size_t(q * m.words() + w)];
      start(s + 1) = int4_bytes({by_word.data(), m.words(), m.slice});
    });
  for (std::int64_t s = 0; s < m.slices(); ++s) {
    std::int64_t own = m.value_type == ValueType::int4 ? start(s + 1) : 0;
    if (m.value_type != ValueType::int4)
      for (std::int64_t r = s * m.slice; r < std::min(m.rows, (s + 1) * m.slice); ++r)
        own += stored[std::size_t(r)];
    start(s + 1) = start(s) + own;
  }
  return start;
}

/// Where the scale of a group of columns of row q of slice s is: tiles have those of all rows side by side.
std::int64_t scale_place(const PackedMatrix& m, std::int64_t s, std::int64_t q, std::int64_t group) {
  return m.slice == tile_rows ? (s * m.groups() + group) * tile_rows + q
                              : (s * m.slice + q) * m.groups() + group;
}

/// 64 columns of a tile, word by word; no masks of a whole one.
template <class Value>
unsigned char* store_tile_columns(const PackedMatrix& m, const SliceOfSource& from, std::int64_t w,
                                  MaskWord* mask, unsigned char* out) {
  Alone<Value> all[tile_rows][mask_columns], chosen[mask_columns + 1];
  MaskWord stored[tile_rows];
  for (std::size_t q = 0; q < tile_rows; ++q) {
    as_stored<Value>(from.rows.data() + std::int64_t(q) * m.padded_columns() + w * mask_columns, mask_columns,
                     from.inverse[q], all[q]);
    stored[q] = from.masks[q * std::size_t(m.words()) + std::size_t(w)];
  }
  for (std::int64_t first = 0; first < mask_columns; first += tile_columns) {
    MaskWord bits = 0;
    std::size_t n = 0;
    for (int bit = 0; bit < int(mask_columns); ++bit) {  // without branches, as in store_word()
      const auto q = std::size_t(tile_row(bit, sizeof(Value)));
      const auto column = std::size_t(first + tile_column(bit, sizeof(Value)));
      const MaskWord is_stored = stored[q] >> column & 1;
      chosen[n] = all[q][column];
      n += is_stored;
      bits |= is_stored << bit;
    }
    if (!is_whole(m)) *mask++ = bits;
    std::memcpy(out, chosen, n * sizeof(chosen[0]));
    out += n * sizeof(chosen[0]);
  }
  return out;
}

/// Bytes of the values of all slices, of masked ones from where they begin.
template <class Starts>
std::int64_t value_bytes(const PackedMatrix& m, const Starts& slice_start) {
  return is_whole(m) ? m.padded_rows() * row_bytes(m) : slice_start(m.slices()) * bytes_of(m.value_type);
}

template <class Value>
void pack_slice(const PackedMatrix& m, const RowSource& source, std::int64_t s, const SlicedArrays& to) {
  const bool whole = is_whole(m), scaled = row_of(m.value_type).scaled;
  const std::int64_t words = m.words(), padded = m.padded_columns(), slice = m.slice;
  SliceOfSource from(m, source, s);
  constexpr bool int4 = std::is_same_v<Value, Int4Pair>;
  std::vector<std::int8_t> alone(int4 ? std::size_t(slice * padded) : 0);  // put together in the end
  unsigned char* const place =
      to.values.data() + (whole ? s * slice * row_bytes(m) : to.slice_start(s) * bytes_of(m.value_type));
  unsigned char* out = int4 ? reinterpret_cast<unsigned char*>(alone.data()) : place;
  for (std::int64_t w = 0; w < words; ++w) {
    const float* own = from.rows.data() + w * mask_columns;
    if (const std::int64_t j = w * mask_columns; scaled && j % group_columns == 0)
      for (std::int64_t q = 0; q < slice; ++q) {
        const BFloat16 scale =
            stored_scale(m.value_type, own + q * padded, std::min(group_columns, padded - j));
        to.scales(scale_place(m, s, q, j / group_columns)) = scale;
        from.inverse[std::size_t(q)] = inverse_or_zero(float(scale));
      }
    if (slice == tile_rows) {
      out =
          store_tile_columns<Value>(m, from, w, to.mask.data() + (whole ? 0 : (s * words + w) * slice), out);
      continue;
    }
    for (std::int64_t q = 0; q < slice; ++q) {
      const MaskWord bits = from.masks[std::size_t(q * words + w)];
      if (!whole) to.mask((s * words + w) * slice + q) = bits;
      out = store_word<Value>(own + q * padded, bits, from.inverse[std::size_t(q)], out);
    }
  }
  if constexpr (int4)
    fold_int4(mask_of_slice(m, to.mask.data(), s), alone.data(), reinterpret_cast<Int4Pair*>(place));
}

void pack_sliced(PackedMatrix& m, const RowSource& source, const std::vector<std::int64_t>& stored) {
  const bool whole = is_whole(m), scaled = row_of(m.value_type).scaled;
  const auto start =
      whole ? large_page_array<std::int64_t>("slice starts", 0) : starts_of_slices(m, source, stored);
  const SlicedArrays to{start,
                        large_page_array<MaskWord>("bit mask", whole ? 0 : m.padded_rows() * m.words()),
                        value_array(value_bytes(m, start)),
                        large_page_array<BFloat16>("scales", scaled ? m.padded_rows() * m.groups() : 0)};
  with_value_type(m.value_type, [&]<class Value>(Value) {
    Kokkos::parallel_for("store values", HostRows(0, m.slices()),
                         [&](std::int64_t s) { pack_slice<Value>(m, source, s, to); });
  });
  to_device(to.mask, m.mask);
  to_device(to.slice_start, m.slice_start);
  to_device(to.values, m.values);
  to_device(to.scales, m.scales);
}

/// As many values in each slice as bits; int4: as many bytes as they take.
void expect_as_many_bits(const PackedMatrix& m, const std::string& name) {
  const auto start = copy_on_host(m.slice_start);
  const auto mask = copy_on_host(m.mask);
  expect_same(name, "first slice start", start(0), 0);
  const std::int64_t most = m.slice * m.columns;
  std::int64_t stored = 0;
  for (std::int64_t s = 0; s < m.slices(); ++s) {
    const std::int64_t n = start(s + 1) - start(s);
    if (n < 0 || n > most)
      throw InputError(fmt::format("{}: found {} values in slice {}, expected 0 to {}", name, n, s, most));
    std::int64_t bits = 0;
    for (std::int64_t i = s * m.words() * m.slice; i < (s + 1) * m.words() * m.slice; ++i)
      bits += Kokkos::popcount(mask(i));
    stored += bits;
    if (m.value_type == ValueType::int4)
      expect_same(name, "bytes of a slice", n, int4_bytes(mask_of_slice(m, mask.data(), s)));
    else
      expect_same(name, "bits of a slice", bits, n);
  }
  expect_same(name, "stored values", m.stored, stored);
}

void expect_sliced(const PackedMatrix& m, const std::string& name) {
  const auto expect = [&](const char* what, std::int64_t found, std::int64_t expected) {
    expect_same(name, what, found, expected);
  };
  const bool whole = is_whole(m), scaled = row_of(m.value_type).scaled;
  if (m.slice != tile_rows && (m.slice != slice_rows || whole)) expect("rows of a slice", m.slice, 1);
  expect("mask words", std::int64_t(m.mask.size()), whole ? 0 : m.padded_rows() * m.words());
  expect("slice starts", std::int64_t(m.slice_start.size()), whole ? 0 : m.slices() + 1);
  expect("column numbers", std::int64_t(m.column.size()), 0);
  const bool counted = !whole && m.value_type != ValueType::int4;
  expect("bytes of values", std::int64_t(m.values.size()),
         value_slack +
             (counted ? m.stored * bytes_of(m.value_type) : value_bytes(m, copy_on_host(m.slice_start))));
  expect("scale starts", std::int64_t(m.scale_start.size()), 0);
  if (whole)
    expect("stored values", m.stored, m.rows * m.columns);
  else
    expect_as_many_bits(m, name);
  expect("scales", std::int64_t(m.scales.size()), scaled ? m.padded_rows() * m.groups() : 0);
}

/// The values of slice s in the order of its mask bits, from the whole matrix' values; int4: a byte each.
std::vector<float> values_of_slice(const PackedMatrix& m, const SliceMask& mask, const unsigned char* values,
                                   std::int64_t begin, std::int64_t stored) {
  std::vector<float> own(static_cast<std::size_t>(stored));
  if (m.value_type == ValueType::int4) {
    std::vector<std::int8_t> alone(own.size());
    unfold_int4(mask, reinterpret_cast<const Int4Pair*>(values + begin), alone.data());
    std::copy(alone.begin(), alone.end(), own.begin());
  } else {
    for (std::int64_t i = 0; i < stored; ++i)
      own[std::size_t(i)] = stored_value(m.value_type, values, begin + i);
  }
  return own;
}

void unpack_sliced(const PackedMatrix& m, std::int64_t row, float* out) {
  const auto mask = copy_on_host(m.mask);
  const auto start = copy_on_host(m.slice_start);
  const auto values = copy_on_host(m.values);
  const auto scales = copy_on_host(m.scales);
  const bool whole = is_whole(m), scaled = row_of(m.value_type).scaled, tile = m.slice == tile_rows;
  const std::int64_t s = row / m.slice;
  const SliceMask own = mask_of_slice(m, mask.data(), s);
  std::int64_t stored = whole ? m.slice * m.padded_columns() : 0;
  for (std::int64_t i = 0; !whole && i < own.words * own.rows; ++i) stored += Kokkos::popcount(own.mask[i]);
  const std::int64_t begin = whole ? s * m.slice * row_bytes(m) / bytes_of(m.value_type) : start(s);
  const std::vector<float> numbers = values_of_slice(m, own, values.data(), begin, stored);
  auto next = numbers.begin();
  const auto bytes = int(bytes_of(m.value_type));
  for (std::int64_t w = 0; w < m.words(); ++w)
    for (std::int64_t k = 0; k < m.slice; ++k) {
      MaskWord rest = whole ? ~MaskWord(0) : own.mask[w * m.slice + k];
      for (; rest != 0; rest &= rest - 1, ++next) {
        const int bit = Kokkos::countr_zero(rest);
        const std::int64_t q = tile ? tile_row(bit, bytes) : k,
                           j = w * mask_columns + (tile ? k * tile_columns + tile_column(bit, bytes) : bit);
        if (s * m.slice + q == row && j < m.columns)
          out[j] = *next * (scaled ? float(scales(scale_place(m, s, q, j / group_columns))) : 1.0f);
      }
    }
}

}  // namespace

LayoutFunctions sliced_rows() { return {pack_sliced, expect_sliced, unpack_sliced}; }

}  // namespace wafermark::llama

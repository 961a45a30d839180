#include "sparse_llama/wafer/tile_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <string>

#include "common/errors.hpp"
#include "sparse_llama/kernels/half.hpp"
#include "sparse_llama/kernels/row_dot.hpp"

namespace wafermark::llama {
namespace {

using Lines = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace, Kokkos::Schedule<Kokkos::Dynamic>>;

/// Tiles of a line as they come out of its packing.
struct PackedLine {
  std::vector<std::uint32_t> mask;
  std::vector<unsigned char> values;
  std::vector<std::int64_t> mask_end, value_end;  ///< of each tile; values counted
};

/// Packs a tile behind those that are there; weight(o, k): output o, input k of the tile.
template <class Value, class Weight>
void pack_tile(PackedLine& line, bool dense, std::int64_t inputs, std::int64_t outputs,
               const Weight& weight) {
  const std::int64_t words = divided_up(outputs, TileWeights::word_bits);
  std::vector<Value> values;
  values.reserve(std::size_t(inputs * outputs));
  const std::size_t first = line.mask.size();
  if (!dense) line.mask.resize(first + std::size_t(inputs * words), 0);
  for (std::int64_t k = 0; k < inputs; ++k)
    for (std::int64_t o = 0; o < outputs; ++o) {
      const float w = weight(o, k);
      if (!dense) {
        if (w == 0) continue;
        line.mask[first + std::size_t(k * words + o / TileWeights::word_bits)] |=
            1u << o % TileWeights::word_bits;
      }
      values.push_back(Value(w));
    }
  const auto* bytes = reinterpret_cast<const unsigned char*>(values.data());
  line.values.insert(line.values.end(), bytes, bytes + values.size() * sizeof(Value));
  line.mask_end.push_back(std::int64_t(line.mask.size()));
  line.value_end.push_back(std::int64_t(line.values.size() / sizeof(Value)));
}

/// T: in which tiles multiply and add what they hold.
template <class T, class Value>
void multiply_tile(const TileWeights& w, std::size_t tile, std::int64_t inputs, std::int64_t outputs,
                   std::int64_t rows, const float* x, std::int64_t x_stride, float* sums, int* stored) {
  const auto* values = reinterpret_cast<const Value*>(w.values.data()) + w.value_start[tile];
  const std::int64_t words = divided_up(outputs, TileWeights::word_bits);
  std::vector<T> own(std::size_t(rows * outputs), T(0.0f));
  for (std::int64_t k = 0; k < inputs; ++k) {
    std::int64_t count = outputs;
    if (row_of(w.format).layout == Layout::whole) {
      for (std::int64_t r = 0; r < rows; ++r)
        dense_add(values, outputs, T(x[r * x_stride + k]), own.data() + r * outputs);
    } else {
      const std::uint32_t* mask = w.mask.data() + w.mask_start[tile] + k * words;
      for (std::int64_t r = 0; r < rows; ++r)
        masked_add(mask, words, values, T(x[r * x_stride + k]), own.data() + r * outputs);
      count = 0;
      for (std::int64_t i = 0; i < words; ++i) count += std::popcount(mask[i]);
    }
    values += count;
    stored[k] = int(count);
  }
  for (std::size_t i = 0; i < own.size(); ++i) sums[i] += float(own[i]);
}

}  // namespace

void expect_on_tiles(Format format, ValueType type) {
  const auto expect = [](const auto& row, const auto& rows, const char* option) {
    if (row.on_tiles) return;
    std::string able;
    for (const auto& other : rows)
      if (other.on_tiles) able += (able.empty() ? "" : ", ") + std::string(other.name);
    throw InputError(
        fmt::format("{} {}: tiles do not hold it, expected {} with --target wafer", option, row.name, able));
  };
  expect(row_of(type), value_rows, "--value");
  expect(row_of(format), format_rows, "--format");
}

bool breaks_pattern(const FormatRow& format, const float* row, std::int64_t columns) {
  if (format.kept == format.of) return false;
  for (std::int64_t j = 0; j < columns; j += format.of) {
    int stored = 0;
    for (std::int64_t k = j; k < std::min(columns, j + format.of); ++k) stored += row[k] != 0;
    if (stored > format.kept) return true;
  }
  return false;
}

OwnTiles::OwnTiles(const wse::Block& region, const wse::Block& mine) {
  x0 = std::clamp(mine.x0 - region.x0, 0, region.width);
  x1 = std::clamp(mine.x0 + mine.width - region.x0, 0, region.width);
  y0 = std::clamp(mine.y0 - region.y0, 0, region.height);
  y1 = std::clamp(mine.y0 + mine.height - region.y0, 0, region.height);
  if (x0 == x1 || y0 == y1) *this = OwnTiles();
}

void TileWeights::multiply(std::size_t tile, std::int64_t inputs, std::int64_t outputs, std::int64_t rows,
                           const float* x, std::int64_t x_stride, float* sums, int* stored) const {
  if (value_type == ValueType::fp32)
    multiply_tile<float, float>(*this, tile, inputs, outputs, rows, x, x_stride, sums, stored);
  else
    multiply_tile<Half, BFloat16>(*this, tile, inputs, outputs, rows, x, x_stride, sums, stored);
}

TileWeights pack_tiles(const OwnTiles& own, const TileMatrix& m, Format format, ValueType type,
                       std::int64_t matrix_columns, const MatrixRows& source, const std::string& name) {
  const bool across = m.lie == Lie::inputs_by_columns;  // lines are rows of tiles
  TileWeights packed{
      format, type, across ? own.height() : own.width(), across ? own.width() : own.height(), {}, {},
      {0},    {0}};
  const int first_line = across ? own.y0 : own.x0, first_tile = across ? own.x0 : own.y0;
  std::vector<PackedLine> lines(std::size_t(own.count() > 0 ? packed.lines : 0));
  std::atomic<bool> broken = false;
  Kokkos::parallel_for("pack tiles", Lines(0, lines.size()), [&](std::size_t l) {
    // The line's outputs are rows of the matrix: each is fetched once and cut over the tiles.
    const auto outputs = m.outputs().of(first_line + int(l));
    std::vector<float> rows(outputs.size() * std::size_t(matrix_columns));
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      float* row = rows.data() + o * std::size_t(matrix_columns);
      source(outputs[o], 0, matrix_columns, row);
      if (breaks_pattern(row_of(format), row, matrix_columns)) broken = true;
    }
    for (int t = 0; t < packed.along; ++t) {
      const auto inputs = m.inputs().of(first_tile + t);
      const auto weight = [&](std::int64_t o, std::int64_t k) {
        return rows[std::size_t(o * matrix_columns + inputs[std::size_t(k)])];
      };
      const auto pack_as = [&]<class Value>(Value) {
        pack_tile<Value>(lines[l], row_of(format).layout == Layout::whole, std::int64_t(inputs.size()),
                         std::int64_t(outputs.size()), weight);
      };
      if (type == ValueType::fp32)
        pack_as(float{});
      else
        pack_as(BFloat16{});
    }
  });
  if (broken)
    throw InputError(fmt::format("{0}: found more than {1} of {2} columns, expected at most {1} for {3}",
                                 name, row_of(format).kept, row_of(format).of, name_of(format)));
  std::size_t masks = 0, bytes = 0;
  for (const PackedLine& line : lines) {
    masks += line.mask.size();
    bytes += line.values.size();
  }
  packed.mask.reserve(masks);
  packed.values.reserve(bytes);
  for (PackedLine& line : lines) {
    const auto mask_first = std::int64_t(packed.mask.size()), value_first = packed.value_start.back();
    for (std::size_t t = 0; t < line.mask_end.size(); ++t) {
      packed.mask_start.push_back(mask_first + line.mask_end[t]);
      packed.value_start.push_back(value_first + line.value_end[t]);
    }
    packed.mask.insert(packed.mask.end(), line.mask.begin(), line.mask.end());
    packed.values.insert(packed.values.end(), line.values.begin(), line.values.end());
    line = {};
  }
  return packed;
}

}  // namespace wafermark::llama

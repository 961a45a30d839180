#include "sparse_llama/wafer/tile_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

#include "common/errors.hpp"
#include "sparse_llama/kernels/row_dot.hpp"

namespace wafermark::llama {
namespace {

using Lines = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace, Kokkos::Schedule<Kokkos::Dynamic>>;

template <class Value>
void append(std::vector<unsigned char>& values, float number) {
  const Value value(number);
  const auto* bytes = reinterpret_cast<const unsigned char*>(&value);
  values.insert(values.end(), bytes, bytes + sizeof value);
}

/// Packs one tile; weight(o, k): output o, input k of the tile.
template <class Value, class Weight>
TileWeights::Tile pack_tile(bool dense, std::int64_t inputs, std::int64_t outputs, const Weight& weight) {
  TileWeights::Tile tile;
  const std::int64_t words = (outputs + TileWeights::word_bits - 1) / TileWeights::word_bits;
  if (!dense) tile.mask.assign(std::size_t(inputs * words), 0);
  for (std::int64_t k = 0; k < inputs; ++k)
    for (std::int64_t o = 0; o < outputs; ++o) {
      const float w = weight(o, k);
      if (dense) {
        append<Value>(tile.values, w);
      } else if (w != 0) {
        tile.mask[std::size_t(k * words + o / TileWeights::word_bits)] |= 1u << o % TileWeights::word_bits;
        append<Value>(tile.values, w);
      }
    }
  tile.values.shrink_to_fit();
  return tile;
}

bool breaks_two_four(const float* row, std::int64_t columns) {
  for (std::int64_t j = 0; j < columns; j += 4) {
    int stored = 0;
    for (std::int64_t k = j; k < std::min(columns, j + 4); ++k) stored += row[k] != 0;
    if (stored > 2) return true;
  }
  return false;
}

template <class Value>
void multiply_tile(const TileWeights::Tile& tile, std::int64_t inputs, std::int64_t outputs, std::int64_t rows,
                   const float* x, std::int64_t x_stride, float* sums, std::vector<std::int64_t>& stored) {
  const auto* values = reinterpret_cast<const Value*>(tile.values.data());
  const std::int64_t words = (outputs + TileWeights::word_bits - 1) / TileWeights::word_bits;
  stored.resize(std::size_t(inputs));
  for (std::int64_t k = 0; k < inputs; ++k) {
    std::int64_t count = outputs;
    if (tile.mask.empty()) {
      for (std::int64_t r = 0; r < rows; ++r)
        dense_add(values, outputs, x[r * x_stride + k], sums + r * outputs);
    } else {
      const std::uint32_t* mask = tile.mask.data() + k * words;
      for (std::int64_t r = 0; r < rows; ++r)
        masked_add(mask, words, values, x[r * x_stride + k], sums + r * outputs);
      count = 0;
      for (std::int64_t w = 0; w < words; ++w) count += std::popcount(mask[w]);
    }
    values += count;
    stored[std::size_t(k)] = count;
  }
}

}  // namespace

OwnTiles::OwnTiles(const wse::Block& region, const wse::Block& mine)
    : x0(std::clamp(mine.x0 - region.x0, 0, region.width)),
      x1(std::clamp(mine.x0 + mine.width - region.x0, 0, region.width)),
      y0(std::clamp(mine.y0 - region.y0, 0, region.height)),
      y1(std::clamp(mine.y0 + mine.height - region.y0, 0, region.height)) {}

std::int64_t TileWeights::most_bytes() const {
  std::int64_t most = 0;
  for (const Tile& t : tiles) most = std::max(most, t.bytes());
  return most;
}

void TileWeights::multiply(int tile, std::int64_t inputs, std::int64_t outputs, std::int64_t rows, const float* x,
                           std::int64_t x_stride, float* sums, std::vector<std::int64_t>& stored) const {
  const Tile& t = tiles[std::size_t(tile)];
  if (value_type == ValueType::fp32)
    multiply_tile<float>(t, inputs, outputs, rows, x, x_stride, sums, stored);
  else
    multiply_tile<BFloat16>(t, inputs, outputs, rows, x, x_stride, sums, stored);
}

TileWeights pack_tiles(const OwnTiles& own, const TileMatrix& m, Format format, ValueType type,
                       std::int64_t matrix_columns, const MatrixRows& source, const std::string& name) {
  TileWeights packed{format, type, std::vector<TileWeights::Tile>(std::size_t(own.count()))};
  if (own.count() == 0) return packed;
  const bool dense = format == Format::dense;
  std::atomic<bool> broken = false;
  const auto pack_one = [&](int x, int y, const auto& weight) {
    const std::int64_t inputs = m.inputs().count(m.input_line(x, y)),
                       outputs = m.outputs().count(m.output_line(x, y));
    packed.tiles[std::size_t(own.index(x, y))] = type == ValueType::fp32
                                                     ? pack_tile<float>(dense, inputs, outputs, weight)
                                                     : pack_tile<BFloat16>(dense, inputs, outputs, weight);
  };
  // A line of tiles with the same outputs: those rows of the matrix once, then its tiles.
  const auto pack_line = [&](int line) {
    const auto outputs = m.outputs().of(line);
    std::vector<float> rows(outputs.size() * std::size_t(matrix_columns));
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      float* row = rows.data() + o * std::size_t(matrix_columns);
      source(outputs[o], 0, matrix_columns, row);
      if (format == Format::two_four && breaks_two_four(row, matrix_columns)) broken = true;
    }
    const bool across = m.lie == Lie::inputs_by_columns;
    for (int t = across ? own.x0 : own.y0; t < (across ? own.x1 : own.y1); ++t) {
      const int x = across ? t : line, y = across ? line : t;
      const auto inputs = m.inputs().of(t);
      pack_one(x, y, [&](std::int64_t o, std::int64_t k) {
        return rows[std::size_t(o * matrix_columns + inputs[std::size_t(k)])];
      });
    }
  };
  const bool by_rows = m.lie == Lie::inputs_by_columns;
  Kokkos::parallel_for("pack tiles", Lines(by_rows ? own.y0 : own.x0, by_rows ? own.y1 : own.x1), pack_line);
  if (broken)
    throw InputError(fmt::format("{}: found more than two weights in a group of four, expected 2:4 sparsity", name));
  return packed;
}

}  // namespace wafermark::llama

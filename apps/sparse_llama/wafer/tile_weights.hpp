// The weights of one matrix on the tiles of a region that this rank emulates, packed by columns (inputs): the
// rows (outputs) of a column that are stored, one bit each, and their values one after the other.
#pragma once

#include <functional>

#include "sparse_llama/model/packed_matrix.hpp"
#include "sparse_llama/wafer/cut.hpp"
#include "sparse_llama/wafer/program_cost.hpp"
#include "wse_emulator/tile_grid.hpp"

namespace wafermark::llama {

/// Which way a matrix lies: inputs along the columns of tiles and outputs along the rows, or across.
enum class Lie { inputs_by_columns, inputs_by_rows };

/// The part of a region that a rank emulates, in the region's coordinates; may be empty.
struct OwnTiles {
  int x0 = 0, x1 = 0, y0 = 0, y1 = 0;
  OwnTiles() = default;
  OwnTiles(const wse::Block& region, const wse::Block& mine);
  int width() const { return x1 - x0; }
  int height() const { return y1 - y0; }
  int count() const { return width() * height(); }
};

/// A matrix cut over a region.
struct TileMatrix {
  Lie lie;
  const Cut* columns;  ///< what the columns of tiles hold: inputs, or outputs
  const Cut* rows;     ///< what the rows hold: the other
  const Cut& inputs() const { return lie == Lie::inputs_by_columns ? *columns : *rows; }
  const Cut& outputs() const { return lie == Lie::inputs_by_columns ? *rows : *columns; }
  int input_line(int x, int y) const { return lie == Lie::inputs_by_columns ? x : y; }
  int output_line(int x, int y) const { return lie == Lie::inputs_by_columns ? y : x; }
};

struct TileWeights {
  static constexpr std::int64_t word_bits = 32;    ///< of a mask
  static constexpr std::int64_t number_bytes = 2;  ///< of a weight's output, where it goes along

  Format format = Format::bit_mask;
  ValueType value_type = ValueType::bf16;
  // Tiles lie line by line, a line being those with the same outputs.
  int lines = 0, along = 0;                           ///< own lines, and own tiles of each
  std::vector<std::uint32_t> mask;                    ///< of each tile: [input][words]; empty when dense
  std::vector<unsigned char> values;                  ///< of value_type
  std::vector<std::int64_t> mask_start, value_start;  ///< of each tile, and behind the last
  StoredWeights stored_weights = StoredWeights::found;

  std::size_t tile(int line, int t) const { return std::size_t(line) * std::size_t(along) + std::size_t(t); }
  std::int64_t stored(std::size_t tile) const { return value_start[tile + 1] - value_start[tile]; }
  std::int64_t bytes(std::size_t tile) const {
    const bool numbered = stored_weights == StoredWeights::sent && row_of(format).layout != Layout::whole;
    return stored(tile) * (bytes_of(value_type) + (numbered ? number_bytes : 0)) +
           (numbered ? 0 : 4 * (mask_start[tile + 1] - mask_start[tile]));
  }
  /// Items that a column of so many outputs has beside its weights (ProgramCost::beside_weights).
  static std::int64_t beside_weights(Format format, StoredWeights how, std::int64_t outputs) {
    if (row_of(format).layout == Layout::whole) return 0;
    return how == StoredWeights::sent ? 1 : divided_up(outputs, word_bits);
  }

  /// sums[r * outputs + o] += weight(o, k) * x[r * x_stride + k] for all inputs k in their order and `rows`
  /// tokens r. Weights of 16 bits are multiplied and added in 16 bits (fp16, which a machine's tiles would
  /// hold). stored[k]: weights of column k.
  void multiply(std::size_t tile, std::int64_t inputs, std::int64_t outputs, std::int64_t rows,
                const float* x, std::int64_t x_stride, float* sums, int* stored) const;
};

/// Columns [first, first + count) of row `row` of the matrix, to `out`; called by several threads.
using MatrixRows = std::function<void(std::int64_t row, std::int64_t first, std::int64_t count, float* out)>;

/// Throws InputError for a format or a number type that tiles do not take, and names the option.
void expect_on_tiles(Format format, ValueType type);

/// Whether more of neighbouring columns of a row hold something than the format's pattern keeps.
bool breaks_pattern(const FormatRow& format, const float* row, std::int64_t columns);

/// Packs own tiles of a matrix. two_four: packed as bit_mask is; that no row holds more than two of each four
/// neighbouring columns is checked (throws InputError that names `name`).
TileWeights pack_tiles(const OwnTiles& own, const TileMatrix& matrix, Format format, ValueType type,
                       std::int64_t matrix_columns, const MatrixRows& source, const std::string& name);

}  // namespace wafermark::llama

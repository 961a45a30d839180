// A layer whose weights come from outside of the wafer, phase by phase: the tile program of weight streaming.
//
// The tiles hold numbers, not weights: elements of the stream (features) along the columns of a group, tokens
// along the rows and from group to group. Every product is a wse::StreamedProduct. Attention works on keys
// and values where they lie: those of a sequence go round the rows of tiles that hold it.
#pragma once

#include <array>
#include <functional>
#include <memory>

#include "sparse_llama/model/packed_matrix.hpp"
#include "sparse_llama/wafer/cut.hpp"
#include "wse_emulator/fabric/line_reduction.hpp"
#include "wse_emulator/fabric/weight_stream.hpp"
#include "wse_emulator/program.hpp"

namespace wafermark::llama {

/// In which numbers a tile adds the products of its own features, where weights are of 16 bits: in 16 bits,
/// in all lanes (machine file: half_lanes), or in fp32 (mixed_lanes). Sums from tile to tile are fp32 either
/// way.
enum class TileSums { half, single };
/// Where a tile adds them: in two banks of memory in turn, or in place, where what is read and what is
/// written meet in one bank (machine file: bank_conflict_cycles_per_element), as in programs of others.
enum class SumBanks { two, one };
/// How the edge is told which weights are stored: a 16-bit number with each, or a bit for every weight.
enum class EdgeCode { index, mask };

/// What shapes a run with streamed weights.
struct StreamedSettings {
  Format format = Format::bit_mask;  ///< dense, or anything that leaves zeros out
  ValueType value_type = ValueType::bf16;
  TileSums tile_sums = TileSums::half;
  SumBanks sum_banks = SumBanks::two;
  EdgeCode edge_code = EdgeCode::index;
  double density = 1.0;        ///< of the layers' matrices, for the search; weights are counted later
  std::int64_t tokens = 1;     ///< of a pass
  std::int64_t sequences = 1;  ///< of which these are
  std::int64_t kept =
      0;           ///< tokens of all sequences whose keys and values stay, of all layers; 0: nothing stays
  int groups = 0;  ///< 0: whatever takes the least time
  int ahead = 8;   ///< outputs that a tile may be ahead of the sums that it passes on
  int sums_together = 0;  ///< outputs whose sums an instruction passes on; 0: whatever takes the least time

  bool dense() const { return row_of(format).layout == Layout::whole; }
  wse::Precision precision() const;
  std::int64_t value_bits() const { return 8 * bytes_of(value_type); }
  /// Through the edge, of an output's row of so many inputs of which so many are stored.
  double bits(std::int64_t inputs, double stored) const;
  /// Words on the fabric of a weight.
  double weight_words() const { return double(value_bits()) / 32 * (dense() ? 1 : 2); }
};

/// Where features and tokens lie.
struct StreamedPlace {
  wse::TileGrid grid;
  int groups = 1, width = 1;  ///< groups side by side, of so many columns
  int feed = 0;               ///< rows that bring the weights to the groups
  std::int64_t queries = 32;  ///< that a tile has room for while keys go by
  int sums_together = 1;      ///< outputs whose sums an instruction passes on

  wse::Block area() const { return {0, feed, groups * width, grid.height - feed}; }
  std::int64_t token_tiles() const { return std::int64_t{groups} * (grid.height - feed); }
  std::int64_t tokens_of_tile(std::int64_t tokens) const { return divided_up(tokens, token_tiles()); }
  /// Rows of words per cycle that the edge can bring must lie side by side where they pass groups.
  static StreamedPlace of(const wse::TileGrid& grid, const wse::Machine& machine, int groups,
                          std::int64_t queries, int sums_together);
};

/// Sections of a tile that has so many tokens, with a machine's prices.
struct StreamedCode {
  StreamedCode(const wse::Machine& machine, const StreamedSettings& settings, std::int64_t head_dim,
               std::int64_t tokens, std::int64_t queries_together, int sums_together);

  wse::Section weight;     ///< one that arrives, with its multiply-adds
  wse::Section add, keep;  ///< the tokens' sums of an output: passed on; put away
  wse::Section square, root, scaled, pair, gated, residual;
  wse::Section attended;         ///< a query, key and value
  wse::Section merged, divided;  ///< an element of partial attention; of attention
  wse::StreamCycles cycles;
};

/// The products of a layer, and the output head.
enum class StreamedMatrix { query_key_value, attention_output, gate_up, down, head };
inline constexpr std::size_t streamed_matrices = 5;

/// An output of a product: a row of one of its matrices, whose sums a column of a group keeps.
struct StreamedOutput {
  int part;  ///< number of the matrix among the product's
  std::int64_t row;
  int keeper;
};

struct StreamedShape {
  std::int64_t inputs = 0;
  std::vector<std::int64_t>
      parts;  ///< rows of the matrices; of gate and up in turn, otherwise one below the other
  bool in_turn = false;

  std::int64_t outputs() const;
  /// In the order in which their weights come: columns take turns to keep a sum, since a keeper has more to
  /// do.
  std::vector<StreamedOutput> order(int columns) const;
  /// Number of a row among all, as the vector that the product gives has them.
  std::int64_t number(const StreamedOutput& output) const;
  static StreamedShape of(const Configuration& c, StreamedMatrix matrix);
};

/// What the columns of a group expect of a product whose weights are spread evenly.
wse::StreamTotals expected_totals(const StreamedShape& shape, const StreamedSettings& settings, int columns);

/// What a pass has to do on each tile.
struct StreamedItems {
  int tokens = 0;         ///< of a tile
  std::vector<int> rows;  ///< ones, for every row
  std::array<std::vector<int>, streamed_matrices> weights_of_columns, sums_of_columns, kept_of_columns;
  std::vector<int> elements, pairs, hidden, heads;  ///< by column of the area, of all tokens of a tile
  std::vector<int> once;                            ///< by column: the tokens of a tile
  std::vector<int> line_words;                      ///< by line: the tokens of a tile
  int scores = 0, circulating = 0;  ///< of attention, on each tile: pairs of a query and a key; words
  std::vector<int> scores_of_columns, merged;
  int sequence_rows = 1;  ///< rows that hold a sequence
  std::array<wse::StreamTotals, streamed_matrices> totals;
  std::array<wse::StreamedWeights, streamed_matrices> weights;  ///< empty where a program is only priced
};

/// Of a pass of `tokens` tokens that look at `seen` positions in all (their own among them), of sequences
/// whose tokens in this pass are at most `longest`. Totals of products are what is expected.
StreamedItems streamed_items(const Configuration& c, const StreamedSettings& settings,
                             const StreamedPlace& place, std::int64_t tokens, double seen,
                             std::int64_t longest, std::int64_t queries_together);

/// Sets what the columns have of a product.
void set_totals(StreamedItems& items, const StreamedPlace& place, StreamedMatrix matrix,
                wse::StreamTotals totals);

/// Queries that a key meets when it arrives.
std::int64_t queries_together(const StreamedSettings& settings, const StreamedPlace& place,
                              std::int64_t tokens);

/// What happens to the numbers in the phases of a layer; empty functions: nothing.
struct StreamedBodies {
  std::function<void()> attention_norm, feed_forward_norm, attention, gate, residual;
  std::function<void(StreamedMatrix)> multiply;  ///< and fills weights and totals
};

/// A layer. All must outlive it.
wse::Program streamed_layer_program(const StreamedPlace& place, const StreamedSettings& settings,
                                    const StreamedCode& code, const StreamedItems& items,
                                    wse::EdgeStream& edge, const StreamedBodies& bodies);
/// One product alone.
wse::Program streamed_product_program(const StreamedPlace& place, const StreamedSettings& settings,
                                      const StreamedCode& code, const StreamedItems& items,
                                      StreamedMatrix matrix, wse::EdgeStream& edge);
/// The output head over the tokens that `items` says.
wse::Program streamed_head_program(const StreamedPlace& place, const StreamedSettings& settings,
                                   const StreamedCode& code, const StreamedItems& items,
                                   wse::EdgeStream& edge, const StreamedBodies& bodies,
                                   const std::vector<int>& finished);

}  // namespace wafermark::llama

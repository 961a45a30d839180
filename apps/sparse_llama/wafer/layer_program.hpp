// A layer on the tiles of a region, phase by phase: the tile program of the decoder.
#pragma once

#include <array>
#include <memory>

#include "sparse_llama/wafer/placement.hpp"
#include "wse_emulator/fabric/line_reduction.hpp"
#include "wse_emulator/program.hpp"

namespace wafermark::llama {

class WaferDecoder;

/// Sections of a layer, with a machine's prices.
struct LayerCode {
  /// `heads`: of every row of tiles; `group`: query heads of a key/value head.
  LayerCode(const ProgramCost& cost, const WaferSettings& settings, const std::vector<RowHeads>& heads,
            std::int64_t group);
  /// Of passes of so many tokens.
  void set_tokens(const ProgramCost& cost, std::int64_t tokens);

  wse::Section squares, root, scaled, rotary_pairs, gated, added;
  wse::Section weights_of_positions;
  std::vector<wse::Section> scores, largest, shifted, values, divided;  ///< by row of tiles
  wse::Section weights, beside_weights;                                 ///< of a column of a matrix
  SumsOf sums;

 private:
  Format format_;
  StoredWeights stored_weights_;
  std::vector<RowHeads> heads_;
  std::int64_t group_, tokens_ = 0;
};

/// The four products of a layer, each of stacked matrices.
enum class Product { query_key_value, attention_output, gate_up, down };

/// What a layer's phases go by in a pass. Rows and columns are those of the region's tiles; words and numbers
/// are of all tokens of the pass.
struct LayerItems {
  std::vector<int> tokens;            ///< one number
  std::vector<int> elements;          ///< by column: of the stream
  std::vector<int> query_key_value;   ///< by row: elements of these
  std::vector<int> of_query, of_key;  ///< by row: of query; of key, and as many of value
  std::vector<int> pairs;             ///< by row: that are rotated
  std::vector<int> heads;             ///< by row: query heads, of one token
  std::vector<int> serving;           ///< by row: 1 where it has any
  std::vector<int> positions;         ///< by column: of the cache
  std::vector<int> band_scores;       ///< by column, band after band: query heads times positions
  std::vector<int> queries;           ///< by row: query heads
  std::vector<int> weighted;          ///< by row: words of weighted values and sums of weights
  std::vector<int> attended;          ///< by row: dimensions of query heads
  std::vector<int> gate_up, hidden;   ///< by row: gates and ups; hidden units
  std::array<wse::Steps, 4> of_products;

  const wse::Steps& steps(Product p) const { return of_products[std::size_t(p)]; }
  wse::Steps& steps(Product p) { return of_products[std::size_t(p)]; }
};

/// How many elements and heads the rows and columns of a region hold.
struct LayerShares {
  std::vector<RowHeads> heads;             ///< by row
  std::vector<std::int64_t> dims, hidden;  ///< by column: of the stream; by row: hidden units
  std::int64_t group = 1;                  ///< query heads of a key/value head
};

/// Of a layer's region. Dealing hidden units changes which a row has, not how many.
LayerShares shares_of(const Configuration& c, const wse::TileRegion& region);

/// All items of a pass of `tokens` tokens, but steps. `positions`: of the cache, by column.
void set_items(LayerItems& items, const LayerShares& shares, std::int64_t tokens,
               const std::vector<std::int64_t>& positions);

/// A layer's tiles and the sums whose words its program moves. Code and items must outlive it.
struct LayerPlan {
  LayerPlan(const wse::TileRegion& region, const std::vector<RowHeads>& heads, const LayerCode& code,
            const LayerItems& items);
  const std::shared_ptr<const wse::LineReduce>& sum_of(Product product) const;

  wse::TileRegion region;
  const LayerCode& code;
  const LayerItems& items;
  wse::Lines bands;  ///< columns, cut where other rows' heads begin
  std::shared_ptr<const wse::LineReduce> squares, query_key_value, band_scores, tops, weighted, attended,
      gate_up, down;
};

/// Colors of the fabric: sums along rows and along columns take eight each, streams to other regions four.
namespace color {
inline constexpr int row_sums = 0, column_sums = 8, along_rows = 16, along_columns = 17, shared = 18,
                     between = 20;
}

/// Adds RMSNorm over the root row. `squares`: its sum; `body`: does it to the data.
void add_norm(wse::Program& program, const wse::TileRegion& region, const LayerCode& code,
              const std::vector<int>& elements, const std::vector<int>& tokens,
              const std::shared_ptr<const wse::LineReduce>& squares, std::function<void()> body);

/// Layer `number` as a program: what tiles compute, what they send, and what `run` does to activations
/// meanwhile. `from`: the region that the stream comes from, null when it is here already. `run` null: to be
/// priced, checked and printed only. The plan must outlive it.
wse::Program layer_program(const LayerPlan& plan, std::int64_t number, const wse::TileRegion* from,
                           WaferDecoder* run);

}  // namespace wafermark::llama

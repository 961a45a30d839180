// How a list of a model's elements (dimensions of the stream, heads' dimensions, hidden units, tokens of the
// vocabulary) is cut over the rows or the columns of a region of tiles.
#pragma once

#include <span>
#include <vector>

#include "sparse_llama/model/configuration.hpp"

namespace wafermark::llama {

/// Line l holds the elements order[start[l]] ... order[start[l + 1] - 1].
struct Cut {
  std::vector<std::int64_t> order, start;

  int lines() const { return int(start.size()) - 1; }
  std::int64_t count(int line) const { return start[std::size_t(line) + 1] - start[std::size_t(line)]; }
  std::span<const std::int64_t> of(int line) const {
    return std::span(order).subspan(std::size_t(start[std::size_t(line)]), std::size_t(count(line)));
  }
  std::int64_t most() const;
  std::vector<std::int64_t> counts() const;  ///< of every line
};

/// What the fullest of so many lines holds of an even cut.
constexpr std::int64_t divided_up(std::int64_t count, std::int64_t lines) {
  return (count + lines - 1) / lines;
}

/// Positions x, x + width, ... below `seen`: those that column x of so many owns.
constexpr std::int64_t positions_owned(std::int64_t seen, int x, int width) {
  return seen <= x ? 0 : (seen - x + width - 1) / width;
}

/// Elements 0 ... count - 1 in their order, as evenly as whole ones allow.
Cut even_cut(std::int64_t count, int lines);

/// The heads that a row of tiles serves, and which of their rotary pairs: with more rows than key/value heads
/// a band of rows shares one, each row some of its pairs; otherwise a row has whole heads.
struct RowHeads {
  std::int64_t first = 0, count = 0;       ///< key/value heads
  std::int64_t first_pair = 0, pairs = 0;  ///< of each of them; a pair is two dimensions
  int band_first = 0, band_rows = 1;       ///< rows that serve the same heads

  std::int64_t dims() const { return 2 * pairs; }
};

/// What each row of a region of `rows` rows serves; rows that are left over serve none.
std::vector<RowHeads> row_heads(const Configuration& c, int rows);

/// Rows of the query, key and value matrices, one below the other, as the rows of tiles hold them:
/// [head][query 0 ... group - 1, key, value][dimension], a head's dimensions as [lower, upper][pair].
Cut query_key_value_cut(const Configuration& c, const std::vector<RowHeads>& heads);
/// Query dimensions, inputs of the attention's output matrix: [head][query][dimension].
Cut attended_cut(const Configuration& c, const std::vector<RowHeads>& heads);
/// Rows of gate and up, one below the other: a line's gates, then its ups.
Cut gate_up_cut(const Cut& hidden, std::int64_t hidden_units);

/// Deals hidden units to lines so that the fullest tile of any line has few stored weights: `stored[u]` says
/// how many a unit has in each of the tiles of a line. Greedy, fullest units first; lines keep the number of
/// units that even_cut gives them. Deterministic.
Cut balanced_cut(const std::vector<std::vector<int>>& stored, int lines);

}  // namespace wafermark::llama

// What the sections of a token's tile program cost on a machine: the kernels, counted once with
// Counted<float>, and the machine's prices. Everything else (how many elements, positions, stored weights)
// comes from the tiles.
#pragma once

#include <nlohmann/json.hpp>

#include "sparse_llama/model/packed_matrix.hpp"
#include "wse_emulator/section.hpp"

namespace wafermark::llama {

/// Operations of one turn of each section's loop, or once where it says so.
struct SectionCounts {
  wse::OperationCounts stored_value;  ///< of a masked column: one weight times an activation
  wse::OperationCounts mask_word;     ///< of a masked column: one word of 32 rows without weights
  wse::OperationCounts dense_value;   ///< of a column stored whole
  wse::OperationCounts square, root;  ///< RMSNorm: an element; once a row
  wse::OperationCounts scaled;        ///< RMSNorm: an element times scale and weight
  wse::OperationCounts rotary_pair;
  wse::OperationCounts score;           ///< an element of query . key
  wse::OperationCounts largest;         ///< attention, of a query and a position: is its score the largest?
  wse::OperationCounts shifted;         ///< it is scaled, and the top taken off
  wse::OperationCounts position;        ///< its weight
  wse::OperationCounts position_value;  ///< an element of its value
  wse::OperationCounts divided, divided_value;  ///< by the sum of weights: once a head; an element
  wse::OperationCounts gated;                   ///< SwiGLU of one hidden unit
  wse::OperationCounts added;                   ///< an element of the residual
  wse::OperationCounts compared;                ///< a logit: is it the largest?
};
/// The words of memory of vector instructions, which read two operands and write one.
wse::OperationCounts with_words(wse::OperationCounts counts);
/// Counts the kernels.
SectionCounts count_sections();

/// How a tile comes by the weights that it stores among zeros.
enum class StoredWeights {
  found,  ///< scalar code goes through a bit mask
  sent    ///< it sends them to itself, each with its number; one that arrives starts its multiply-adds
};

class ProgramCost {
 public:
  ProgramCost(const wse::Machine& machine, ValueType type);

  // Of a column of weights times the activations of `rows` tokens.

  // Weights of 16 bits lie in the tiles as fp16: they are converted outside, before a run. So are activations
  // and the sums within a tile.

  /// A weight that is stored among zeros. Several tokens: each weight meets them in a loop of its own.
  wse::Section stored_weights(StoredWeights how, std::int64_t rows) const;
  /// What such a column has beside its weights: a word of its mask, or the instruction that sends them.
  wse::Section beside_weights(StoredWeights how) const;
  /// A weight of a column stored whole: a loop over weights for each token, or over tokens for each weight.
  wse::Section dense_weights(std::int64_t rows) const;

  // The loop of an instruction over elements of the stream, pairs or logits.

  wse::Section squares() const;
  wse::Section scaled() const;
  wse::Section rotary_pairs() const;
  wse::Section added() const;
  wse::Section compared() const;

  // Once a token or hidden unit.

  wse::Section root() const;
  wse::Section gated() const;

  // Of attention: a tile's own positions, as its items, meet `queries` queries of each of `tokens` tokens, of
  // whose heads the tile has `dims` dimensions. With weights of 16 bits keys, values and weights of positions
  // are fp16, their products are added in fp32.

  wse::Section scores(std::int64_t queries, std::int64_t dims, std::int64_t tokens) const;
  wse::Section largest(std::int64_t queries) const;  ///< the top of each query
  wse::Section shifted(std::int64_t queries, std::int64_t tokens) const;
  wse::Section weights_of_positions() const;  ///< items: positions times queries
  wse::Section values(std::int64_t queries, std::int64_t dims) const;
  /// Once a query: its sums by the sum of its weights.
  wse::Section divided(std::int64_t dims) const;

  const SectionCounts& counts() const { return counts_; }
  const wse::Machine& machine() const { return machine_; }
  nlohmann::json json() const;

 private:
  wse::Precision of_attention() const { return in_lanes_ ? wse::Precision::mixed : wse::Precision::fp32; }

  wse::Machine machine_;
  SectionCounts counts_;
  bool in_lanes_;  ///< weights of 16 bits are multiplied as such
};

}  // namespace wafermark::llama

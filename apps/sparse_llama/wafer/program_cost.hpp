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
  wse::OperationCounts score;                     ///< an element of query . key
  wse::OperationCounts position, position_value;  ///< attention: a position; an element of its value
  wse::OperationCounts new_top, faded;            ///< a position that is the largest so far: once; an element
  wse::OperationCounts divided, divided_value;    ///< by the sum of weights: once a head; an element
  wse::OperationCounts gated;                     ///< SwiGLU of one hidden unit
  wse::OperationCounts added;                     ///< an element of the residual
  wse::OperationCounts compared;                  ///< a logit: is it the largest?
};
/// The words of memory of vector instructions, which read two operands and write one.
wse::OperationCounts with_words(wse::OperationCounts counts);
/// Counts the kernels; `type`: of the stored weights.
SectionCounts count_sections(ValueType type);

class ProgramCost {
 public:
  ProgramCost(const wse::Machine& machine, ValueType type);

  // Of a column of weights times the activations of `rows` tokens.

  // Weights of 16 bits become fp16 once for all tokens, and so are activations and the sums within a tile.

  /// A weight of a masked column. Several tokens: each weight meets them in a loop of its own.
  wse::Section masked_weights(std::int64_t rows) const;
  /// A word of a masked column's mask.
  wse::Section mask_words() const;
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

  // Of attention, for heads of which a tile has `dims` dimensions.

  wse::Section score(std::int64_t dims) const;     ///< query . key of a position
  wse::Section position(std::int64_t dims) const;  ///< a position's weight and value
  wse::Section new_top(std::int64_t dims) const;   ///< sums move to another top
  wse::Section divided(std::int64_t dims) const;   ///< a head's sums by its weights

  const SectionCounts& counts() const { return counts_; }
  const wse::Machine& machine() const { return machine_; }
  nlohmann::json json() const;

 private:
  wse::Machine machine_;
  SectionCounts counts_;
  bool in_lanes_;  ///< weights of 16 bits are multiplied as such
};

}  // namespace wafermark::llama

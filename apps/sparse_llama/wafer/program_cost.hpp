// What the sections of a token's tile program cost on a machine: the kernels, counted once with
// Counted<float>, and the machine's prices. Everything else (how many elements, positions, stored weights)
// comes from the tiles.
#pragma once

#include <nlohmann/json.hpp>

#include "sparse_llama/model/packed_matrix.hpp"
#include "wse_emulator/cost.hpp"

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
/// Counts the kernels; `type`: of the stored weights.
SectionCounts count_sections(ValueType type);

class ProgramCost {
 public:
  ProgramCost(const wse::Machine& machine, ValueType type);

  /// A column of `words` mask words and `stored` weights times the activations of `rows` tokens. Several
  /// tokens: each weight meets them in a loop of its own.
  double masked_column(std::int64_t words, std::int64_t stored, std::int64_t rows) const {
    return mask_word_ * double(words) + each_value(rows) * double(stored);
  }
  /// A column of `values` weights stored whole: a loop over weights for each token, or over tokens for each
  /// weight.
  double dense_column(std::int64_t values, std::int64_t rows) const;
  /// A loop of `n` turns of a section.
  double loop(const wse::OperationCounts& section, std::int64_t n) const {
    return wse::loop_cycles(machine_, section, n);
  }
  /// The same where both factors of its multiply-adds are vectors.
  double products(const wse::OperationCounts& section, std::int64_t n) const {
    return wse::loop_cycles(machine_, section, n, wse::Loop::products);
  }
  double once(const wse::OperationCounts& section) const { return wse::scalar_cycles(machine_, section); }
  /// Waits for `words` words of the fabric: one by one, or as a vector instruction.
  double receive(std::int64_t words) const;

  const SectionCounts& counts() const { return counts_; }
  const wse::Machine& machine() const { return machine_; }
  nlohmann::json json() const;

 private:
  double each_value(std::int64_t rows) const;

  wse::Machine machine_;
  SectionCounts counts_;
  double mask_word_, stored_value_;
};

}  // namespace wafermark::llama

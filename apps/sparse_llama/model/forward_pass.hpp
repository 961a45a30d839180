// What generation drives: a model somewhere that runs tokens and keeps their keys and values.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace wafermark::llama {

/// One token to run. Positions of a sequence count from 0; those before must have been run, or lie earlier
/// in the same call.
struct TokenRow {
  std::int32_t token;
  std::int32_t sequence;
  std::int64_t position;
};

class ForwardPass {
 public:
  virtual ~ForwardPass() = default;
  /// Runs the rows and returns the logits of those rows whose number `wanted` (rising) lists,
  /// [wanted][vocabulary], on every rank. Collective.
  virtual std::vector<float> forward(std::span<const TokenRow> rows,
                                     std::span<const std::int64_t> wanted) = 0;
  /// The time on the machine that runs it.
  virtual double seconds() const = 0;
};

}  // namespace wafermark::llama

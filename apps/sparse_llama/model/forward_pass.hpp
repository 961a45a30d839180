// What generation drives: a model somewhere that runs tokens and keeps their keys and values.
#pragma once

#include <cstdint>
#include <optional>
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

/// How a token is drawn from logits.
struct TokenChoice {
  double temperature = 0;  ///< 0: the first of the most probable
  double top_p = 1;        ///< nucleus (Holtzman et al. 2020)
  double draw = 0;         ///< in [0, 1), where there is a temperature
};

class ForwardPass {
 public:
  virtual ~ForwardPass() = default;
  /// Runs the rows and returns the logits of those rows whose number `wanted` (rising) lists,
  /// [wanted][vocabulary], on every rank. Collective.
  virtual std::vector<float> forward(std::span<const TokenRow> rows,
                                     std::span<const std::int64_t> wanted) = 0;
  /// Runs the rows and returns the token that choices[i] draws from the logits of row wanted[i], on every
  /// rank, without bringing the logits here. Nothing, and nothing was run, where the machine does not draw
  /// tokens so. Collective.
  virtual std::optional<std::vector<std::int32_t>> next_tokens(std::span<const TokenRow>,
                                                               std::span<const std::int64_t> /*wanted*/,
                                                               std::span<const TokenChoice> /*choices*/) {
    return std::nullopt;
  }
  /// The time on the machine that runs it.
  virtual double seconds() const = 0;
};

}  // namespace wafermark::llama

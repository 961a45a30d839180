// Draws the next token from logits: greedy, or by temperature and nucleus, repeatably.
#pragma once

#include <cstdint>
#include <random>
#include <span>

#include "sparse_llama/model/forward_pass.hpp"

namespace wafermark::llama {

struct SamplingSettings {
  double temperature = 0;  ///< 0: greedy
  double top_p = 1;        ///< nucleus (Holtzman et al. 2020)
  std::uint64_t seed = 1;
};

class Sampler {
 public:
  /// Draws depend on the settings, `sequence` and how many there were before.
  Sampler(const SamplingSettings& settings, std::uint64_t sequence)
      : settings_(settings), engine_(settings.seed * 1000003 + sequence) {}
  /// How the next token is drawn.
  TokenChoice next();

 private:
  SamplingSettings settings_;
  std::mt19937_64 engine_;
};

std::int32_t token_of_choice(const TokenChoice& choice, std::span<const float> logits);

}  // namespace wafermark::llama

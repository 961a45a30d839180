// Prompts in, tokens out: prefill, then decoding, token by token for all sequences together.
#pragma once

#include <functional>

#include "common/communicator.hpp"
#include "sparse_llama/cluster/sampler.hpp"
#include "sparse_llama/model/forward_pass.hpp"

namespace wafermark::llama {

struct Generation {
  std::vector<std::vector<std::int32_t>> tokens;  ///< of each sequence, behind its prompt
  double prefill_seconds = 0;                     ///< until the logits behind the prompts are there
  double decode_seconds = 0;                      ///< from there on
  std::int64_t prefill_tokens = 0, decode_passes = 0, decode_tokens = 0;
};

/// Runs every prompt (all of them not empty) and up to `tokens` more tokens of each. A sequence ends with
/// any of `end_tokens`. `on_token(sequence, token)` is called as tokens come; when it returns false
/// the generation ends. Collective; ranks draw the same tokens.
Generation generate(ForwardPass& model, const Communicator& comm, std::int64_t vocabulary,
                    const std::vector<std::vector<std::int32_t>>& prompts, std::int64_t tokens,
                    const SamplingSettings& sampling, const std::vector<std::int32_t>& end_tokens,
                    const std::function<bool(std::int64_t sequence, std::int32_t token)>& on_token);

/// `count` tokens that look random, behind `bos` (-1: none) as the first of them.
std::vector<std::int32_t> made_up_prompt(std::int32_t bos, std::int64_t count, std::int64_t vocabulary,
                                         std::uint64_t seed);

}  // namespace wafermark::llama

// Prompts in, tokens out. Each sequence has a slot of the model's cache; where there are more prompts than
// slots they wait, and enter as others end (continuous batching: Yu et al. 2022, "Orca"). One pass runs the
// prompts that enter and the next token of all that are under way.
#pragma once

#include <functional>
#include <span>

#include "common/communicator.hpp"
#include "sparse_llama/cluster/sampler.hpp"
#include "sparse_llama/model/forward_pass.hpp"

namespace wafermark::llama {

struct Prompt {
  std::vector<std::int32_t> tokens;  ///< not empty
  std::int64_t more = 0;             ///< tokens to make, at most; 1 or more
  double arrival = 0;                ///< seconds behind the start; it does not enter earlier
  std::uint64_t draws = 0;           ///< which of the seed's rows of draws it goes by
};

struct GenerationSettings {
  std::int64_t slots = 1;
  SamplingSettings sampling = {};
  std::vector<std::int32_t> end_tokens = {};  ///< any of them ends a sequence, and is not one of its tokens
};

/// Who looks on. Each may be empty.
struct GenerationWatch {
  std::function<void(std::int64_t prompt, std::int32_t token)> token;
  /// Behind which rows tokens are drawn, and the logits [rows][vocabulary] that they are drawn from; a row's
  /// sequence is the number of its prompt.
  std::function<void(std::span<const TokenRow> rows, std::span<const float> logits)> logits;
  /// After every pass; false ends the generation. Ranks say the same.
  std::function<bool()> go_on;
};

struct Generation {
  /// Seconds behind the start, by the clock of rank 0; the other ranks have their own.
  struct Times {
    double entered = 0, first_token = 0, ended = 0;
  };
  std::vector<std::vector<std::int32_t>> tokens;  ///< of each prompt, behind it
  std::vector<Times> times;                       ///< of each prompt
  bool complete = true;                           ///< nobody ended it
  bool waited = false;                            ///< some prompt entered behind the first pass
  double seconds = 0;                             ///< of everything
  double busy_seconds = 0;                        ///< of all slots together
  double prefill_seconds = 0;                     ///< of the first pass
  double decode_seconds = 0;                      ///< from there on
  std::int64_t prefill_tokens = 0, decode_passes = 0, decode_tokens = 0;

  std::int64_t made() const;
};

/// Runs every prompt. Its tokens are those of its run alone, save where two logits are equal but for
/// rounding: products of more rows are summed in another order, on devices of many rows in bf16. Collective;
/// ranks draw the same tokens.
Generation generate(ForwardPass& model, const Communicator& comm, std::int64_t vocabulary,
                    std::span<const Prompt> prompts, const GenerationSettings& settings,
                    const GenerationWatch& watch = {});

/// `count` tokens that look random, behind `bos` (-1: none) as the first of them.
std::vector<std::int32_t> made_up_prompt(std::int32_t bos, std::int64_t count, std::int64_t vocabulary,
                                         std::uint64_t seed);

}  // namespace wafermark::llama

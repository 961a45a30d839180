// Batches of training sequences out of one long array of tokens. Which tokens a sequence holds is a function
// of seed, step and the sequence's number in the batch: no state, the same for any number of ranks and after
// restart.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace wafermark::llama {

/// Tokens and the ones that follow them, [sequences * length] each. Every sequence begins with the token that
/// means "text begins here" (bos), whatever came before its place in the stream; where there is none (-1),
/// with the token before its targets.
struct TokenBatch {
  std::vector<std::int32_t> tokens, targets;
};

/// Tokens that a stream must have for sequences of `length`.
inline std::int64_t shortest_stream(std::int32_t bos, std::int64_t length) {
  return bos >= 0 ? length : length + 1;
}

/// Sequences [first, first + count) of the batch of `step`: `length` tokens in a row, from a place drawn
/// uniformly, are the targets. Throws InputError when the stream is shorter than shortest_stream().
TokenBatch draw_batch(std::span<const std::int32_t> stream, std::int32_t bos, std::uint64_t seed,
                      std::int64_t step, std::int64_t first, std::int64_t count, std::int64_t length);

}  // namespace wafermark::llama

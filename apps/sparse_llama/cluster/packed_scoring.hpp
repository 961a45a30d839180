// What packed weights know of texts: what storage and value type cost in quality.
#pragma once

#include <functional>
#include <span>

#include "sparse_llama/cluster/decoder.hpp"
#include "sparse_llama/model/scored_text.hpp"

namespace wafermark::llama {

/// Logits behind some rows, [rows][vocabulary].
using LogitsWatch = std::function<void(std::span<const TokenRow> rows, std::span<const float> logits)>;

/// The numbers that score() of compress/ gives for the same weights unpacked. The decoder has one sequence
/// and room for the longest of them. `watch` sees the logits behind all tokens, also those that do not count;
/// the number of the sequence stands in the rows. Collective.
std::vector<SequenceScore> packed_score(Decoder& decoder, std::int64_t vocabulary,
                                        std::span<const ScoredSequence> sequences,
                                        const LogitsWatch& watch = {});

}  // namespace wafermark::llama

// Perplexity of packed weights: what storage and value type cost in quality.
#pragma once

#include <span>

#include "sparse_llama/cluster/decoder.hpp"

namespace wafermark::llama {

/// exp of the mean negative log likelihood of `text` in windows of `window` tokens, cut as PredictedText says
/// (`bos` -1: none): the number that perplexity() of compress/ gives for the same weights unpacked. The
/// decoder has one sequence and room for a window. Collective.
double packed_perplexity(Decoder& decoder, std::int64_t vocabulary, std::span<const std::int32_t> text,
                         std::int32_t bos, std::int64_t window);

}  // namespace wafermark::llama

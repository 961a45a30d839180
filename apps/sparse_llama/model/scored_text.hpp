// What a model is asked about a text: sequences with tokens to predict, how much it knew of each, and the
// ways in which texts are cut into such sequences for a perplexity.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace wafermark::llama {

/// One sequence: targets[i] is predicted from shown[0 ... i], and counts from `first_scored` on.
struct ScoredSequence {
  std::vector<std::int32_t> shown, targets;
  std::int64_t first_scored = 0;

  std::int64_t length() const { return std::int64_t(shown.size()); }
};

/// Of the tokens of a sequence that count.
struct SequenceScore {
  double log_likelihood = 0;  ///< sum of ln p
  double squares = 0;         ///< sum of (ln p)^2
  std::int64_t tokens = 0;
  bool all_most_likely = true;  ///< each was the one that greedy decoding takes

  void add(double log_probability, bool most_likely);
};

/// How a text is cut, which changes a perplexity by more than pruning does. Published numbers go by the last
/// two.
enum class Protocol {
  whole,      ///< each token counts once: windows behind bos, one after the other, the last may be shorter
  sparsegpt,  ///< SparseGPT and Wanda: whole windows of the text, of each all tokens but the first; bos
              ///< stands once before the text, where the tokenizer puts one; the rest of the text is left out
  llama_cpp  ///< llama-perplexity: whole windows, the first token of each replaced by bos, of each the second
             ///< half; the rest of the text is left out; at least two windows
};
/// By "whole", "sparsegpt", "llama.cpp". Throws InputError that names `option`.
Protocol protocol_named(const std::string& name, const std::string& option);
const char* name_of(Protocol protocol);
/// In words, for records.
const char* description_of(Protocol protocol);

/// `text`: its tokens without bos; `bos` -1: none. Throws InputError when the text is too short.
std::vector<ScoredSequence> windows_of(Protocol protocol, std::span<const std::int32_t> text,
                                       std::int32_t bos, std::int64_t window);

struct Perplexity {
  double value;  ///< exp(-mean ln p)
  double
      standard_error;  ///< value sqrt(variance of ln p / (tokens - 1)), as llama-perplexity; NaN of one token
  std::int64_t tokens;  ///< that count
};
Perplexity perplexity_of(std::span<const SequenceScore> scores);

}  // namespace wafermark::llama

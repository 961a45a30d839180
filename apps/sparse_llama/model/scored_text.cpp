#include "sparse_llama/model/scored_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/errors.hpp"
#include "sparse_llama/model/predicted_text.hpp"

namespace wafermark::llama {
namespace {

std::vector<ScoredSequence> whole_text(std::span<const std::int32_t> text, std::int32_t bos,
                                       std::int64_t window) {
  const PredictedText predicted(text, bos);
  std::vector<ScoredSequence> windows;
  for (std::int64_t first = 0; first < predicted.size(); first += window) {
    ScoredSequence& w = windows.emplace_back();
    for (std::int64_t i = first; i < std::min(first + window, predicted.size()); ++i) {
      w.shown.push_back(predicted.before(i, first));
      w.targets.push_back(predicted.targets()[std::size_t(i)]);
    }
  }
  return windows;
}

/// Whole windows of `tokens`, of each those behind number `behind` + 1 count.
std::vector<ScoredSequence> whole_windows(const std::vector<std::int32_t>& tokens, std::int64_t window,
                                          std::int64_t behind, std::int64_t least) {
  const std::int64_t count = std::int64_t(tokens.size()) / window;
  if (window < 2 || count < least || behind + 1 >= window)
    throw InputError(
        fmt::format("text: found {} tokens and windows of {}, expected at least {} windows of 2 "
                    "or more tokens",
                    tokens.size(), window, least));
  std::vector<ScoredSequence> windows;
  for (std::int64_t w = 0; w < count; ++w) {
    const auto first = tokens.begin() + w * window;
    windows.push_back({{first, first + window - 1}, {first + 1, first + window}, behind});
  }
  return windows;
}

}  // namespace

void SequenceScore::add(double log_probability, bool most_likely) {
  log_likelihood += log_probability;
  squares += log_probability * log_probability;
  ++tokens;
  all_most_likely = all_most_likely && most_likely;
}

const char* name_of(Protocol protocol) {
  constexpr const char* names[] = {"whole", "sparsegpt", "llama.cpp"};
  return names[int(protocol)];
}

Protocol protocol_named(const std::string& name, const std::string& option) {
  for (const Protocol p : {Protocol::whole, Protocol::sparsegpt, Protocol::llama_cpp})
    if (name == name_of(p)) return p;
  throw InputError(fmt::format("{}: found '{}', expected whole, sparsegpt or llama.cpp", option, name));
}

const char* description_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::whole:
      return "every token once, windows behind bos";
    case Protocol::sparsegpt:
      return "as SparseGPT and Wanda: whole windows, all tokens but the first of each";
    default:
      return "as llama-perplexity: whole windows behind bos, second halves";
  }
}

std::vector<ScoredSequence> windows_of(Protocol protocol, std::span<const std::int32_t> text,
                                       std::int32_t bos, std::int64_t window) {
  if (protocol == Protocol::whole) return whole_text(text, bos, window);
  std::vector<std::int32_t> tokens(text.begin(), text.end());
  if (bos >= 0) tokens.insert(tokens.begin(), bos);
  if (protocol == Protocol::sparsegpt) return whole_windows(tokens, window, 0, 1);
  auto windows = whole_windows(tokens, window, window / 2, 2);
  for (ScoredSequence& w : windows)
    if (bos >= 0) w.shown.front() = bos;
  return windows;
}

Perplexity perplexity_of(std::span<const SequenceScore> scores) {
  double sum = 0, squares = 0;
  std::int64_t tokens = 0;
  for (const SequenceScore& s : scores) {
    sum += s.log_likelihood;
    squares += s.squares;
    tokens += s.tokens;
  }
  const auto n = double(tokens);
  const double mean = sum / n, variance = std::max(0.0, squares / n - mean * mean);
  return {std::exp(-mean), std::exp(-mean) * std::sqrt(variance / (n - 1)), tokens};
}

}  // namespace wafermark::llama

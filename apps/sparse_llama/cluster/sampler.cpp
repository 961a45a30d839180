#include "sparse_llama/cluster/sampler.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "sparse_llama/kernels/sampling.hpp"
#include "sparse_llama/kernels/softmax.hpp"

namespace wafermark::llama {

TokenChoice Sampler::next() {
  const double draw = settings_.temperature == 0 ? 0.0 : double(engine_() >> 11) * 0x1p-53;
  return {settings_.temperature, settings_.top_p, draw};
}

std::int32_t token_of_choice(const TokenChoice& choice, std::span<const float> logits) {
  const auto n = std::int64_t(logits.size());
  if (choice.temperature == 0) return std::int32_t(greedy_token(logits.data(), n));
  std::vector<std::int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return logits[std::size_t(a)] > logits[std::size_t(b)];
  });
  std::vector<double> falling(logits.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    falling[i] = double(logits[std::size_t(order[i])]) / choice.temperature;
  softmax(falling.data(), n);
  return order[std::size_t(nucleus_rank(falling.data(), n, choice.top_p, choice.draw))];
}

}  // namespace wafermark::llama

#include "sparse_llama/compress/perplexity.hpp"

#include <cmath>

#include "sparse_llama/compress/loss.hpp"
#include "sparse_llama/model/predicted_text.hpp"

namespace wafermark::llama {

double perplexity(const Communicator& comm, const Configuration& configuration,
                  const std::vector<float>& parameters, std::span<const std::int32_t> text, std::int32_t bos,
                  std::int64_t window) {
  const PredictedText predicted(text, bos);
  const std::int64_t length = predicted.size(), whole = length / window;
  double sum = 0;
  const auto add = [&](Transformer<float>& model, std::int64_t first, std::int64_t windows,
                       std::int64_t size) {
    const auto targets = predicted.targets().subspan(std::size_t(first), std::size_t(windows * size));
    std::vector<std::int32_t> tokens;
    for (std::int64_t i = first; i < first + windows * size; ++i)
      tokens.push_back(predicted.before(i, i - (i - first) % size));
    sum += negative_log_likelihood(model, parameters.data(), tokens, targets);
  };
  const auto add_alone = [&](std::int64_t first, std::int64_t windows, std::int64_t size) {
    Transformer<float> model(configuration, windows, size);
    add(model, first, windows, size);
  };
  constexpr std::int64_t together = windows_together;
  const std::int64_t passes = whole / together;
  if (comm.rank() < passes) {
    Transformer<float> model(configuration, together, window);
    for (std::int64_t p = comm.rank(); p < passes; p += comm.size())
      add(model, p * together * window, together, window);
  }
  if (comm.is_root() && whole % together > 0) add_alone(passes * together * window, whole % together, window);
  if (comm.is_root() && length % window > 0) add_alone(whole * window, 1, length % window);
  return std::exp(comm.sum(sum) / double(length));
}

}  // namespace wafermark::llama

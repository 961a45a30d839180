// Perplexity of a model over a text: exp of the mean of -log p(token | the tokens before it in its window).
#pragma once

#include <span>
#include <vector>

#include "common/communicator.hpp"
#include "sparse_llama/model/weight_source.hpp"

namespace wafermark::llama {

/// Tokens of a window or a calibration sequence where nobody chose, of models whose context is longer: as in
/// published perplexities and recipes.
constexpr std::int64_t usual_window = 2048;
/// The text is cut into windows of `window` tokens as Protocol::whole says, so that every token counts once.
/// Takes scoring_bytes(). Throws InputError where the source is damaged. Collective.
double perplexity(const Communicator& comm, const WeightSource& source, std::span<const std::int32_t> text,
                  std::int32_t bos, std::int64_t window);
/// Of parameters as ParameterLayout says.
double perplexity(const Communicator& comm, const Configuration& configuration,
                  const std::vector<float>& parameters, std::span<const std::int32_t> text, std::int32_t bos,
                  std::int64_t window);

}  // namespace wafermark::llama

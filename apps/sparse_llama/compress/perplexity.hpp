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
/// The text is cut into windows of `window` tokens (the last may be shorter); each is predicted from bos and
/// the tokens before it in the window, so that every token of the text counts once. Windows are dealt to
/// ranks. One block of the model is in memory at a time; long texts take several passes through it. Throws
/// InputError where the source is damaged. Collective.
double perplexity(const Communicator& comm, const WeightSource& source, std::span<const std::int32_t> text,
                  std::int32_t bos, std::int64_t window);
/// Of parameters as ParameterLayout says.
double perplexity(const Communicator& comm, const Configuration& configuration,
                  const std::vector<float>& parameters, std::span<const std::int32_t> text, std::int32_t bos,
                  std::int64_t window);

/// Bytes that it takes on a rank.
double perplexity_bytes(const Configuration& configuration, std::int64_t window);

}  // namespace wafermark::llama

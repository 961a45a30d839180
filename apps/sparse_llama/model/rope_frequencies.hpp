// The frequencies at which the pairs of a head rotate, with the model's scaling rule.
#pragma once

#include <vector>

#include "sparse_llama/model/configuration.hpp"

namespace wafermark::llama {

/// Radians per position, [head_dim / 2].
std::vector<double> rope_frequencies(const Configuration& configuration);

}  // namespace wafermark::llama

// How far the pairs of a head turn at each position, with the model's scaling rule.
#pragma once

#include <vector>

#include "sparse_llama/model/configuration.hpp"

namespace wafermark::llama {

/// Radians per position, [head_dim / 2].
std::vector<double> rope_frequencies(const Configuration& configuration);

/// cos and sin of position * frequency, [length, head_dim / 2] each.
template <class T>
struct RopeTable {
  RopeTable(const Configuration& configuration, std::int64_t length);
  std::int64_t half;
  std::vector<T> cosine, sine;
};

}  // namespace wafermark::llama

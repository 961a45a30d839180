#include "sparse_llama/model/rope_frequencies.hpp"

#include "sparse_llama/kernels/rope.hpp"

namespace wafermark::llama {

std::vector<double> rope_frequencies(const Configuration& c) {
  const RopeScaling& s = c.rope_scaling;
  std::vector<double> frequencies;
  for (std::int64_t i = 0; i < c.head_dim / 2; ++i) {
    const double plain = rope_frequency(c.rope_theta, c.head_dim, i);
    frequencies.push_back(s.factor == 1
                              ? plain
                              : scaled_rope_frequency(plain, s.factor, s.low_frequency_factor,
                                                      s.high_frequency_factor, double(s.original_context)));
  }
  return frequencies;
}

}  // namespace wafermark::llama

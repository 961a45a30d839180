#include "sparse_llama/model/rope_frequencies.hpp"

#include "sparse_llama/kernels/rope.hpp"

namespace wafermark::llama {

std::vector<double> rope_frequencies(const Configuration& c) {
  const RopeScaling& s = c.rope_scaling;
  std::vector<double> frequencies;
  for (std::int64_t i = 0; i < c.head_dim / 2; ++i) {
    const double plain = rope_frequency(c.rope_theta, c.head_dim, i);
    if (s.factor == 1)
      frequencies.push_back(plain);
    else if (s.linear)
      frequencies.push_back(plain / s.factor);
    else
      frequencies.push_back(scaled_rope_frequency(plain, s.factor, s.low_frequency_factor,
                                                  s.high_frequency_factor, double(s.original_context)));
  }
  return frequencies;
}

}  // namespace wafermark::llama

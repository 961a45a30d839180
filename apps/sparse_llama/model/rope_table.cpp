#include "sparse_llama/model/rope_table.hpp"

#include <cmath>

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

template <class T>
RopeTable<T>::RopeTable(const Configuration& c, std::int64_t length) : half(c.head_dim / 2) {
  const std::vector<double> frequencies = rope_frequencies(c);
  for (std::int64_t position = 0; position < length; ++position)
    for (const double frequency : frequencies) {
      cosine.push_back(T(std::cos(double(position) * frequency)));
      sine.push_back(T(std::sin(double(position) * frequency)));
    }
}

template struct RopeTable<float>;
template struct RopeTable<double>;

}  // namespace wafermark::llama

// The Llama architecture in plain loops and double precision, written from its definition (Touvron et al.
// 2023, and the Llama 3.1 frequency scaling as published). Knows none of our kernels: what they are tested
// against.
#pragma once

#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include "sparse_llama/model/dense_weights.hpp"
#include "sparse_llama/model/tensors.hpp"

namespace wafermark::llama {

using Vector = std::vector<double>;

inline Vector times(const DenseMatrix& w, const Vector& x) {
  Vector y(std::size_t(w.rows), 0.0);
  for (std::int64_t i = 0; i < w.rows; ++i)
    for (std::int64_t j = 0; j < w.columns; ++j) y[std::size_t(i)] += double(w.row(i)[j]) * x[std::size_t(j)];
  return y;
}

inline Vector normed(const Vector& x, const std::vector<float>& weight, double epsilon) {
  double squares = 0;
  for (const double v : x) squares += v * v;
  Vector y = x;
  for (std::size_t i = 0; i < x.size(); ++i)
    y[i] *= weight[i] / std::sqrt(squares / double(x.size()) + epsilon);
  return y;
}

/// Turns one head (Hugging Face halves) as position `p` says.
inline void turn(double* head, const Configuration& c, std::int64_t p) {
  for (std::int64_t i = 0; i < c.head_dim / 2; ++i) {
    double frequency = 1 / std::pow(c.rope_theta, 2.0 * double(i) / double(c.head_dim));
    const RopeScaling& s = c.rope_scaling;
    if (s.factor != 1) {
      const double wavelength = 2 * std::numbers::pi / frequency;
      const double low = double(s.original_context) / s.low_frequency_factor;
      const double high = double(s.original_context) / s.high_frequency_factor;
      if (wavelength > low) {
        frequency /= s.factor;
      } else if (wavelength > high) {
        const double smooth = (double(s.original_context) / wavelength - s.low_frequency_factor) /
                              (s.high_frequency_factor - s.low_frequency_factor);
        frequency = (1 - smooth) * frequency / s.factor + smooth * frequency;
      }
    }
    const double angle = double(p) * frequency, a = head[i], b = head[i + c.head_dim / 2];
    head[i] = a * std::cos(angle) - b * std::sin(angle);
    head[i + c.head_dim / 2] = b * std::cos(angle) + a * std::sin(angle);
  }
}

/// Logits behind each token, [tokens][vocabulary].
inline std::vector<Vector> reference_logits(const DenseWeights& w, const std::vector<std::int32_t>& tokens) {
  const Configuration& c = w.configuration;
  std::vector<std::vector<Vector>> keys(std::size_t(c.layers)), values(std::size_t(c.layers));
  std::vector<Vector> logits;
  for (std::size_t p = 0; p < tokens.size(); ++p) {
    const float* row = w.embedding.row(tokens[p]);
    Vector x(row, row + c.dim);
    for (std::size_t l = 0; l < std::size_t(c.layers); ++l) {
      const DenseLayer& layer = w.layers[l];
      const Vector in = normed(x, layer.attention_norm, c.norm_epsilon);
      Vector q = times(layer.query, in), k = times(layer.key, in);
      for (std::int64_t h = 0; h < c.heads; ++h) turn(&q[std::size_t(h * c.head_dim)], c, std::int64_t(p));
      for (std::int64_t h = 0; h < c.kv_heads; ++h) turn(&k[std::size_t(h * c.head_dim)], c, std::int64_t(p));
      keys[l].push_back(k);
      values[l].push_back(times(layer.value, in));
      Vector attended(std::size_t(c.query_dim()), 0.0);
      for (std::int64_t h = 0; h < c.heads; ++h) {
        const std::int64_t at = h * c.head_dim, kv = h / (c.heads / c.kv_heads) * c.head_dim;
        Vector weight(p + 1);
        double sum = 0;
        for (std::size_t t = 0; t <= p; ++t) {
          double score = 0;
          for (std::int64_t i = 0; i < c.head_dim; ++i)
            score += q[std::size_t(at + i)] * keys[l][t][std::size_t(kv + i)];
          sum += weight[t] = std::exp(score / std::sqrt(double(c.head_dim)));
        }
        for (std::size_t t = 0; t <= p; ++t)
          for (std::int64_t i = 0; i < c.head_dim; ++i)
            attended[std::size_t(at + i)] += weight[t] / sum * values[l][t][std::size_t(kv + i)];
      }
      const Vector attention = times(layer.attention_output, attended);
      for (std::size_t i = 0; i < x.size(); ++i) x[i] += attention[i];
      const Vector middle = normed(x, layer.feed_forward_norm, c.norm_epsilon);
      const Vector gate = times(layer.gate, middle), up = times(layer.up, middle);
      Vector hidden(gate.size());
      for (std::size_t i = 0; i < gate.size(); ++i) hidden[i] = gate[i] / (1 + std::exp(-gate[i])) * up[i];
      const Vector out = times(layer.down, hidden);
      for (std::size_t i = 0; i < x.size(); ++i) x[i] += out[i];
    }
    logits.push_back(
        times(c.tied_embeddings ? w.embedding : w.head, normed(x, w.final_norm, c.norm_epsilon)));
  }
  return logits;
}

/// Weights large enough that every part of the model shows in its logits; `density` of the layers' are not
/// zero.
inline DenseWeights random_model(const Configuration& c, unsigned seed, double density = 1) {
  DenseWeights w = weights_without_values(c);
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  std::bernoulli_distribution kept(density);
  each_tensor(w, [&](const std::string& name, auto& tensor) {
    if constexpr (std::is_same_v<std::decay_t<decltype(tensor)>, DenseMatrix>) {
      const bool layer = name.starts_with("model.layers.");
      for (std::int64_t i = 0; i < tensor.rows * tensor.columns; ++i)
        tensor.values.push_back(
            layer && !kept(engine) ? 0 : normal(engine) * 1.5f / std::sqrt(float(tensor.columns)));
    } else {
      for (std::int64_t i = 0; i < c.dim; ++i) tensor.push_back(1 + 0.2f * normal(engine));
    }
  });
  return w;
}

}  // namespace wafermark::llama

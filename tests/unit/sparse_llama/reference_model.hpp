// The Llama architecture in double precision by plain loops, written from its definition and sharing no
// arithmetic with the programs: what every forward pass of this project is held against. Slow on purpose
// (each token attends anew; nothing is cached or blocked).
// Sources: Touvron et al. 2023 (arXiv 2302.13971, 2307.09288); RMSNorm: Zhang and Sennrich 2019; RoPE: Su et
// al. 2021; SwiGLU: Shazeer 2020; grouped queries: Ainslie et al. 2023; RoPE scaling: the "llama3" and
// "linear" rules of Hugging Face's modeling_rope_utils. Windows: Mistral 7B (arXiv 2310.06825); biases and
// norms of heads: the Qwen2 and Qwen3 reports (arXiv 2407.10671, 2505.09388) and their modelling files in
// transformers.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <span>
#include <vector>

#include "sparse_llama/model/dense_weights.hpp"

namespace wafermark::llama {
namespace reference {

using Vector = std::vector<double>;

/// y = W x, W row-major [rows, columns].
inline Vector times(const DenseMatrix& w, const Vector& x) {
  Vector y(std::size_t(w.rows), 0.0);
  for (std::size_t i = 0; i < y.size(); ++i)
    for (std::size_t j = 0; j < x.size(); ++j) y[i] += double(w.values[i * x.size() + j]) * x[j];
  return y;
}

/// x / sqrt(mean(x^2) + epsilon) * weight
inline Vector rms_norm(const Vector& x, const std::vector<float>& weight, double epsilon) {
  double squares = 0;
  for (const double v : x) squares += v * v;
  const double root = std::sqrt(squares / double(x.size()) + epsilon);
  Vector y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] / root * double(weight[i]);
  return y;
}

/// Radians per position of pair i, theta^(-2i / head_dim), under the model's scaling rule. The rule is said
/// in wavelengths (positions per turn), as it was published.
inline double frequency(const Configuration& c, std::int64_t i) {
  const double plain = 1 / std::pow(c.rope_theta, double(2 * i) / double(c.head_dim));
  const RopeScaling& s = c.rope_scaling;
  if (s.factor == 1) return plain;
  if (s.linear) return plain / s.factor;
  const double wavelength = 2 * std::numbers::pi / plain, context = double(s.original_context);
  if (wavelength > context / s.low_frequency_factor) return plain / s.factor;
  if (wavelength < context / s.high_frequency_factor) return plain;
  const double smooth =
      (context / wavelength - s.low_frequency_factor) / (s.high_frequency_factor - s.low_frequency_factor);
  return (1 - smooth) * plain / s.factor + smooth * plain;
}

/// Turns elements i and i + head_dim / 2 of each head by position * frequency(i).
inline void rotate(const Configuration& c, Vector& x, std::int64_t position) {
  const std::int64_t half = c.head_dim / 2, heads = std::int64_t(x.size()) / c.head_dim;
  for (std::int64_t h = 0; h < heads; ++h)
    for (std::int64_t i = 0; i < half; ++i) {
      double& a = x[std::size_t(h * c.head_dim + i)];
      double& b = x[std::size_t(h * c.head_dim + i + half)];
      const double angle = double(position) * frequency(c, i);
      const double turned_a = a * std::cos(angle) - b * std::sin(angle);
      const double turned_b = a * std::sin(angle) + b * std::cos(angle);
      a = turned_a, b = turned_b;
    }
}

/// y + bias, where there is one.
inline Vector plus(Vector y, const std::vector<float>& bias) {
  for (std::size_t i = 0; i < bias.size(); ++i) y[i] += double(bias[i]);
  return y;
}

/// Each head of x normed by itself, where there is a weight.
inline Vector norm_heads(const Configuration& c, const Vector& x, const std::vector<float>& weight) {
  if (weight.empty()) return x;
  Vector y;
  for (auto head = x.begin(); head != x.end(); head += c.head_dim) {
    const Vector normed = rms_norm(Vector(head, head + c.head_dim), weight, c.norm_epsilon);
    y.insert(y.end(), normed.begin(), normed.end());
  }
  return y;
}

/// Softmax-weighted values of the positions up to this one, those in the window; query head h reads key/value
/// head h / (heads / kv_heads).
inline Vector attend(const Configuration& c, const Vector& query, const std::vector<Vector>& keys,
                     const std::vector<Vector>& values) {
  Vector out(query.size(), 0.0);
  for (std::int64_t h = 0; h < c.heads; ++h) {
    const std::int64_t from = h * c.head_dim, shared = h / (c.heads / c.kv_heads) * c.head_dim;
    Vector weight(keys.size());
    double largest = -INFINITY, sum = 0;
    for (std::size_t t = 0; t < keys.size(); ++t) {
      weight[t] = -INFINITY;
      if (c.sliding_window > 0 && std::int64_t(keys.size() - t) > c.sliding_window) continue;
      double dot = 0;
      for (std::int64_t i = 0; i < c.head_dim; ++i)
        dot += query[std::size_t(from + i)] * keys[t][std::size_t(shared + i)];
      weight[t] = dot / std::sqrt(double(c.head_dim));
      largest = std::max(largest, weight[t]);
    }
    for (double& w : weight) sum += w = std::exp(w - largest);
    for (std::size_t t = 0; t < keys.size(); ++t)
      for (std::int64_t i = 0; i < c.head_dim; ++i)
        out[std::size_t(from + i)] += weight[t] / sum * values[t][std::size_t(shared + i)];
  }
  return out;
}

/// w2(silu(w1 x) * w3 x), where hidden units of at most `threshold` in size count as zero, and are counted.
inline Vector feed_forward(const DenseLayer& layer, const Vector& x, double threshold = -1,
                           std::int64_t* dropped = nullptr) {
  Vector gate = times(layer.gate, x);
  const Vector up = times(layer.up, x);
  for (std::size_t i = 0; i < gate.size(); ++i) gate[i] = gate[i] / (1 + std::exp(-gate[i])) * up[i];
  for (double& unit : gate)
    if (std::abs(unit) <= threshold) {
      unit = 0;
      ++*dropped;
    }
  return times(layer.down, gate);
}

inline void add(Vector& x, const Vector& y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}

}  // namespace reference

/// The logits [vocabulary] after each token of one sequence that starts at position 0.
inline std::vector<std::vector<double>> reference_logits(const DenseWeights& w,
                                                         std::span<const std::int32_t> tokens,
                                                         double threshold = -1,
                                                         std::int64_t* dropped = nullptr) {
  using reference::Vector;
  const Configuration& c = w.configuration;
  std::vector<std::vector<Vector>> keys(w.layers.size()), values(w.layers.size());
  std::vector<Vector> logits;
  for (std::size_t position = 0; position < tokens.size(); ++position) {
    const float* row = w.embedding.row(tokens[position]);
    Vector x(row, row + c.dim);
    for (std::size_t l = 0; l < w.layers.size(); ++l) {
      const DenseLayer& layer = w.layers[l];
      const Vector normed = reference::rms_norm(x, layer.attention_norm, c.norm_epsilon);
      Vector query = reference::plus(reference::times(layer.query, normed), layer.query_bias),
             key = reference::plus(reference::times(layer.key, normed), layer.key_bias);
      query = reference::norm_heads(c, query, layer.query_norm);
      key = reference::norm_heads(c, key, layer.key_norm);
      reference::rotate(c, query, std::int64_t(position));
      reference::rotate(c, key, std::int64_t(position));
      keys[l].push_back(key);
      values[l].push_back(reference::plus(reference::times(layer.value, normed), layer.value_bias));
      reference::add(
          x, reference::times(layer.attention_output, reference::attend(c, query, keys[l], values[l])));
      const Vector middle = reference::rms_norm(x, layer.feed_forward_norm, c.norm_epsilon);
      reference::add(x, reference::feed_forward(layer, middle, threshold, dropped));
    }
    const Vector last = reference::rms_norm(x, w.final_norm, c.norm_epsilon);
    logits.push_back(reference::times(c.tied_embeddings ? w.embedding : w.head, last));
  }
  return logits;
}

/// A model of Gaussian weights whose activations, attention scores and logits are of the order of one, so
/// that every part of the architecture shows in the logits; norms are scattered about one.
inline DenseWeights random_model(const Configuration& c, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  const auto matrix = [&](std::int64_t rows, std::int64_t columns, double deviation) {
    DenseMatrix m(rows, columns);
    for (float& v : m.values) v = float(deviation * normal(random));
    return m;
  };
  const auto linear = [&](std::int64_t rows, std::int64_t columns) {
    return matrix(rows, columns, 1.3 / std::sqrt(double(columns)));
  };
  const auto scattered = [&](std::int64_t length, double mean, double deviation) {
    std::vector<float> values(std::size_t(length), 0.0f);
    for (float& v : values) v = float(mean + deviation * normal(random));
    return values;
  };
  const auto norm = [&] { return scattered(c.dim, 1, 0.2); };
  DenseWeights w;
  w.configuration = c;
  w.embedding = matrix(c.vocabulary, c.dim, 1.0);
  for (std::int64_t l = 0; l < c.layers; ++l) {
    DenseLayer layer;
    layer.attention_norm = norm();
    layer.query = linear(c.query_dim(), c.dim);
    layer.key = linear(c.kv_dim(), c.dim);
    layer.value = linear(c.kv_dim(), c.dim);
    layer.attention_output = linear(c.dim, c.query_dim());
    layer.feed_forward_norm = norm();
    layer.gate = linear(c.hidden, c.dim);
    layer.up = linear(c.hidden, c.dim);
    layer.down = linear(c.dim, c.hidden);
    if (c.has_biases()) {
      layer.query_bias = scattered(c.query_dim(), 0, 0.5);
      layer.key_bias = scattered(c.kv_dim(), 0, 0.5);
      layer.value_bias = scattered(c.kv_dim(), 0, 0.5);
    }
    if (c.has_head_norms()) {
      layer.query_norm = scattered(c.head_dim, 1.5, 0.3);
      layer.key_norm = scattered(c.head_dim, 1.5, 0.3);
    }
    w.layers.push_back(std::move(layer));
  }
  w.final_norm = norm();
  if (!c.tied_embeddings) w.head = linear(c.vocabulary, c.dim);
  return w;
}

}  // namespace wafermark::llama

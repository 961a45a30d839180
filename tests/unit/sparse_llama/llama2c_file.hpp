// llama2.c checkpoints of a model, written from the format's description: what tests give to the reader.
#pragma once

#include <cmath>
#include <cstring>
#include <string>

#include "sparse_llama/model/dense_weights.hpp"

namespace wafermark::llama {

template <class T>
void append(std::string& bytes, const T& value) {
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  bytes.append(raw, sizeof value);
}

inline void append(std::string& bytes, const std::vector<float>& values) {
  for (const float v : values) append(bytes, v);
}

/// Query and key rows as llama2.c has them: it rotates elements 2i and 2i + 1 of a head at frequency i.
inline std::vector<float> interleaved(const DenseMatrix& m, std::int64_t head_dim) {
  std::vector<float> out(m.values.size());
  for (std::int64_t r = 0; r < m.rows; ++r) {
    const std::int64_t i = r % head_dim, half = head_dim / 2;
    const std::int64_t to = r - i + (i < half ? 2 * i : 2 * (i - half) + 1);
    for (std::int64_t k = 0; k < m.columns; ++k) out[std::size_t(to * m.columns + k)] = m.row(r)[k];
  }
  return out;
}

inline std::string llama2c_sizes(const Configuration& c, std::int64_t vocabulary) {
  std::string bytes;
  for (const std::int64_t size : {c.dim, c.hidden, c.layers, c.heads, c.kv_heads, vocabulary, c.context})
    append(bytes, std::int32_t(size));
  return bytes;
}

inline void append_matrices(std::string& bytes, const DenseWeights& w) {
  const std::int64_t head_dim = w.configuration.head_dim;
  for (const auto& l : w.layers) append(bytes, interleaved(l.query, head_dim));
  for (const auto& l : w.layers) append(bytes, interleaved(l.key, head_dim));
  for (const auto& l : w.layers) append(bytes, l.value.values);
  for (const auto& l : w.layers) append(bytes, l.attention_output.values);
}

inline void append_feed_forward(std::string& bytes, const DenseWeights& w) {
  for (const auto& l : w.layers) append(bytes, l.gate.values);
  for (const auto& l : w.layers) append(bytes, l.down.values);
  for (const auto& l : w.layers) append(bytes, l.up.values);
}

/// The first format: a negative vocabulary says that the head is stored.
inline std::string llama2c_first_format(const DenseWeights& w) {
  const Configuration& c = w.configuration;
  std::string bytes = llama2c_sizes(c, c.tied_embeddings ? c.vocabulary : -c.vocabulary);
  append(bytes, w.embedding.values);
  for (const auto& l : w.layers) append(bytes, l.attention_norm);
  append_matrices(bytes, w);
  for (const auto& l : w.layers) append(bytes, l.feed_forward_norm);
  append_feed_forward(bytes, w);
  append(bytes, w.final_norm);
  for (const bool sine : {false, true})
    for (std::int64_t t = 0; t < c.context; ++t)
      for (std::int64_t i = 0; i < c.head_dim / 2; ++i) {
        const double angle = double(t) * std::pow(c.rope_theta, -2.0 * double(i) / double(c.head_dim));
        append(bytes, float(sine ? std::sin(angle) : std::cos(angle)));
      }
  append(bytes, w.head.values);
  return bytes;
}

/// Version 1, with the magic number.
inline std::string llama2c_version_1(const DenseWeights& w) {
  const Configuration& c = w.configuration;
  std::string bytes = "24ka";  // "ak42" as a little-endian word
  append(bytes, std::int32_t(1));
  bytes += llama2c_sizes(c, c.vocabulary);
  bytes += char(c.tied_embeddings);
  bytes.resize(256, '\0');
  for (const auto& l : w.layers) append(bytes, l.attention_norm);
  for (const auto& l : w.layers) append(bytes, l.feed_forward_norm);
  append(bytes, w.final_norm);
  append(bytes, w.embedding.values);
  append_matrices(bytes, w);
  append_feed_forward(bytes, w);
  append(bytes, w.head.values);
  return bytes;
}

}  // namespace wafermark::llama

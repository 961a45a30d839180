// GGUF files written from the format's description (ggml, docs/gguf.md): what tests give to the reader.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "sparse_llama/model/dense_weights.hpp"

namespace wafermark::llama::gguf {

template <class T>
void put(std::string& bytes, T value) {
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  bytes.append(raw, sizeof value);
}
inline void put_text(std::string& bytes, const std::string& text) {
  put(bytes, std::uint64_t(text.size()));
  bytes += text;
}

/// Keys, tensors and their data; text() is the file.
class File {
 public:
  void key(const std::string& name, const std::string& value) {
    put_text(keys_, name), put(keys_, std::uint32_t(8)), put_text(keys_, value), ++key_count_;
  }
  void key(const std::string& name, std::uint32_t value) {
    put_text(keys_, name), put(keys_, std::uint32_t(4)), put(keys_, value), ++key_count_;
  }
  void key(const std::string& name, float value) {
    put_text(keys_, name), put(keys_, std::uint32_t(6)), put(keys_, value), ++key_count_;
  }
  void key(const std::string& name, const std::vector<std::string>& values) {
    put_text(keys_, name), put(keys_, std::uint32_t(9)), put(keys_, std::uint32_t(8));
    put(keys_, std::uint64_t(values.size())), ++key_count_;
    for (const std::string& value : values) put_text(keys_, value);
  }
  /// `shape`: the innermost extent first, as the file has it.
  void tensor(const std::string& name, const std::vector<std::uint64_t>& shape, std::uint32_t type,
              const std::string& data) {
    put_text(tensors_, name), put(tensors_, std::uint32_t(shape.size()));
    for (const std::uint64_t extent : shape) put(tensors_, extent);
    put(tensors_, type), put(tensors_, std::uint64_t(data_.size())), ++tensor_count_;
    data_ += data;
    data_.resize((data_.size() + 31) / 32 * 32, '\0');
  }
  std::string text() const {
    std::string file = "GGUF";
    put(file, std::uint32_t(3)), put(file, tensor_count_), put(file, key_count_);
    file += keys_ + tensors_;
    file.resize((file.size() + 31) / 32 * 32, '\0');
    return file + data_;
  }

 private:
  std::string keys_, tensors_, data_;
  std::uint64_t key_count_ = 0, tensor_count_ = 0;
};

/// How a test stores matrices: a number of ggml_type, and the bytes of a row of n numbers.
struct Storage {
  std::uint32_t type;
  std::string (*bytes)(const float* row, std::int64_t n);
};

inline std::string as_f32(const float* row, std::int64_t n) {
  return {reinterpret_cast<const char*>(row), std::size_t(n) * 4};
}
/// The upper half, numbers cut off.
inline std::string as_bf16(const float* row, std::int64_t n) {
  std::string bytes;
  for (std::int64_t i = 0; i < n; ++i) put(bytes, std::uint16_t(std::bit_cast<std::uint32_t>(row[i]) >> 16));
  return bytes;
}
/// Of normal numbers, cut off.
inline std::uint16_t half_of(float value) {
  int exponent = 0;
  const float fraction = std::frexp(std::abs(value), &exponent);  // [0.5, 1)
  if (value == 0 || exponent < -13) return 0;
  return std::uint16_t((value < 0 ? 0x8000 : 0) | (exponent + 14) << 10 | (int(fraction * 2048) - 1024));
}
inline std::string as_f16(const float* row, std::int64_t n) {
  std::string bytes;
  for (std::int64_t i = 0; i < n; ++i) put(bytes, half_of(row[i]));
  return bytes;
}
/// The scale is a power of two, which F16 holds exactly.
inline float scale_for(const float* row, float largest) {
  float most = 0;
  for (int i = 0; i < 32; ++i) most = std::max(most, std::abs(row[i]));
  return std::exp2(std::ceil(std::log2(std::max(most, 1e-3f) / largest)));
}
inline std::string as_q8_0(const float* row, std::int64_t n) {
  std::string bytes;
  for (std::int64_t b = 0; b < n; b += 32) {
    const float scale = scale_for(row + b, 127);
    put(bytes, half_of(scale));
    for (int i = 0; i < 32; ++i) put(bytes, std::int8_t(std::lround(row[b + i] / scale)));
  }
  return bytes;
}
inline std::string as_q4_0(const float* row, std::int64_t n) {
  std::string bytes;
  for (std::int64_t b = 0; b < n; b += 32) {
    const float scale = scale_for(row + b, 7);
    put(bytes, half_of(scale));
    const auto quant = [&](int i) { return std::uint8_t(std::lround(row[b + i] / scale) + 8); };
    for (int i = 0; i < 16; ++i) put(bytes, std::uint8_t(quant(i) | quant(i + 16) << 4));
  }
  return bytes;
}

inline void put_matrix(File& file, const std::string& name, const DenseMatrix& m, const Storage& storage) {
  std::string data;
  for (std::int64_t r = 0; r < m.rows; ++r) data += storage.bytes(m.row(r), m.columns);
  file.tensor(name, {std::uint64_t(m.columns), std::uint64_t(m.rows)}, storage.type, data);
}

/// Rows of heads from halves to the pairs that llama.cpp rotates.
inline DenseMatrix paired(const DenseMatrix& m, std::int64_t head_dim) {
  DenseMatrix out(m.rows, m.columns);
  for (std::int64_t r = 0; r < m.rows; ++r) {
    const std::int64_t i = r % head_dim, half = head_dim / 2,
                       to = r - i + (i < half ? 2 * i : 2 * (i - half) + 1);
    std::copy_n(m.row(r), m.columns, out.row(to));
  }
  return out;
}

inline File model(const DenseWeights& w, const Storage& storage) {
  const Configuration& c = w.configuration;
  const bool pairs = c.architecture == Architecture::llama || c.architecture == Architecture::mistral;
  const std::string kind = pairs ? "llama" : row_of(c.architecture).model_type;
  File file;
  file.key("general.architecture", kind);
  file.key("tokenizer.ggml.tokens", std::vector<std::string>{"<s>", "a", ""});
  const auto size = [&](const char* name, std::int64_t value) {
    file.key(kind + "." + name, std::uint32_t(value));
  };
  size("embedding_length", c.dim), size("block_count", c.layers), size("attention.head_count", c.heads);
  size("attention.head_count_kv", c.kv_heads), size("attention.key_length", c.head_dim);
  size("feed_forward_length", c.hidden), size("context_length", c.context);
  if (c.sliding_window > 0) size("attention.sliding_window", c.sliding_window);
  file.key(kind + ".attention.layer_norm_rms_epsilon", float(c.norm_epsilon));
  file.key(kind + ".rope.freq_base", float(c.rope_theta));
  const auto norm = [&](const std::string& name, const std::vector<float>& values) {
    file.tensor(name, {values.size()}, 0, as_f32(values.data(), std::int64_t(values.size())));
  };
  put_matrix(file, "token_embd.weight", w.embedding, storage);
  for (std::size_t l = 0; l < w.layers.size(); ++l) {
    const DenseLayer& layer = w.layers[l];
    const std::string at = "blk." + std::to_string(l) + ".";
    norm(at + "attn_norm.weight", layer.attention_norm);
    put_matrix(file, at + "attn_q.weight", pairs ? paired(layer.query, c.head_dim) : layer.query, storage);
    put_matrix(file, at + "attn_k.weight", pairs ? paired(layer.key, c.head_dim) : layer.key, storage);
    if (c.has_biases()) {
      norm(at + "attn_q.bias", layer.query_bias);
      norm(at + "attn_k.bias", layer.key_bias);
      norm(at + "attn_v.bias", layer.value_bias);
    }
    if (c.has_head_norms()) {
      norm(at + "attn_q_norm.weight", layer.query_norm);
      norm(at + "attn_k_norm.weight", layer.key_norm);
    }
    put_matrix(file, at + "attn_v.weight", layer.value, storage);
    put_matrix(file, at + "attn_output.weight", layer.attention_output, storage);
    norm(at + "ffn_norm.weight", layer.feed_forward_norm);
    put_matrix(file, at + "ffn_gate.weight", layer.gate, storage);
    put_matrix(file, at + "ffn_up.weight", layer.up, storage);
    put_matrix(file, at + "ffn_down.weight", layer.down, storage);
  }
  norm("output_norm.weight", w.final_norm);
  if (!c.tied_embeddings) put_matrix(file, "output.weight", w.head, storage);
  return file;
}

}  // namespace wafermark::llama::gguf

#include "sparse_llama/model/memory_need.hpp"

#include <algorithm>
#include <cmath>

#include "sparse_llama/kernels/cached_head.hpp"

namespace wafermark::llama {

double layer_weight_count(const Configuration& c) {
  const auto dim = double(c.dim);
  return double(c.layers) *
         (dim * (2 * double(c.query_dim()) + 2 * double(c.kv_dim())) + 3 * dim * double(c.hidden));
}

double weight_count(const Configuration& c) {
  const double ends = double(c.vocabulary) * double(c.dim) * (c.tied_embeddings ? 1 : 2);
  const double vectors = 2 * double(c.dim) + (c.has_biases() ? double(c.query_dim() + 2 * c.kv_dim()) : 0.0) +
                         (c.has_head_norms() ? 2 * double(c.head_dim) : 0.0);
  return layer_weight_count(c) + ends + double(c.layers) * vectors + double(c.dim);
}

double packed_bytes(const Configuration& c, Format format, ValueType type, double density) {
  const double layers = layer_weight_count(c);
  return (layers * bits_per_weight_of(format, type, density) +
          (weight_count(c) - layers) * bits_per_weight_of(Format::dense, type, 1)) /
         8;
}

std::int64_t cached_bytes(ValueType cache, std::int64_t head_dim) {
  std::int64_t bytes = 0;
  with_value_type(cache, [&]<class Cached>(Cached) { bytes = cached_bytes<Cached>(head_dim); });
  return bytes;
}

double cached_positions(const Configuration& c, double capacity, double rows) {
  // The first row of a pass sees a window back from its position when the last one is in the cache already.
  const double most = c.sliding_window > 0 ? std::min(capacity, double(c.sliding_window) + rows) : capacity;
  return std::ceil(most / key_block) * key_block;
}

double decoder_bytes(const Configuration& c, const Shares& s, ValueType cached, double sequences,
                     double capacity, double rows) {
  const double kv = double(s.kv_heads.count * c.head_dim), query = double(s.heads.count * c.head_dim);
  const double cache = double(c.layers * s.kv_heads.count * cached_bytes(cached, c.head_dim)) * sequences *
                       cached_positions(c, capacity, rows),
               turns = capacity * double(c.head_dim);
  const double row = 2 * double(c.dim) + 2 * query + 2 * kv + 3 * double(s.hidden.count) +
                     double(s.vocabulary.count) + double(c.vocabulary);
  return cache + sizeof(float) * (2 * turns + rows * row);  // turns are made on the host, then copied
}

double activation_bytes(const Configuration& c, double sequences, double length) {
  const auto dim = double(c.dim), query = double(c.query_dim()), kv = double(c.kv_dim()),
             hidden = double(c.hidden);
  const double token =
      double(c.layers) * (4 * dim + 2 + 2 * query + 2 * kv + 3 * hidden + double(c.heads) * length) +
      3 * dim + 1 + double(c.vocabulary) + 3 * hidden;  // the last: scratch
  return sizeof(float) * (sequences * length * token + length * double(c.head_dim));
}

}  // namespace wafermark::llama

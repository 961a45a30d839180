#include "sparse_llama/compress/parameters.hpp"

#include <Random123/philox.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace wafermark::llama {

ParameterLayout::ParameterLayout(const Configuration& c) {
  embedding = add("model.embed_tokens.weight", c.vocabulary, c.dim, false);
  for (std::int64_t l = 0; l < c.layers; ++l) {
    const auto name = [&](const char* part) { return fmt::format("model.layers.{}.{}.weight", l, part); };
    LayerOffsets o{};
    o.attention_norm = add(name("input_layernorm"), 1, c.dim, false);
    o.query = add(name("self_attn.q_proj"), c.query_dim(), c.dim, true);
    o.key = add(name("self_attn.k_proj"), c.kv_dim(), c.dim, true);
    o.value = add(name("self_attn.v_proj"), c.kv_dim(), c.dim, true);
    o.attention_output = add(name("self_attn.o_proj"), c.dim, c.query_dim(), true);
    o.feed_forward_norm = add(name("post_attention_layernorm"), 1, c.dim, false);
    o.gate = add(name("mlp.gate_proj"), c.hidden, c.dim, true);
    o.up = add(name("mlp.up_proj"), c.hidden, c.dim, true);
    o.down = add(name("mlp.down_proj"), c.dim, c.hidden, true);
    layers.push_back(o);
  }
  final_norm = add("model.norm.weight", 1, c.dim, false);
  head = c.tied_embeddings ? embedding : add("lm_head.weight", c.vocabulary, c.dim, false);
}

std::int64_t ParameterLayout::add(const std::string& name, std::int64_t rows, std::int64_t columns,
                                  bool in_layer) {
  blocks.push_back({name, size, rows, columns, in_layer});
  size += rows * columns;
  return blocks.back().offset;
}

namespace {

/// Calls `visit` with every array of the weights, in the order of the layout.
template <class Weights, class Visit>
void each_array(Weights& w, const Visit& visit) {
  visit(w.embedding.values);
  for (auto& layer : w.layers) {
    visit(layer.attention_norm);
    for (auto* m : {&layer.query, &layer.key, &layer.value, &layer.attention_output}) visit(m->values);
    visit(layer.feed_forward_norm);
    for (auto* m : {&layer.gate, &layer.up, &layer.down}) visit(m->values);
  }
  visit(w.final_norm);
  if (!w.configuration.tied_embeddings) visit(w.head.values);
}

}  // namespace

std::vector<float> flatten(const DenseWeights& weights) {
  std::vector<float> flat;
  each_array(weights, [&](const std::vector<float>& a) { flat.insert(flat.end(), a.begin(), a.end()); });
  return flat;
}

DenseWeights unflatten(const Configuration& c, const std::vector<float>& parameters) {
  DenseWeights w;
  w.configuration = c;
  w.embedding = DenseMatrix(c.vocabulary, c.dim);
  const auto norm = std::vector<float>(std::size_t(c.dim));
  for (std::int64_t l = 0; l < c.layers; ++l)
    w.layers.push_back({norm, DenseMatrix(c.query_dim(), c.dim), DenseMatrix(c.kv_dim(), c.dim),
                        DenseMatrix(c.kv_dim(), c.dim), DenseMatrix(c.dim, c.query_dim()), norm,
                        DenseMatrix(c.hidden, c.dim), DenseMatrix(c.hidden, c.dim),
                        DenseMatrix(c.dim, c.hidden)});
  w.final_norm = norm;
  if (!c.tied_embeddings) w.head = DenseMatrix(c.vocabulary, c.dim);
  auto from = parameters.begin();
  each_array(w, [&](std::vector<float>& a) {
    std::copy_n(from, a.size(), a.begin());
    from += std::ptrdiff_t(a.size());
  });
  return w;
}

std::vector<float> initial_parameters(const Configuration& c, std::uint64_t seed) {
  const ParameterLayout layout(c);
  std::vector<float> values(std::size_t(layout.size), 1.0f);
  r123::Philox4x32 philox;
  const r123::Philox4x32::key_type key{{std::uint32_t(seed), std::uint32_t(seed >> 32)}};
  for (const ParameterBlock& block : layout.blocks) {
    if (!block.is_matrix()) continue;
    const bool to_residual =
        block.name.find("o_proj") != std::string::npos || block.name.find("down_proj") != std::string::npos;
    const double deviation = 0.02 / (to_residual ? std::sqrt(2.0 * double(c.layers)) : 1.0);
    for (std::int64_t i = block.offset; i < block.end(); ++i) {  // Box and Muller
      const auto bits = philox({{std::uint32_t(i), std::uint32_t(i >> 32), 0x1417u, 0}}, key);
      const double u = (double(bits[0]) + 0.5) * 0x1p-32,
                   angle = 2 * std::numbers::pi * double(bits[1]) * 0x1p-32;
      values[std::size_t(i)] = float(deviation * std::sqrt(-2 * std::log(u)) * std::cos(angle));
    }
  }
  return values;
}

std::vector<std::uint8_t> mask_of(const Configuration& c, const std::vector<float>& parameters) {
  const ParameterLayout layout(c);
  std::vector<std::uint8_t> mask(parameters.size(), 1);
  for (const ParameterBlock& block : layout.blocks)
    if (block.in_layer)
      for (auto i = std::size_t(block.offset); i < std::size_t(block.end()); ++i)
        mask[i] = parameters[i] != 0.0f;
  return mask;
}

}  // namespace wafermark::llama

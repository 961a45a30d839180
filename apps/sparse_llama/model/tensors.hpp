// The tensors of a model: their names in Hugging Face checkpoints, their shapes, and the order in which this
// project stores them. Said here and nowhere else.
#pragma once

#include <fmt/format.h>

#include <string>

#include "sparse_llama/model/dense_weights.hpp"

namespace wafermark::llama {

/// Calls `visit(name, tensor)` with every DenseMatrix and norm (std::vector<float>) of `weights`, const or
/// not, in storage order. Tied embeddings have no head.
template <class Weights, class Visit>
void each_tensor(Weights& weights, const Visit& visit) {
  visit("model.embed_tokens.weight", weights.embedding);
  for (std::size_t l = 0; l < weights.layers.size(); ++l) {
    auto& layer = weights.layers[l];
    const auto name = [&](const char* part) { return fmt::format("model.layers.{}.{}.weight", l, part); };
    visit(name("input_layernorm"), layer.attention_norm);
    visit(name("self_attn.q_proj"), layer.query);
    visit(name("self_attn.k_proj"), layer.key);
    visit(name("self_attn.v_proj"), layer.value);
    visit(name("self_attn.o_proj"), layer.attention_output);
    visit(name("post_attention_layernorm"), layer.feed_forward_norm);
    visit(name("mlp.gate_proj"), layer.gate);
    visit(name("mlp.up_proj"), layer.up);
    visit(name("mlp.down_proj"), layer.down);
  }
  visit("model.norm.weight", weights.final_norm);
  if (!weights.configuration.tied_embeddings) visit("lm_head.weight", weights.head);
}

/// All matrices have their rows and columns; no tensor has values yet.
DenseWeights weights_without_values(const Configuration& configuration);

}  // namespace wafermark::llama

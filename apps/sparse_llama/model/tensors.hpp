// The tensors of a model: their names in Hugging Face checkpoints and the order in which this project stores
// them. Said here and nowhere else.
#pragma once

#include <string>

#include "sparse_llama/model/weight_source.hpp"

namespace wafermark::llama {

/// "model.layers.3.self_attn.q_proj.weight"
std::string tensor_name(Matrix matrix, std::int64_t layer);
std::string tensor_name(Norm norm, std::int64_t layer);

/// Calls visit(matrix or norm, layer) for every tensor in storage order. Tied embeddings have no head.
template <class Visit>
void each_place(const Configuration& configuration, const Visit& visit) {
  visit(Matrix::embedding, std::int64_t(0));
  for (std::int64_t l = 0; l < configuration.layers; ++l) {
    visit(Norm::attention, l);
    for (const Matrix m : {Matrix::query, Matrix::key, Matrix::value, Matrix::attention_output}) visit(m, l);
    visit(Norm::feed_forward, l);
    for (const Matrix m : {Matrix::gate, Matrix::up, Matrix::down}) visit(m, l);
  }
  visit(Norm::final, std::int64_t(0));
  if (!configuration.tied_embeddings) visit(Matrix::head, std::int64_t(0));
}

/// The tensor of `weights`, const or not.
template <class Weights>
auto& tensor_of(Weights& weights, Matrix matrix, std::int64_t layer) {
  if (matrix == Matrix::embedding) return weights.embedding;
  if (matrix == Matrix::head) return weights.head;
  auto& l = weights.layers[std::size_t(layer)];
  switch (matrix) {
    case Matrix::query:
      return l.query;
    case Matrix::key:
      return l.key;
    case Matrix::value:
      return l.value;
    case Matrix::attention_output:
      return l.attention_output;
    case Matrix::gate:
      return l.gate;
    case Matrix::up:
      return l.up;
    default:
      return l.down;
  }
}
template <class Weights>
auto& tensor_of(Weights& weights, Norm norm, std::int64_t layer) {
  if (norm == Norm::final) return weights.final_norm;
  auto& l = weights.layers[std::size_t(layer)];
  return norm == Norm::attention ? l.attention_norm : l.feed_forward_norm;
}

/// Calls `visit(name, tensor)` with every DenseMatrix and norm (std::vector<float>) of `weights`, const or
/// not, in storage order.
template <class Weights, class Visit>
void each_tensor(Weights& weights, const Visit& visit) {
  each_place(weights.configuration, [&](auto part, std::int64_t layer) {
    visit(tensor_name(part, layer), tensor_of(weights, part, layer));
  });
}

/// All matrices have their rows and columns; no tensor has values yet.
DenseWeights weights_without_values(const Configuration& configuration);

}  // namespace wafermark::llama

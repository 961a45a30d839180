// The tensors of a model: their names in Hugging Face checkpoints and the order in which this project stores
// them. Said here and nowhere else.
#pragma once

#include <string>

#include "sparse_llama/model/weight_source.hpp"

namespace wafermark::llama {

/// "model.layers.3.self_attn.q_proj.weight"
std::string tensor_name(Matrix matrix, std::int64_t layer);
std::string tensor_name(Vector vector, std::int64_t layer);

/// Calls visit(matrix or vector, layer) for every tensor in storage order. Tied embeddings have no head.
template <class Visit>
void each_place(const Configuration& configuration, const Visit& visit) {
  visit(Matrix::embedding, std::int64_t(0));
  for (std::int64_t l = 0; l < configuration.layers; ++l) {
    visit(Vector::attention_norm, l);
    for (const Matrix m : {Matrix::query, Matrix::key, Matrix::value, Matrix::attention_output}) visit(m, l);
    visit(Vector::feed_forward_norm, l);
    for (const Matrix m : {Matrix::gate, Matrix::up, Matrix::down}) visit(m, l);
    if (configuration.has_biases())
      for (const Vector v : {Vector::query_bias, Vector::key_bias, Vector::value_bias}) visit(v, l);
    if (configuration.has_head_norms())
      for (const Vector v : {Vector::query_norm, Vector::key_norm}) visit(v, l);
  }
  visit(Vector::final_norm, std::int64_t(0));
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
auto& tensor_of(Weights& weights, Vector vector, std::int64_t layer) {
  if (vector == Vector::final_norm) return weights.final_norm;
  auto& l = weights.layers[std::size_t(layer)];
  switch (vector) {
    case Vector::attention_norm:
      return l.attention_norm;
    case Vector::query_bias:
      return l.query_bias;
    case Vector::key_bias:
      return l.key_bias;
    case Vector::value_bias:
      return l.value_bias;
    case Vector::query_norm:
      return l.query_norm;
    case Vector::key_norm:
      return l.key_norm;
    default:
      return l.feed_forward_norm;
  }
}

/// Calls `visit(name, tensor)` with every DenseMatrix and vector (std::vector<float>) of `weights`, const or
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
